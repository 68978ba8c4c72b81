import {
  type Answer,
  type AuthInfo,
  ConfigurationError,
  createGuard,
  type Guard,
  type GuardOptions,
  type Passage,
} from '@sharkguard/core'
import { readBody, rpcError } from './body.ts'
import { type OperationScopes, operationScopes } from './operation-scopes.ts'
import { matchesName, operationsOf } from './operations.ts'
import { sessionOwners } from './session-owners.ts'
import { guardResponse } from './stream.ts'

/** What the MCP SDKs' handlers take beside the request. */
interface HandlerOptions {
  readonly authInfo?: AuthInfo
  readonly parsedBody?: unknown
}

type HandleRequest = (request: Request, options?: HandlerOptions) => Response | Promise<Response>

/**
 * What can be guarded: `createMcpHandler(…)` of `@modelcontextprotocol/server`, or a function, such as
 * `(request, options) => transport.handleRequest(request, options)` with a web-standard transport of either SDK line.
 */
export type McpHandler = HandleRequest | { readonly fetch: HandleRequest }

/** {@link GuardOptions}, and what is particular to MCP. */
export interface McpGuardOptions extends GuardOptions, OperationScopes {
  /**
   * Tools and prompts by name, resources by URI, or `prefix_*`, that anonymous callers may use; with it they may also
   * connect and list. Absent credentials are anonymous there; bad ones are refused as everywhere. Default: none.
   */
  readonly public?: readonly string[]
}

/** A guarded handler: drops in wherever the handler did. */
export interface GuardedHandler {
  readonly fetch: (request: Request, options?: { readonly parsedBody?: unknown }) => Promise<Response>
  /** For `ready()`, `purge()` and the metadata. */
  readonly guard: Guard
  close(): Promise<void>
}

/**
 * Wraps an MCP handler: `sharkGuard(createMcpHandler(buildServer), audience, options?)`. The handler sees only requests
 * that may pass, with the caller as its `authInfo`; the resource's metadata is served; sessions belong to whoever opened
 * them; streams end with their token.
 *
 * On Node put the Express or Fastify guard in front instead where two `Authorization` fields in one request must be told
 * apart from one: `toNodeHandler` hands over what Node has merged.
 * @throws ConfigurationError
 */
export function sharkGuard(
  handler: McpHandler,
  audience: string | readonly string[],
  options: McpGuardOptions = {},
): GuardedHandler {
  const handle: HandleRequest = typeof handler === 'function' ? handler : (...args) => handler.fetch(...args)
  const { tools, resources, prompts, impliesScope, public: open = [], ...guardOptions } = options
  if (!Array.isArray(open) || !open.every((name) => typeof name === 'string')) {
    throw new ConfigurationError('public', 'expected a list of names')
  }
  const guard = createGuard(audience, guardOptions)
  const scopes = { tools, resources, prompts, impliesScope } as OperationScopes
  const checkScopes = operationScopes(guard, scopes)
  const readsBody = tools !== undefined || resources !== undefined || prompts !== undefined
  const sessions = sessionOwners()

  async function admit(request: Request, given: HandlerOptions, auth: AuthInfo): Promise<Response> {
    if (!readsBody || request.method !== 'POST') return run(request, { ...given, authInfo: auth }, auth)
    const read = await parse(request, given)
    if (!read.ok) return read.answer
    const refused = checkScopes(auth, read.body)
    if (refused !== undefined) return respond(refused)
    return run(read.request, { parsedBody: read.body, authInfo: auth }, auth)
  }

  /** Somebody without credentials: may do what is public, where anything is. */
  async function admitAnonymous(
    request: Request,
    given: HandlerOptions,
    challenge: Answer,
  ): Promise<Response> {
    if (open.length === 0 || request.method !== 'POST') return respond(challenge)
    const read = await parse(request, given)
    if (!read.ok) return read.answer
    const isPublic = (names: readonly string[]) =>
      names.every((name) => open.some((p) => matchesName(p, name)))
    if (!operationsOf(read.body).every(({ names }) => isPublic(names))) return respond(challenge)
    return run(read.request, { parsedBody: read.body }, undefined)
  }

  async function run(request: Request, given: HandlerOptions, auth: AuthInfo | undefined): Promise<Response> {
    const sessionId = request.headers.get('mcp-session-id')
    // What the SDK's transports answer to a session they do not know: clients then open a new one.
    if (sessionId !== null && !sessions.isOwner(sessionId, auth))
      return rpcError(404, -32001, 'Session not found')
    const response = await handle(request, given)
    const opened = response.headers.get('mcp-session-id')
    if (opened !== null && opened !== sessionId) sessions.opened(opened, auth)
    if (sessionId !== null && request.method === 'DELETE' && response.ok) sessions.closed(sessionId)
    return response
  }

  return {
    guard,
    close: () => guard.close(),
    async fetch(request, given = {}) {
      const passage = await guard.gate(describe(request))
      if (passage.kind === 'pass') return handle(request, given)
      if (passage.kind === 'allow') {
        return guardResponse(await admit(request, given, passage.auth), passage.headers, guard, passage.auth)
      }
      return isAnonymous(passage) ? admitAnonymous(request, given, passage.answer) : respond(passage.answer)
    },
  }
}

function isAnonymous({ answer }: Extract<Passage, { kind: 'answer' }>): boolean {
  return 'reason' in answer && answer.reason === 'credentials_missing'
}

async function parse(request: Request, given: HandlerOptions) {
  if (given.parsedBody !== undefined) return { ok: true, body: given.parsedBody, request } as const
  return readBody(request)
}

/** The request as it came. Its URL was put together from `Host`, which says nothing: what is left is the target. */
function describe({ method, url, headers }: Request) {
  return { method, url: url.replace(/^[^:/?#]+:\/\/[^/?#]*/, '') || '/', headers }
}

function respond({ status, headers, body }: Answer): Response {
  return new Response(body === '' ? null : body, { status, headers: { ...headers } })
}

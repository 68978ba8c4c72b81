import {
  type Answer,
  type AuthInfo,
  ConfigurationError,
  createGuard,
  endWithToken,
  type Guard,
  type GuardOptions,
} from '@sharkguard/core'
import { readBody } from './body.ts'
import { type OperationScopes, operationScopes } from './operation-scopes.ts'
import { publicOperations } from './public-operations.ts'
import { type HandleRequest, type HandlerOptions, withOwnedSessions } from './sessions.ts'
import { headerMismatch } from './standard-headers.ts'
import { withHeaders } from './stream.ts'

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
  const { tools, resources, prompts, public: patterns = [], ...guardOptions } = options
  const handle = withOwnedSessions(handleOf(handler))
  const guard = createGuard(audience, guardOptions)
  const open = publicOperations(patterns)
  const requireScopes = operationScopes(guard, options)
  const hasTables = [tools, resources, prompts].some((table) => table !== undefined)

  /** Lets the handler run unless the body has something in it that speaks against it. */
  async function handleUnless(
    objection: (body: unknown) => Answer | undefined,
    request: Request,
    given: HandlerOptions,
  ): Promise<Response> {
    const read = await readBody(request, given.parsedBody)
    if (!read.ok) return read.answer
    const { body } = read
    const mismatch = headerMismatch(request.headers, body)
    if (mismatch !== undefined) return mismatch
    const refused = objection(body)
    if (refused !== undefined) return respond(refused)
    return handle(read.request, body === undefined ? given : { ...given, parsedBody: body })
  }

  async function admit(request: Request, given: HandlerOptions, auth: AuthInfo): Promise<Response> {
    const options = { ...given, authInfo: auth }
    const needsMore = (body: unknown) => requireScopes(auth, body, open.isPublic)
    return hasTables ? handleUnless(needsMore, request, options) : handle(request, options)
  }

  /** Somebody without credentials: may do what is public, where anything is. */
  async function admitAnybody(request: Request, given: HandlerOptions, challenge: Answer): Promise<Response> {
    const needsCredentials = (body: unknown) => (open.isOpen(body) ? undefined : challenge)
    return open.isEmpty ? respond(challenge) : handleUnless(needsCredentials, request, given)
  }

  return {
    guard,
    close: () => guard.close(),
    async fetch(request, { parsedBody } = {}) {
      const given = parsedBody === undefined ? {} : { parsedBody }
      const passage = await guard.gate(describe(request))
      if (passage.kind === 'pass') return handle(request, given)
      if (passage.kind === 'allow') {
        const response = await admit(request, given, passage.auth)
        return endWithToken(withHeaders(response, passage.headers), guard, passage.auth)
      }
      const { answer } = passage
      return isAnonymous(request, answer) ? admitAnybody(request, given, answer) : respond(answer)
    },
  }
}

function handleOf(handler: McpHandler): HandleRequest {
  if (typeof handler === 'function') return handler
  if (typeof handler?.fetch === 'function') return (...args) => handler.fetch(...args)
  throw new ConfigurationError(
    'handler',
    'expected createMcpHandler(…), or a function from Request to Response',
  )
}

/** Absent credentials, not such as the guard does not know. */
function isAnonymous({ headers }: Request, answer: Answer): boolean {
  const isMissing = 'reason' in answer && answer.reason === 'credentials_missing'
  return isMissing && !headers.has('authorization') && !headers.has('dpop')
}

/** The request as it came. Its URL was put together from `Host`, which says nothing: what is left is the target. */
function describe({ method, url, headers }: Request) {
  return { method, url: url.replace(/^[^:/?#]+:\/\/[^/?#]*/, '') || '/', headers }
}

function respond({ status, headers, body }: Answer): Response {
  return new Response(body === '' ? null : body, { status, headers: { ...headers } })
}

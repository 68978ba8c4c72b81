import { isStrings, requireNoDowngrade } from './authorization-server.ts'
import { parseChallenges } from './challenge.ts'
import { AgentError, isRecord, quoted } from './errors.ts'
import type { Fetch } from './fetch.ts'
import { exchangeJson } from './json-exchange.ts'

/** What a resource says about itself before it lets anybody in. */
export interface ProtectedResource {
  /** The scopes its 401 asks for; undefined when it names none. */
  readonly challengedScope: string | undefined
  /** RFC 9728 metadata; undefined when it publishes none. */
  readonly metadata: ProtectedResourceMetadata | undefined
}

export interface ProtectedResourceMetadata {
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly dpop_signing_alg_values_supported?: readonly string[]
}

/**
 * Asks a resource for its RFC 9728 metadata: where the `resource_metadata` of its 401 points, else at the well-known
 * URI with the path inserted, else at the root. Throws {@link AgentError} when it does not answer, or when the metadata
 * is about another resource (§3.3). `onAnswer` sees the headers of the first answer, which may carry a nonce.
 */
export async function discoverProtectedResource(
  fetchFn: Fetch,
  resource: string,
  onAnswer: (headers: Headers) => void,
): Promise<ProtectedResource> {
  const { origin, pathname, search } = new URL(resource)
  const wellKnown = `${origin}/.well-known/oauth-protected-resource`
  const challenges = await probe(fetchFn, resource, onAnswer)
  const hinted = findParam(challenges, 'resource_metadata')
  if (hinted !== undefined) requireNoDowngrade(resource, hinted, `resource_metadata of ${resource}`)

  const candidates = [hinted, `${wellKnown}${pathname === '/' ? '' : pathname}${search}`, wellKnown]
  const challengedScope = findParam(challenges, 'scope')
  for (const candidate of new Set(candidates)) {
    if (candidate === undefined) continue
    const headers = { accept: 'application/json' }
    // A hint that leads nowhere (a proxy's internal name, say) must not hide the well-known places.
    const answer = await exchangeJson(fetchFn, candidate, { headers }, 10).catch(() => undefined)
    if (answer?.status === 200 && isRecord(answer.body)) {
      return { challengedScope, metadata: parseMetadata(answer.body, resource) }
    }
  }
  return { challengedScope, metadata: undefined }
}

/** An MCP endpoint answers a GET without credentials with 401; its stream, should it open one, is not read. */
async function probe(fetchFn: Fetch, resource: string, onAnswer: (headers: Headers) => void) {
  try {
    const response = await fetchFn(resource, {
      headers: { accept: 'application/json, text/event-stream' },
      redirect: 'manual',
      signal: AbortSignal.timeout(5_000),
    })
    await response.body?.cancel().catch(() => undefined)
    onAnswer(response.headers)
    return response.status === 401 ? parseChallenges(response.headers.get('www-authenticate')) : []
  } catch (cause) {
    // An open server may keep a GET waiting for its first event.
    if (cause instanceof DOMException && cause.name === 'TimeoutError') return []
    const message = `${resource} did not answer; check that it is running and reachable`
    throw new AgentError('network', message, { cause })
  }
}

function findParam(challenges: ReturnType<typeof parseChallenges>, name: string): string | undefined {
  return challenges.find(({ params }) => params.has(name))?.params.get(name)
}

function parseMetadata(document: Record<string, unknown>, resource: string): ProtectedResourceMetadata {
  if (document.resource !== resource) {
    const message = `the metadata found for ${resource} is about another resource, ${quoted(document.resource)}`
    throw new AgentError('discovery', `${message}; use its identifier exactly as published`)
  }
  const { authorization_servers: servers, scopes_supported, dpop_signing_alg_values_supported } = document
  return {
    authorization_servers: isStrings(servers) ? servers : [],
    ...(isStrings(scopes_supported) && { scopes_supported }),
    ...(isStrings(dpop_signing_alg_values_supported) && { dpop_signing_alg_values_supported }),
  }
}

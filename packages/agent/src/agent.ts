import { AccessGrant } from './access-grant.ts'
import { createAgentFetch } from './agent-fetch.ts'
import { discoverAuthorizationServer, requireNoDowngrade } from './authorization-server.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { type Clock, createClock } from './clock.ts'
import type { ClientMetadata } from './dcr-client.ts'
import type { Caller } from './dpop-fetch.ts'
import { DPoPNonces } from './dpop-nonces.ts'
import type { DPoPProver } from './dpop-prover.ts'
import { Enrolment } from './enrolment.ts'
import { AgentError } from './errors.ts'
import { type Fetch, globalFetch } from './fetch.ts'
import { inTurn } from './in-turn.ts'
import { requireKnown, wireMembers } from './known-options.ts'
import { discoverProtectedResource, type ProtectedResourceMetadata } from './protected-resource.ts'
import { parseHttpUrl } from './request-target.ts'
import { parseScopes, type Scopes } from './scope.ts'
import type { Token } from './token.ts'

/** Options of {@link Agent.start}. Only `resource` is needed. */
export interface AgentOptions {
  /** The resource's identifier: the URL of the MCP server or API, exactly as its metadata spells it. */
  readonly resource: string | URL
  /** Default: the first authorization server the resource names. One the resource does not name is refused. */
  readonly issuer?: string
  /** Default: what the resource's 401 asks for, else its `scopes_supported`. */
  readonly scopes?: Scopes
  /** Default: the key in `credentialsFile`, else a new one. */
  readonly prover?: DPoPProver
  /** A client that exists; give `issuer` too, or the resource says who receives the secret. Default: registration. */
  readonly credentials?: ClientAuthentication & { readonly clientSecret: string }
  /** Where key and registration are kept, by issuer, mode 0600. Default: nowhere; each start registers anew. */
  readonly credentialsFile?: string
  /** The name to register under. Default: `'sharkGuard agent'`. */
  readonly clientName?: string
  /** Further registration metadata (RFC 7591 §2). */
  readonly registration?: ClientMetadata
  readonly fetch?: Fetch
  /** Seconds since the epoch. */
  readonly clock?: Clock
}

const OPTIONS: Record<keyof AgentOptions, true> = {
  resource: true,
  issuer: true,
  scopes: true,
  prover: true,
  credentials: true,
  credentialsFile: true,
  clientName: true,
  registration: true,
  fetch: true,
  clock: true,
}

/**
 * A caller of one protected resource: finds its issuer, registers, gets tokens bound to its key, and renews them when
 * they are used. No timers, no background requests.
 */
export class Agent {
  readonly resource: string
  readonly issuer: string
  /** The agent's key: for proofs beyond `fetch`. */
  readonly prover: DPoPProver
  /**
   * fetch, with a token and a fresh proof on every request to the resource's origin; `Authorization` and `DPoP` there are
   * the agent's. Requests to other origins are passed on untouched. Nonce, token and scope challenges are answered, a
   * few times; what remains is resolved as it came, and a failing network rejects as fetch does. Bound: hand it on freely.
   */
  readonly fetch: Fetch
  readonly #enrolment: Enrolment
  readonly #grant: AccessGrant

  private constructor(
    resource: string,
    issuer: string,
    enrolment: Enrolment,
    grant: AccessGrant,
    wire: Pick<Caller, 'fetch' | 'nonces' | 'clock'>,
  ) {
    this.resource = resource
    this.issuer = issuer
    this.prover = enrolment.prover
    this.#enrolment = enrolment
    this.#grant = grant
    this.fetch = createAgentFetch(new URL(resource).origin, this.prover, grant, wire)
  }

  /**
   * Resolves when the agent holds its first token. Throws {@link AgentError} when resource or issuer cannot be used, and
   * {@link OAuthError} when the issuer refuses.
   */
  static async start(options: AgentOptions): Promise<Agent> {
    requireKnown('Agent.start', options, OPTIONS)
    const { credentialsFile, prover, credentials } = options
    if (credentialsFile !== undefined && typeof credentialsFile !== 'string') {
      throw new AgentError('configuration', 'credentialsFile must be a path')
    }
    const registration = wireMembers('registration', options.registration ?? {})
    const fetchFn = options.fetch ?? globalFetch
    const clock = createClock(options.clock)
    const nonces = new DPoPNonces()
    const resource = parseResource(options.resource)
    const remember = (headers: Headers) => void nonces.remember(resource, headers)
    const { challengedScope, metadata: described } = await discoverProtectedResource(
      fetchFn,
      resource,
      remember,
    )
    const issuer = chooseIssuer(resource, options.issuer, described)
    const metadata = await discoverAuthorizationServer(fetchFn, issuer)
    const scopes = parseScopes(options.scopes ?? challengedScope ?? described?.scopes_supported)

    const begin = async (): Promise<Agent> => {
      const enrolment = await Enrolment.open({
        resource,
        metadata,
        prover,
        proofAlgorithms: [
          described?.dpop_signing_alg_values_supported,
          metadata.dpop_signing_alg_values_supported,
        ],
        credentials,
        credentialsFile,
        registration: { client_name: options.clientName ?? 'sharkGuard agent', ...registration },
        scopes: [...new Set([...scopes, ...(described?.scopes_supported ?? [])])],
        fetch: fetchFn,
        clock,
      })
      const grant = new AccessGrant((wanted) => enrolment.requestToken(wanted), scopes, clock)
      await grant.current().catch(async (error) => {
        if (!(await enrolment.recover(error))) throw error
        await grant.current()
      })
      return new Agent(resource, issuer, enrolment, grant, { fetch: fetchFn, nonces, clock })
    }
    // Agents that start together with one file register once.
    return credentialsFile === undefined ? begin() : inTurn(`start ${credentialsFile}`, begin)
  }

  get clientId(): string {
    return this.#enrolment.clientId
  }

  /** Thumbprint of the agent's key. */
  get jkt(): string {
    return this.prover.jkt
  }

  /** The token in use, renewed first when it is about to end. */
  token(): Promise<Token> {
    return this.#grant.current()
  }

  /** Forgets the token; `token` and `fetch` throw from now on. The registration stays. */
  close(): void {
    this.#grant.close()
  }
}

/** RFC 8707 §2: absolute, without fragment. Kept as it was given: it is compared octet by octet. */
function parseResource(resource: string | URL): string {
  const { hash } = parseHttpUrl(resource, 'resource')
  if (hash === '' && !String(resource).includes('#')) return String(resource)
  throw new AgentError('configuration', 'resource must be a URL without fragment')
}

function chooseIssuer(
  resource: string,
  wanted: string | undefined,
  metadata: ProtectedResourceMetadata | undefined,
): string {
  const named = metadata?.authorization_servers ?? []
  if (wanted !== undefined) {
    if (named.length === 0 || named.includes(wanted)) return wanted
    throw new AgentError(
      'discovery',
      `${resource} does not accept tokens of ${wanted}; it names ${named.join(', ')}`,
    )
  }
  const [first] = named
  if (first === undefined) {
    throw new AgentError('discovery', `${resource} names no authorization server (RFC 9728); pass issuer`)
  }
  requireNoDowngrade(resource, first, `the authorization server of ${resource}`)
  return first
}

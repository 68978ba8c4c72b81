import type { JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import { createAccessTokenVerifier } from './access-token.ts'
import type { Actor } from './actors.ts'
import { SIGNATURE_ALGORITHMS } from './algorithms.ts'
import { IssuerKeys } from './keys.ts'
import { parseHttpUrl, resolveClock, resolveSeconds } from './options.ts'
import { ConfigurationError, REFUSALS, type Reason, Refusal } from './refusal.ts'

/** Which issuer and audience a token must be of. Durations in seconds; all checked when called ({@link ConfigurationError}). */
export interface DecodeAgentTokenOptions {
  /** Where the issuer's keys are. */
  readonly jwksUrl: string
  /** Compared exactly with `iss`. */
  readonly expectedIssuer: string
  /** Compared exactly with each `aud`. */
  readonly expectedAudience: string
  /** Seconds that `iat` and `nbf` may lie ahead. Default 10. `exp` is exact. */
  readonly leeway?: number
  /** For tests and special networks. */
  readonly fetch?: typeof fetch
  /** Seconds since the epoch. */
  readonly clock?: () => number
}

/** What an agent's token says, verified: the SharkAuth SDK's `AgentTokenClaims`. */
export interface AgentTokenClaims {
  readonly sub: string
  readonly iss: string
  readonly aud: string | readonly string[]
  /** Seconds. */
  readonly exp: number
  /** Seconds. */
  readonly iat: number
  /** Space-delimited, as in the token; empty when it has none. */
  readonly scope: string
  readonly clientId: string
  readonly agentId: string | undefined
  readonly act: unknown
  readonly cnf: { readonly jkt: string } | undefined
  /** The key the token is bound to. Nothing here has checked a proof of it. */
  readonly jkt: string | undefined
  /** All claims, frozen. */
  readonly raw: Readonly<JWTPayload>
  /** Outermost first; empty when nobody acts for the subject. */
  delegationChain(): readonly Actor[]
  isDelegated(): boolean
  hasScope(scope: string): boolean
}

/** Why {@link decodeAgentToken} refused a token. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly reason: Reason

  constructor(refusal: Refusal) {
    super(REFUSALS[refusal.reason].description)
    this.reason = refusal.reason
  }
}

type Verifier = ReturnType<typeof createAccessTokenVerifier>

/** Callers pass the same few settings again and again; their keys are fetched once. */
const verifiers = new LRUCache<string, Verifier>({ max: 64 })

/**
 * Verifies an access token alone: signature by the issuer's keys, `iss`, `aud`, time, and that it is an access token at
 * all. Does **not** check a proof, replay or revocation: a stolen token passes here. A guard does all of it.
 * @throws TokenError for a bad token, Unavailable when the keys cannot be had, ConfigurationError for wrong options
 */
export async function decodeAgentToken(
  token: string,
  options: DecodeAgentTokenOptions,
): Promise<AgentTokenClaims> {
  const clock = resolveClock(options.clock)
  try {
    if (typeof token !== 'string') throw new Refusal('token_malformed', 'no string')
    const verified = await verifierFor(options, clock).verify(token, Math.floor(clock()))
    const { claims, scopes, jkt, actors } = verified
    return {
      sub: verified.subject,
      iss: verified.issuer,
      aud: claims.aud as string | string[],
      exp: verified.expiresAt,
      iat: verified.issuedAt,
      scope: scopes.join(' '),
      clientId: verified.clientId,
      agentId: typeof claims.agent_id === 'string' ? claims.agent_id : undefined,
      act: claims.act,
      cnf: jkt === undefined ? undefined : { jkt },
      jkt,
      raw: claims,
      delegationChain: () => actors,
      isDelegated: () => actors.length > 0,
      hasScope: (scope) => scopes.includes(scope),
    }
  } catch (error) {
    throw error instanceof Refusal ? new TokenError(error) : error
  }
}

function verifierFor(options: DecodeAgentTokenOptions, clock: () => number): Verifier {
  const { jwksUrl, expectedIssuer, expectedAudience } = options
  const leeway = resolveSeconds('leeway', options.leeway ?? 10, 0)
  for (const [option, value] of Object.entries({ expectedIssuer, expectedAudience })) {
    if (typeof value !== 'string' || value === '') throw new ConfigurationError(option, 'expected a string')
  }
  if (parseHttpUrl(jwksUrl) === undefined) throw new ConfigurationError('jwksUrl', 'expected an http(s) URL')
  const injected = options.fetch !== undefined || options.clock !== undefined
  const id = JSON.stringify([jwksUrl, expectedIssuer, expectedAudience, leeway])
  const known = injected ? undefined : verifiers.get(id)
  if (known !== undefined) return known
  const keys = new IssuerKeys({
    issuer: expectedIssuer,
    jwksUri: jwksUrl,
    fetch: options.fetch ?? ((...args) => fetch(...args)),
    clock,
  })
  const issuer = {
    issuer: expectedIssuer,
    algorithms: SIGNATURE_ALGORITHMS,
    profile: 'default',
    keys,
  } as const
  const verifier = createAccessTokenVerifier([issuer], {
    audiences: [expectedAudience],
    clockTolerance: leeway,
  })
  if (!injected) verifiers.set(id, verifier)
  return verifier
}

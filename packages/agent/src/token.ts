import { decodeJwt } from 'jose'
import { AgentError, isRecord } from './errors.ts'

/** An access token as the issuer granted it. */
export interface Token {
  readonly accessToken: string
  /** How to present it: `'DPoP'` for a bound token, also where the issuer calls it a bearer token (SharkAuth does). */
  readonly tokenType: string
  /** Lifetime in seconds; undefined when the issuer does not say. */
  readonly expiresIn: number | undefined
  /** Seconds since the epoch by the caller's clock, counted from before the request: never too late. */
  readonly expiresAt: number | undefined
  /** Separated by spaces. What was asked for, when the issuer does not say. */
  readonly scope: string
  readonly refreshToken?: string
  /** Thumbprint of the key the token is bound to, from the answer or from the token itself, unverified. */
  readonly cnfJkt?: string
  /** The whole answer. */
  readonly raw: Readonly<Record<string, unknown>>
}

/**
 * Reads a token answer (RFC 6749 §5.1, RFC 9449 §5). With a `jkt` the token must be bound to that key: an answer that
 * ignores the proof, or binds to another key, throws {@link AgentError}. Does not verify the token: that is the
 * resource server's task.
 */
export function parseToken(
  body: unknown,
  request: { jkt: string | undefined; scope: string; sentAt: number },
): Token {
  const raw = isRecord(body) ? body : {}
  const { access_token: accessToken, token_type: type, refresh_token: refreshToken } = raw
  if (typeof accessToken !== 'string' || !/^[\x21-\x2b\x2d-\x7e]+$/.test(accessToken)) {
    throw new AgentError('protocol', 'the token endpoint answered without a usable access_token')
  }
  if (typeof type !== 'string' || type === '') {
    throw new AgentError('protocol', 'the token endpoint answered without a token_type')
  }
  const expiresIn = parseSeconds(raw.expires_in)
  const cnfJkt = jktOf(raw) ?? jktOf(claimsOf(accessToken))
  if (request.jkt !== undefined) requireBinding(request.jkt, cnfJkt, type)
  return {
    accessToken,
    tokenType: request.jkt !== undefined || /^dpop$/i.test(type) ? 'DPoP' : type,
    expiresIn,
    expiresAt: expiresIn === undefined ? undefined : request.sentAt + expiresIn,
    scope: typeof raw.scope === 'string' ? raw.scope : request.scope,
    ...(typeof refreshToken === 'string' && { refreshToken }),
    ...(cnfJkt !== undefined && { cnfJkt }),
    raw,
  }
}

/** `token_type` alone is no evidence either way: only for opaque tokens is it all there is. */
function requireBinding(jkt: string, cnfJkt: string | undefined, tokenType: string): void {
  if (cnfJkt !== undefined && cnfJkt !== jkt) {
    throw new AgentError('protocol', 'the issuer bound the token to another key than the one that was proven')
  }
  if (cnfJkt === undefined && !/^dpop$/i.test(tokenType)) {
    throw new AgentError('protocol', 'the issuer ignored the DPoP proof: its token is not bound to the key')
  }
}

function parseSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined
}

function claimsOf(accessToken: string): Record<string, unknown> {
  try {
    return decodeJwt(accessToken)
  } catch {
    return {}
  }
}

function jktOf(claims: Record<string, unknown>): string | undefined {
  const cnf = claims.cnf
  const jkt = isRecord(cnf) ? cnf.jkt : undefined
  return typeof jkt === 'string' ? jkt : undefined
}

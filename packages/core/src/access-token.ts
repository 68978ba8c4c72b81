import type { JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import { decodeBase64url, sha256, verifySignature } from '#runtime'
import { type Actor, parseActors } from './actors.ts'
import type { SignatureAlgorithm } from './algorithms.ts'
import { parseConfirmation } from './confirmation.ts'
import { isNumericDate } from './dpop/proof.ts'
import { deepFreeze, type JsonObject } from './json.ts'
import { type CompactJws, decodePart, hasUnsupportedExtension, parseCompactJws } from './jws.ts'
import type { IssuerKey, IssuerKeys } from './keys.ts'
import { clientIdOf, type Profile, requireAccessTokenKind } from './profile.ts'
import { Refusal } from './refusal.ts'
import { parseScopes } from './scopes.ts'

const MAX_TOKEN_LENGTH = 16_384
/** 2 KB each with the text and the claims of a usual token: about 100 MB. */
const MAX_CACHED_TOKENS = 50_000
/** Characters of all their texts. Claims take up to ten times as much, and 50,000 of the longest tokens would be gigabytes. */
const MAX_CACHED_LENGTH = MAX_CACHED_TOKENS * 1024

/** What a verified access token says. Remembered while its text comes again; nothing here is a verdict. */
export interface AccessToken {
  /** `iss`, equal to a configured issuer. */
  readonly issuer: string
  readonly subject: string
  /** `client_id`, else `azp`, `cid` or `appid`, else the subject. */
  readonly clientId: string
  readonly audience: readonly string[]
  /** `iat`, seconds. */
  readonly issuedAt: number
  /** `exp`, seconds. */
  readonly expiresAt: number
  /** `nbf`, seconds; 0 when absent. */
  readonly notBefore: number
  /** `jti`. */
  readonly id: string | undefined
  /** `gid`, the grant the token comes from: our issuer's private claim, kept through refresh and exchange. */
  readonly grant: string | undefined
  readonly scopes: readonly string[]
  /** `cnf.jkt`: thumbprint of the key that the token is bound to (RFC 9449 §6.1); absent for a bearer token. */
  readonly jkt: string | undefined
  /** `act`, outermost first; empty when nobody acts for the subject. */
  readonly actors: readonly Actor[]
  /** `kid` of the issuer's key that signed it. */
  readonly keyId: string | undefined
  /** base64url SHA-256 of the token's text: `ath` (RFC 9449 §4.1). */
  readonly hash: string
  /** Deeply frozen. */
  readonly claims: Readonly<JWTPayload>
}

export type { Actor }

/** An issuer that is trusted, with everything that is particular to it. */
export interface TrustedIssuer {
  readonly issuer: string
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly profile: Profile
  readonly keys: IssuerKeys
}

export interface AccessTokenPolicy {
  /** Accepted values of `aud`, compared exactly. */
  readonly audiences: readonly string[]
  readonly clockTolerance: number
}

/** A token whose signature has been verified, by this key of these. */
interface VerifiedToken {
  readonly text: string
  readonly token: AccessToken
  readonly key: IssuerKey
  readonly keys: IssuerKeys
}

/**
 * Verifies JWT access tokens (RFC 9068 §4, RFC 8725). The work on the signature is remembered; time and the issuer's key set
 * are looked at on each request.
 */
export function createAccessTokenVerifier(issuers: readonly TrustedIssuer[], policy: AccessTokenPolicy) {
  const trusted = new Map(issuers.map((issuer) => [issuer.issuer, issuer]))
  // Found by its end, and then compared as a whole: cheaper than hashing all of it.
  const verified = new LRUCache<string, VerifiedToken>({
    max: MAX_CACHED_TOKENS,
    maxSize: MAX_CACHED_LENGTH,
    sizeCalculation: ({ text }) => text.length,
  })

  /** At once where the token is known, or is none at all: nobody waits for garbage. */
  function verify(text: string, now: number): AccessToken | Promise<AccessToken> {
    const known = verified.get(endOf(text))
    if (known?.text === text && known.keys.holds(known.key)) {
      requireTime(known.token, now)
      return known.token
    }
    const jws = parseCompactJws(text, MAX_TOKEN_LENGTH)
    if (jws === undefined) throw new Refusal('token_malformed')
    return verifyUnknown(text, jws, now)
  }

  async function verifyUnknown(text: string, jws: CompactJws, now: number): Promise<AccessToken> {
    const header = decodePart(jws.header)
    const claims = decodePart(jws.payload)
    if (header === undefined || claims === undefined || hasUnsupportedExtension(header)) {
      throw new Refusal('token_malformed')
    }
    // The token names its issuer, but only configured issuers have keys: no lookup follows an unknown name.
    const issuer = typeof claims.iss === 'string' ? trusted.get(claims.iss) : undefined
    if (issuer === undefined) throw new Refusal('token_issuer_unknown')
    const algorithm = issuer.algorithms.find((supported) => supported === header.alg)
    if (algorithm === undefined) throw new Refusal('token_algorithm_unsupported')
    requireAccessTokenKind(header, claims, issuer.profile)
    const claimed = parseClaims(claims, header.kid, await sha256(text))
    requireAudience(claimed, policy.audiences)
    requireTime(claimed, now)
    const key = await verifyTokenSignature(jws, issuer.keys, claimed.keyId, algorithm)
    // A token need not name its key. What withdraws the key has to find it all the same.
    const token = { ...claimed, keyId: key.id }
    verified.set(endOf(text), { text, token, key, keys: issuer.keys })
    return token
  }

  function requireTime(token: AccessToken, now: number): void {
    if (now >= token.expiresAt) throw new Refusal('token_expired', `exp ${token.expiresAt}, now ${now}`)
    const latest = now + policy.clockTolerance
    if (token.notBefore > latest || token.issuedAt > latest) throw new Refusal('token_not_yet_valid')
  }

  return { verify, purge: () => verified.clear() }
}

/** Half of the shortest signature: no two tokens that are verified share it by chance, and nobody can choose it. */
const endOf = (text: string) => text.slice(-43)

/** Reads the claims that everything after relies on; each of the right type, or the token is refused. */
function parseClaims(claims: JsonObject, kid: unknown, hash: string): AccessToken {
  const { iss, sub, aud, exp, iat, nbf, jti, gid, azp } = claims
  const client = clientIdOf(claims)
  const audience = typeof aud === 'string' ? [aud] : aud
  if (!Array.isArray(audience) || audience.length === 0 || !audience.every(isNonEmpty)) {
    throw new Refusal('token_claims_invalid', 'aud')
  }
  if (!isNonEmpty(sub)) throw new Refusal('token_claims_invalid', 'sub')
  if (!isNumericDate(exp) || !isNumericDate(iat)) throw new Refusal('token_claims_invalid', 'exp, iat')
  if (nbf !== undefined && !isNumericDate(nbf)) throw new Refusal('token_claims_invalid', 'nbf')
  for (const name of [jti, gid, client, azp, kid]) {
    if (name !== undefined && !isNonEmpty(name))
      throw new Refusal('token_claims_invalid', 'jti, gid, client_id, azp or kid')
  }
  const token: AccessToken = {
    issuer: iss as string,
    subject: sub,
    clientId: (client ?? sub) as string,
    audience,
    issuedAt: iat,
    expiresAt: exp,
    notBefore: nbf ?? 0,
    id: jti as string | undefined,
    grant: gid as string | undefined,
    scopes: parseScopes(claims),
    jkt: parseConfirmation(claims.cnf),
    actors: parseActors(claims.act),
    keyId: kid as string | undefined,
    hash,
    claims,
  }
  if (!deepFreeze(claims)) throw new Refusal('token_claims_invalid', 'nested too deeply')
  return token
}

/** Exact comparison (RFC 8707 §2, RFC 7519 §4.1.3): no prefix, no trailing slash, no case folding. */
function requireAudience(token: AccessToken, accepted: readonly string[]): void {
  if (token.audience.some((audience) => accepted.includes(audience))) return
  throw new Refusal('audience_mismatch', `aud ${token.audience.join(' ')}, expected ${accepted.join(' ')}`)
}

async function verifyTokenSignature(
  jws: CompactJws,
  keys: IssuerKeys,
  kid: string | undefined,
  algorithm: SignatureAlgorithm,
): Promise<IssuerKey> {
  const candidates = await keys.find(kid, algorithm)
  if (candidates.length === 0) throw new Refusal('token_key_unknown')
  const signature = decodeBase64url(jws.signature)
  for (const key of candidates) {
    const imported = await importable(key, algorithm)
    if (imported && (await verifySignature(algorithm, imported, jws.signed, signature))) return key
  }
  throw new Refusal('token_signature_invalid')
}

/** A key that the runtime cannot use is as good as not published. */
async function importable(key: IssuerKey, algorithm: SignatureAlgorithm) {
  try {
    return await key.import(algorithm)
  } catch {
    return undefined
  }
}

function isNonEmpty(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** Verifies any JWT of one issuer by its keys and algorithms: for revocation lists and status lists. */
export async function verifyIssuerJwt(
  text: string,
  type: string,
  issuer: TrustedIssuer,
  maxLength: number,
): Promise<JWTPayload> {
  const jws = parseCompactJws(text, maxLength)
  const header = jws && decodePart(jws.header)
  if (jws === undefined || header === undefined || hasUnsupportedExtension(header))
    throw new Refusal('token_malformed')
  if (header.typ !== type) throw new Refusal('token_type_unsupported', `typ is not ${type}`)
  const algorithm = issuer.algorithms.find((supported) => supported === header.alg)
  if (algorithm === undefined) throw new Refusal('token_algorithm_unsupported')
  if (header.kid !== undefined && typeof header.kid !== 'string') throw new Refusal('token_malformed')
  await verifyTokenSignature(jws, issuer.keys, header.kid, algorithm)
  const claims = decodePart(jws.payload)
  if (claims === undefined) throw new Refusal('token_malformed')
  return claims as JWTPayload
}

import type { JsonObject } from './json.ts'
import { mediaType } from './jws.ts'
import { Refusal } from './refusal.ts'

/**
 * What an issuer's access tokens look like.
 * - `'rfc9068'`: `typ: at+jwt` and every claim that RFC 9068 §2.2 requires.
 * - `'sharkauth'`: `typ: JWT` with `client_id` and `jti`.
 * - `'default'`: either `typ`; `typ: JWT` also needs a claim that names the client: `client_id`, `azp`, `cid` (Okta) or
 *   `appid` (Entra). ID tokens have none of them.
 * - `'untyped'`: the same, and no `typ` at all counts as `JWT`: Okta, Cognito.
 */
export type Profile = 'default' | 'rfc9068' | 'sharkauth' | 'untyped'

export const PROFILES: readonly Profile[] = ['default', 'rfc9068', 'sharkauth', 'untyped']

/** What issuers call the client's identifier, the best known first (RFC 9068 §2.2, OpenID Connect Core §2, Okta, Entra). */
const CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid'] as const

/** Claims of ID tokens, logout and security event tokens, and user sessions: JWTs of the same issuer that grant nothing. */
const FOREIGN_CLAIMS = [
  'nonce',
  'at_hash',
  'c_hash',
  's_hash',
  'events',
  'session_id',
  'status_list',
] as const

/**
 * Keeps other kinds of JWT out (RFC 8725 §3.11, §3.12): an ID token, a session token or a logout token is signed by the
 * same keys. `iss aud exp iat sub` are required of every token elsewhere.
 */
export function requireAccessTokenKind(header: JsonObject, claims: JsonObject, profile: Profile): void {
  const type = header.typ === undefined && profile === 'untyped' ? 'jwt' : mediaType(header.typ)
  if (type === 'at+jwt' ? profile === 'sharkauth' : type !== 'jwt' || profile === 'rfc9068') {
    throw new Refusal('token_type_unsupported', `typ ${String(header.typ)}`)
  }
  const required = profile === 'rfc9068' || profile === 'sharkauth' ? ['client_id', 'jti'] : []
  for (const claim of required) if (!(claim in claims)) throw new Refusal('token_claims_invalid', claim)
  if (type === 'at+jwt') return
  if (clientIdOf(claims) === undefined) throw new Refusal('token_type_unsupported', 'no client_id')
  for (const claim of FOREIGN_CLAIMS) {
    if (Object.hasOwn(claims, claim)) throw new Refusal('token_type_unsupported', `has ${claim}`)
  }
  const { token_type: tokenType, token_use: tokenUse } = claims
  if (tokenType !== undefined && !/^(?:bearer|dpop)$/i.test(String(tokenType))) {
    throw new Refusal('token_type_unsupported', 'token_type')
  }
  if (tokenUse !== undefined && tokenUse !== 'access')
    throw new Refusal('token_type_unsupported', 'token_use')
}

/** Whom the token was issued to, where it says so. */
export function clientIdOf(claims: JsonObject): unknown {
  const name = CLIENT_CLAIMS.find((claim) => Object.hasOwn(claims, claim))
  return name === undefined ? undefined : claims[name]
}

import type { JWTPayload } from 'jose'

/** A party that acts for the subject, RFC 8693 §4.1. */
export interface Actor {
  readonly sub: string
  /** Thumbprint of the actor's key, from `act.cnf.jkt` or SharkAuth's `act.jkt`. */
  readonly jkt?: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** What a verified access token says. Remembered by its hash; nothing here is a verdict. */
export interface AccessToken {
  /** `iss`, equal to a configured issuer. */
  readonly issuer: string
  readonly subject: string
  /** `client_id`, else `azp`, else the subject. */
  readonly clientId: string
  readonly audience: readonly string[]
  /** `iat`, seconds. */
  readonly issuedAt: number
  /** `exp`, seconds. */
  readonly expiresAt: number
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
  /** base64url SHA-256 of the token's text: `ath`, and the key of the cache. */
  readonly hash: string
  /** Deeply frozen. */
  readonly claims: Readonly<JWTPayload>
}

import type { JWTPayload } from 'jose'
import type { AccessToken, Actor } from './access-token.ts'
import type { ImpliesScope } from './scopes.ts'

/**
 * Who calls, verified. Structurally the `AuthInfo` of the MCP SDK, v1 and v2, so that a guarded host hands it on as it is.
 * A fresh object per request; `claims` is shared and frozen.
 */
export interface AuthInfo {
  /** The access token. Not for passing on: it is for this resource alone (MCP forbids token passthrough). */
  token: string
  /** `client_id`, else `azp`, `cid` (Okta) or `appid` (Entra), else the subject. */
  clientId: string
  scopes: string[]
  /** `exp`, seconds since the epoch. */
  expiresAt: number
  /** The audience the token was accepted for; the canonical one, where that is no URI. */
  resource: URL
  /** Where this resource's metadata is (RFC 9728 §3.1). */
  resourceMetadataUrl: string
  issuer: string
  /** `sub`; unique only together with `issuer`. */
  subject: string
  /** The key the token is bound to and that signed this request's proof; absent for bearer tokens. */
  cnf?: { jkt: string }
  claims: Readonly<JWTPayload>
  /** Who acts for the subject, outermost first; empty when nobody does. Only the outermost may decide anything. */
  delegationChain: readonly Actor[]
  /** Whether this scope was granted, or is implied by one that was (`impliesScope`). */
  hasScope(scope: string): boolean
  /** The same for hosts that pass on nothing but the MCP SDK's own members. */
  extra: {
    subject: string
    issuer: string
    jkt: string | undefined
    delegationChain: readonly Actor[]
    claims: Readonly<JWTPayload>
    [member: string]: unknown
  }
}

export function createAuthInfo(
  text: string,
  token: AccessToken,
  settings: {
    readonly audience: string
    readonly resources: readonly string[]
    readonly resourceMetadataUrl: string
    readonly impliesScope: ImpliesScope
  },
): AuthInfo {
  const { clientId, expiresAt, issuer, subject, jkt, claims, actors } = token
  const resource =
    settings.resources.find((accepted) => token.audience.includes(accepted)) ?? settings.audience
  const auth: AuthInfo = {
    token: text,
    clientId,
    scopes: token.scopes.slice(),
    expiresAt,
    resource: new URL(resource),
    resourceMetadataUrl: settings.resourceMetadataUrl,
    issuer,
    subject,
    claims,
    delegationChain: actors,
    hasScope: (needed) => token.scopes.some((granted) => settings.impliesScope(granted, needed)),
    extra: { subject, issuer, jkt, delegationChain: actors, claims },
  }
  // Spread into the literal it would cost more than all the rest of it.
  if (jkt !== undefined) auth.cnf = { jkt }
  return auth
}

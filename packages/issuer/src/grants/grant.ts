import { invalidGrant } from '../errors.ts'
import type { Form } from '../http.ts'
import type { Parts } from '../parts.ts'
import { randomSecret, sha256 } from '../random.ts'
import type { Client, RefreshToken, Revocable } from '../records.ts'

/** A request to the token endpoint, from a client that has authenticated. */
export interface GrantRequest {
  readonly client: Client
  readonly form: Form
  /** The key that the request proves (RFC 9449); absent: no proof came. */
  readonly jkt: string | undefined
}

/** RFC 6749 §5.1, as JSON. `cnf` beside `token_type` is what SharkAuth's SDK looks for. */
export type TokenResponse = Readonly<Record<string, unknown>>

/** One way to get a token. @throws OAuthError */
export type Grant = (request: GrantRequest) => Promise<TokenResponse>

/** What a refresh token, or a token, of a grant may be for. */
export interface Granted {
  readonly client: Client
  readonly subject: string
  readonly gid: string
  readonly issuedAt: number
  readonly jkt: string | undefined
  /** Space-delimited. */
  readonly scope: string
  readonly resources: readonly string[]
}

export function tokenResponse(
  issued: { readonly token: string; readonly expiresIn: number },
  { jkt, scope }: { readonly jkt: string | undefined; readonly scope: string },
  more: TokenResponse = {},
): TokenResponse {
  return {
    access_token: issued.token,
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: issued.expiresIn,
    ...(scope === '' ? {} : { scope }),
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
    ...more,
  }
}

/**
 * After everything that a code or a refresh token gives has been made: ends it all where that has been revoked meanwhile
 * by somebody who could not see what was being made, and whose clock was behind its `iat`.
 */
export async function endIfOutrun(
  { revocation }: Parts,
  from: Revocable,
  made: Partial<Revocable>,
): Promise<void> {
  if (!(await revocation.isRevoked(from)) || (await revocation.isRevoked({ ...from, ...made }))) return
  await revocation.revokeGrant(from)
  throw invalidGrant('The grant has been revoked')
}

/**
 * A refresh token of a grant; the text is told once. A public client's is bound to its key (RFC 9449 §5). A confidential
 * client's is bound by the client's authentication, but tokens of a bound grant stay bound: each use needs some proof.
 */
export async function createRefreshToken({ settings }: Parts, granted: Granted): Promise<string> {
  const { client, subject, gid, issuedAt, jkt, scope, resources } = granted
  const { store, clock, refreshTokenLifetime } = settings
  const token = randomSecret()
  const expiresAt = clock() + refreshTokenLifetime
  const isPublic = client.authMethod === 'none'
  const record: RefreshToken = {
    gid,
    clientId: client.id,
    subject,
    jkt: isPublic ? jkt : undefined,
    dpop: jkt !== undefined,
    issuedAt,
    scope,
    resources,
    expiresAt,
  }
  await store.add('refresh', await sha256(token), record, { expiresAt, indexes: [`client:${client.id}`] })
  return token
}

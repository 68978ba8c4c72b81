import type { JWTHeaderParameters, JWTPayload } from 'jose'
import type { Settings } from './options.ts'
import { randomId } from './random.ts'
import type { Act, IssuedToken, Revocable, StatusReference } from './records.ts'
import { tokenIndexes } from './revocation/affected.ts'
import type { Revocation } from './revocation/revocation.ts'
import type { SigningAlgorithm, SigningKeys } from './signing-keys.ts'
import { statusListUri } from './status-list/endpoint.ts'
import type { StatusLists } from './status-list/status-lists.ts'

/** What an access token is to say. */
export interface TokenRequest {
  readonly clientId: string
  readonly subject: string
  readonly audience: string | readonly string[]
  /** Space-delimited. */
  readonly scope: string
  /** Thumbprint of the key to bind it to (RFC 9449 §6.1); absent: a bearer token. */
  readonly jkt?: string | undefined
  /** The grant it comes from. Default: a new one. */
  readonly gid?: string | undefined
  readonly act?: Act | undefined
  /** `jti` of the token that it was exchanged for. */
  readonly parent?: string | undefined
  /** From {@link AccessTokens.issuedAt}. Default: now. */
  readonly issuedAt?: number | undefined
  /** Seconds. Default: the issuer's `tokenLifetime`. */
  readonly lifetime?: number | undefined
  /** Default: the first of the issuer's. */
  readonly algorithm?: SigningAlgorithm | undefined
  /** Set over the claims, for tests; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  readonly header?: Readonly<Record<string, unknown>> | undefined
}

export interface AccessTokens {
  /** Signs an access token with every claim of RFC 9068 §2.2, and remembers that it exists. */
  issue(request: TokenRequest): Promise<{ readonly token: string; readonly expiresIn: number }>
  /**
   * The `iat` for what is issued out of a grant; `undefined` if that has been revoked. In this order: what revokes the
   * grant after it was looked at is later than this `iat`, and so revokes what is issued as well.
   */
  issuedAt(from: Revocable, issued?: Partial<Revocable>): Promise<number | undefined>
  /** An access token that is ours and lives, with its claims. */
  verify(token: string): Promise<{ readonly record: IssuedToken; readonly claims: JWTPayload } | undefined>
}

export function createAccessTokens(
  settings: Settings,
  keys: SigningKeys,
  revocation: Revocation,
  statusLists: StatusLists | undefined,
): AccessTokens {
  const { issuer, store, clock, tokenType, tokenLifetime } = settings

  /** What was revoked a moment ago, by somebody who could not have seen this token yet. */
  async function revokeIfOverdue(record: IssuedToken, parent: string | undefined): Promise<void> {
    const from = parent === undefined ? undefined : await store.get('token', parent)
    if (from !== undefined && (await revocation.isRevoked(from))) await revocation.revokeToken(record)
    else if (statusLists !== undefined && (await revocation.isRevoked(record))) {
      await statusLists.revoke([record])
    }
  }

  return {
    async issue(request) {
      const { clientId, subject, scope, jkt, act, parent } = request
      const audience = simplify(request.audience)
      const expiresIn = request.lifetime ?? tokenLifetime
      const expiresAt = Math.floor(clock()) + expiresIn
      const jti = randomId()
      const gid = request.gid ?? randomId()
      const issuedAt = request.issuedAt ?? (await revocation.issuedAt({ gid, clientId, subject, jkt, act }))
      const status = await statusLists?.allot()
      const record = { status, jti, gid, clientId, subject, jkt, act, issuedAt, expiresAt, scope, audience }
      const indexes = [...tokenIndexes(record), ...(parent === undefined ? [] : [`parent:${parent}`])]
      await store.add('token', jti, record, { expiresAt, indexes })
      await revokeIfOverdue(record, parent)
      const claims: JWTPayload = {
        iss: issuer,
        sub: subject,
        aud: audience as string,
        exp: expiresAt,
        iat: issuedAt,
        jti,
        client_id: clientId,
        gid,
        ...(scope === '' ? {} : { scope }),
        ...(jkt === undefined ? {} : { cnf: { jkt } }),
        ...(act === undefined ? {} : { act }),
        ...(status === undefined ? {} : { status: referenceTo(issuer, status) }),
        ...request.claims,
      }
      const header = { typ: tokenType, ...request.header } as Partial<JWTHeaderParameters> & { typ: string }
      return { token: await keys.sign(claims, header, request.algorithm), expiresIn }
    },

    async issuedAt(from, issued) {
      const issuedAt = await revocation.issuedAt({ ...from, ...issued })
      return (await revocation.isRevoked(from)) ? undefined : issuedAt
    },

    async verify(token) {
      const claims = await keys.verify(token, tokenType)
      const record = claims?.jti === undefined ? undefined : await store.get('token', claims.jti)
      if (claims === undefined || record === undefined || (await revocation.isRevoked(record)))
        return undefined
      return { record, claims }
    },
  }
}

/** draft-ietf-oauth-status-list §6 */
function referenceTo(issuer: string, { list, idx }: StatusReference) {
  return { status_list: { idx, uri: `${statusListUri(issuer)}/${list}` } }
}

function simplify(audience: string | readonly string[]): string | readonly string[] {
  return Array.isArray(audience) && audience.length === 1 ? (audience[0] as string) : audience
}

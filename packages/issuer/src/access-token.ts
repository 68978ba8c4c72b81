import type { JWTHeaderParameters, JWTPayload } from 'jose'
import { invalidTarget } from './errors.ts'
import { isResource, type Settings } from './options.ts'
import { randomId } from './random.ts'
import type { Act, StatusReference } from './records.ts'
import { tokenIndexes } from './revocation/affected.ts'
import type { Revocation } from './revocation/revocation.ts'
import type { SigningKeys } from './signing-keys.ts'
import { statusListUri } from './status-list/endpoint.ts'
import type { StatusLists } from './status-list/status-lists.ts'

/** What an access token is to say. */
export interface TokenRequest {
  readonly clientId: string
  readonly subject: string
  readonly audience: string | readonly string[]
  readonly scope: string
  /** Thumbprint of the key to bind it to (RFC 9449 §6.1); absent: a bearer token. */
  readonly jkt?: string | undefined
  /** The grant it comes from. Default: a new one. */
  readonly gid?: string | undefined
  /** RFC 8693 §4.1 */
  readonly act?: Act | undefined
  /** Seconds. Default: the issuer's `tokenLifetime`. */
  readonly lifetime?: number | undefined
  /** Set over the claims, for tests; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  readonly header?: Readonly<Record<string, unknown>> | undefined
}

export interface IssuedAccessToken {
  readonly token: string
  readonly jti: string
  readonly expiresIn: number
}

export function createAccessTokens(
  settings: Settings,
  keys: SigningKeys,
  revocation: Revocation,
  statusLists?: StatusLists,
) {
  const { issuer, store, tokenType, tokenLifetime } = settings

  /** Signs an access token with every claim of RFC 9068 §2.2, and remembers that it exists. */
  return async function issue(request: TokenRequest): Promise<IssuedAccessToken> {
    const { clientId, subject, scope, jkt, act } = request
    const audience = simplify(request.audience)
    const expiresIn = request.lifetime ?? tokenLifetime
    const expiresAt = Math.floor(settings.clock()) + expiresIn
    const jti = randomId()
    const gid = request.gid ?? randomId()
    const issuedAt = await revocation.issuedAt({ gid, clientId, subject, jkt, act })
    const status = await statusLists?.allot()
    const record = { status, jti, gid, clientId, subject, jkt, act, issuedAt, expiresAt, scope, audience }
    await store.add('token', jti, record, { expiresAt, indexes: tokenIndexes(record) })
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
    return { token: await keys.sign(claims, header), jti, expiresIn }
  }
}

/**
 * The audience that a request asks for: `resource` (RFC 8707, any number) or `audience`.
 * @throws OAuthError `invalid_target`
 */
export function requireTarget(
  form: ReadonlyMap<string, readonly string[]>,
  settings: Settings,
): readonly string[] {
  const asked = [...(form.get('resource') ?? []), ...(form.get('audience') ?? [])]
  const targets = [
    ...new Set(asked.length > 0 ? asked : settings.defaultResource ? [settings.defaultResource] : []),
  ]
  if (targets.length === 0) {
    throw invalidTarget('Name the resource that the token is for: resource, an absolute URI (RFC 8707)')
  }
  for (const target of targets) {
    if (!isResource(target)) throw invalidTarget('resource must be an absolute http(s) URI without fragment')
    if (settings.resources !== undefined && !settings.resources.includes(target)) {
      throw invalidTarget('No tokens are issued for this resource')
    }
  }
  return targets
}

/** draft-ietf-oauth-status-list §6 */
function referenceTo(issuer: string, { list, idx }: StatusReference) {
  return { status_list: { idx, uri: `${statusListUri(issuer)}/${list}` } }
}

function simplify(audience: string | readonly string[]): string | readonly string[] {
  return Array.isArray(audience) && audience.length === 1 ? (audience[0] as string) : audience
}

import type { Context } from 'hono'
import type { JWTPayload } from 'jose'
import { authenticateClient } from './client-authentication.ts'
import { invalidClient, invalidRequest } from './errors.ts'
import { readForm, uncacheable } from './http.ts'
import type { Parts } from './parts.ts'
import { sha256 } from './random.ts'
import type { Client, RefreshToken } from './records.ts'

/**
 * POST /oauth/introspect (RFC 7662), with `cnf` (RFC 9449 §6.2) and `act`. Who may ask about an access token: the admin; the
 * client it was issued to; and a resource server that it is for, which is a confidential client registered with that
 * resource among its `resources`, or made by the admin without any. About a refresh token: the admin and its client. To
 * everybody else a token is not active.
 */
export function createIntrospection(
  { settings, tokens, revocation }: Parts,
  isAdmin: (c: Context) => boolean,
) {
  const { store, issuer } = settings

  return async (c: Context): Promise<Response> => {
    uncacheable(c)
    const form = await readForm(c)
    const caller = isAdmin(c) ? 'admin' : await authenticateClient(c, form, settings)
    // Whoever knows a public client's id could ask.
    if (caller !== 'admin' && caller.authMethod === 'none') throw invalidClient()
    const text = form.get('token')?.[0]
    if (text === undefined) throw invalidRequest('token is required')
    const access = await tokens.verify(text)
    if (access !== undefined) {
      const { clientId, audience } = access.record
      const may = caller === 'admin' || caller.id === clientId || serves(caller, audience)
      return c.json(may ? describeAccess(access.claims) : { active: false })
    }
    const refresh = await store.get('refresh', await sha256(text))
    const lives =
      refresh !== undefined && refresh.usedBy === undefined && !(await revocation.isRevoked(refresh))
    const may = lives && (caller === 'admin' || caller.id === refresh.clientId)
    return c.json(may ? describeRefresh(refresh, issuer) : { active: false })
  }
}

function serves(client: Client, audience: string | readonly string[]): boolean {
  const { resources, registeredBy } = client
  if (resources.length === 0) return registeredBy === 'admin'
  return [audience].flat().some((target) => resources.includes(target))
}

function describeAccess({ iss, sub, aud, client_id, scope, exp, iat, jti, cnf, act }: JWTPayload) {
  const token_type = cnf === undefined ? 'Bearer' : 'DPoP'
  return { active: true, iss, sub, aud, client_id, scope, exp, iat, jti, token_type, cnf, act }
}

function describeRefresh({ subject, clientId, scope, expiresAt, issuedAt, jkt }: RefreshToken, iss: string) {
  return {
    active: true,
    iss,
    sub: subject,
    client_id: clientId,
    ...(scope === '' ? {} : { scope }),
    exp: Math.floor(expiresAt),
    iat: issuedAt,
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
  }
}

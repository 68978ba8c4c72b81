import type { Context } from 'hono'
import { decodeJwt } from 'jose'
import { authenticateClient } from './clients.ts'
import { readForm, uncacheable } from './http.ts'
import type { Settings } from './options.ts'
import type { Client, IssuedToken } from './records.ts'
import type { Revocation } from './revocation/revocation.ts'

/** POST /oauth/introspect (RFC 7662) and POST /oauth/revoke (RFC 7009). */
export function createTokenState(
  settings: Settings,
  revocation: Revocation,
  isAdmin: (c: Context) => boolean,
) {
  const { store, clock, issuer } = settings

  async function introspect(c: Context): Promise<Response> {
    uncacheable(c)
    const form = await readForm(c)
    if (!isAdmin(c)) await authenticateClient(store, c.req.header('authorization'), form, clock())
    const text = form.get('token')?.[0] ?? ''
    const token = await find(text)
    if (token === undefined || token.expiresAt <= clock() || (await revocation.isRevoked(token))) {
      return c.json({ active: false })
    }
    const { cnf, act } = decodeJwt(text)
    return c.json({
      active: true,
      iss: issuer,
      sub: token.subject,
      aud: token.audience,
      client_id: token.clientId,
      ...(token.scope === '' ? {} : { scope: token.scope }),
      exp: token.expiresAt,
      iat: token.issuedAt,
      jti: token.jti,
      token_type: cnf === undefined ? 'Bearer' : 'DPoP',
      ...(cnf === undefined ? {} : { cnf }),
      ...(act === undefined ? {} : { act }),
    })
  }

  /** 200 also for what is unknown, revoked before, or somebody else's: it tells nothing (RFC 7009 §2.2). */
  async function revoke(c: Context): Promise<Response> {
    uncacheable(c)
    const form = await readForm(c)
    const caller: Client | 'admin' = isAdmin(c)
      ? 'admin'
      : await authenticateClient(store, c.req.header('authorization'), form, clock())
    const token = await find(form.get('token')?.[0] ?? '')
    if (token !== undefined && (caller === 'admin' || caller.id === token.clientId))
      await revocation.revokeToken(token)
    return c.body(null, 200)
  }

  /** By its `jti`, if it is the very token that was issued under it. */
  async function find(text: string): Promise<IssuedToken | undefined> {
    try {
      const { jti, iat, iss } = decodeJwt(text)
      const token = jti === undefined ? undefined : await store.get('token', jti)
      return token !== undefined && iss === issuer && iat === token.issuedAt ? token : undefined
    } catch {
      return undefined
    }
  }

  return { introspect, revoke }
}

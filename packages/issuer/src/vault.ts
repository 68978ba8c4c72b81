import type { Context } from 'hono'
import { compactVerify, createLocalJWKSet, decodeJwt } from 'jose'
import { verifyProof } from './dpop.ts'
import { OAuthError } from './errors.ts'
import { uncacheable } from './http.ts'
import type { Settings } from './options.ts'
import type { Revocation } from './revocation/revocation.ts'
import type { SigningKeys } from './signing-keys.ts'

const invalidToken = (description: string) =>
  new OAuthError('invalid_token', description, {
    status: 401,
    headers: { 'WWW-Authenticate': 'DPoP error="invalid_token"' },
  })

/**
 * GET /api/v1/vault/{provider}/token: a user's secret at a provider, for an agent whose DPoP token has `vault:read`. That
 * it was read is remembered, so that disconnecting ends the tokens of all who did.
 */
export function createVault(settings: Settings, keys: SigningKeys, revocation: Revocation) {
  const { store, clock, issuer } = settings

  return async (c: Context): Promise<Response> => {
    uncacheable(c)
    const accessToken = /^dpop +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (accessToken === undefined) throw invalidToken('A DPoP-bound access token is required')
    const token = await verifyToken(accessToken)
    const url = `${issuer.replace(/\/$/, '')}${new URL(c.req.url).pathname}`
    const proof = { method: 'GET', url, now: clock(), store, accessToken }
    if ((await verifyProof(c.req.header('dpop') ?? '', proof)) !== token.jkt)
      throw invalidToken('Bound to another key')
    if (!token.scope.split(' ').includes('vault:read')) {
      throw new OAuthError('insufficient_scope', 'vault:read is needed', {
        status: 403,
        headers: { 'WWW-Authenticate': 'DPoP error="insufficient_scope", scope="vault:read"' },
      })
    }
    const provider = c.req.param('provider')
    const { data } = await store.list('vault', { index: `provider:${provider}`, limit: 1 })
    const connection = data[0]
    if (connection === undefined)
      throw new OAuthError('not_found', 'No connection to this provider', { status: 404 })
    await store.update('vault', connection.id, (now) => ({
      ...now,
      usedBy: [...new Set([...now.usedBy, token.clientId])],
    }))
    return c.json({ connection_id: connection.id, provider, secret: connection.secret ?? null })
  }

  async function verifyToken(text: string) {
    try {
      const { keys: published } = await keys.published(clock())
      await compactVerify(text, createLocalJWKSet({ keys: [...published] }))
      const { jti } = decodeJwt(text)
      const token = jti === undefined ? undefined : await store.get('token', jti)
      if (token && token.expiresAt > clock() && !(await revocation.isRevoked(token))) return token
    } catch {
      // Every way to fail is the same answer.
    }
    throw invalidToken('The access token is not valid')
  }
}

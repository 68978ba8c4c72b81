import type { Context } from 'hono'
import { verifyProof } from './dpop.ts'
import { OAuthError } from './errors.ts'
import { uncacheable } from './http.ts'
import type { Parts } from './parts.ts'
import type { IssuedToken } from './records.ts'

const invalidToken = (description: string) =>
  new OAuthError('invalid_token', description, {
    status: 401,
    headers: { 'WWW-Authenticate': 'DPoP error="invalid_token"' },
  })

/** RFC 6750 §3.1: who shows nothing is told how to, and of no error. */
const noCredentials = () =>
  new OAuthError('invalid_token', 'A DPoP-bound access token is required', {
    status: 401,
    headers: { 'WWW-Authenticate': 'DPoP' },
  })

const insufficientScope = () =>
  new OAuthError('insufficient_scope', 'vault:read is needed', {
    status: 403,
    headers: { 'WWW-Authenticate': 'DPoP error="insufficient_scope", scope="vault:read"' },
  })

/**
 * GET /api/v1/vault/{provider}/token: a user's secret at a provider, for an agent whose DPoP token has `vault:read`. That
 * it was read is remembered, so that disconnecting ends the tokens of all who did.
 */
export function createVault({ settings, tokens }: Parts) {
  const { store } = settings

  return async (c: Context): Promise<Response> => {
    uncacheable(c)
    const { clientId, scope } = await requireBoundToken(c)
    if (!scope.split(' ').includes('vault:read')) throw insufficientScope()
    const provider = c.req.param('provider')
    const { data } = await store.list('vault', { index: `provider:${provider}`, limit: 1 })
    const connection = data[0]
    if (connection === undefined) {
      throw new OAuthError('not_found', 'No connection to this provider', { status: 404 })
    }
    await store.update('vault', connection.id, (now) => ({
      ...now,
      usedBy: [...new Set([...now.usedBy, clientId])],
    }))
    return c.json({ connection_id: connection.id, provider, secret: connection.secret ?? null })
  }

  async function requireBoundToken(c: Context): Promise<IssuedToken> {
    const authorization = c.req.header('authorization')
    if (authorization === undefined) throw noCredentials()
    const accessToken = /^dpop +(\S+)$/i.exec(authorization)?.[1]
    if (accessToken === undefined) throw invalidToken('A DPoP-bound access token is required')
    const found = await tokens.verify(accessToken)
    if (found === undefined) throw invalidToken('The access token is not valid')
    const url = `${new URL(settings.issuer).origin}${new URL(c.req.url).pathname}`
    const proof = { method: 'GET', url, now: settings.clock(), store, accessToken }
    const jkt = await verifyProof(c.req.header('dpop') ?? '', proof)
    if (jkt !== found.record.jkt) throw invalidToken('Bound to another key')
    return found.record
  }
}

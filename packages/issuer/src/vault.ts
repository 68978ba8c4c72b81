import type { Context } from 'hono'
import { verifyProof } from './dpop.ts'
import { OAuthError } from './errors.ts'
import { uncacheable } from './http.ts'
import type { Parts } from './parts.ts'
import type { IssuedToken, VaultConnection } from './records.ts'
import { everyRecord } from './store.ts'

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

const notConnected = () => new OAuthError('not_found', 'No connection to this provider', { status: 404 })

/**
 * GET /api/v1/vault/{provider}/token: a user's secret at a provider, for an agent whose DPoP token has `vault:read`. In a
 * user's name it is that user's, and no other's. In the agent's own name it is its creator's, where there is one, else the
 * newest of all: where secrets are real, `registration: { scopes }` must not leave `vault:read` to strangers. That it was read
 * is remembered, so that disconnecting ends the tokens of all who did.
 */
export function createVault({ settings, tokens }: Parts) {
  const { store } = settings

  return async (c: Context): Promise<Response> => {
    uncacheable(c)
    const token = await requireBoundToken(c)
    const { clientId, scope } = token
    if (!scope.split(' ').includes('vault:read')) throw insufficientScope()
    const provider = c.req.param('provider')
    const connection = await find(provider, token)
    const used = await store.update('vault', connection.id, (now) => ({
      ...now,
      usedBy: [...new Set([...now.usedBy, clientId])],
    }))
    // Disconnected since: whoever did so does not know of this reader.
    if (used === undefined) throw notConnected()
    return c.json({ connection_id: used.id, provider, secret: used.secret ?? null })
  }

  async function find(
    provider: string | undefined,
    { clientId, subject }: IssuedToken,
  ): Promise<VaultConnection> {
    const isForItself = subject === clientId
    const userId = isForItself ? (await store.get('client', clientId))?.createdBy : subject
    let newest: VaultConnection | undefined
    for await (const connection of everyRecord(store, 'vault', `provider:${provider}`)) {
      if (connection.userId === userId) return connection
      newest ??= connection
    }
    if (newest === undefined || !isForItself) throw notConnected()
    return newest
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

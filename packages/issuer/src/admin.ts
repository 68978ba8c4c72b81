import { type Context, Hono } from 'hono'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { addClient, createClient, describeClient, findAgent as findClient } from './clients.ts'
import { requireCanonicalKey } from './dpop.ts'
import { OAuthError } from './errors.ts'
import { readJson, uncacheable } from './http.ts'
import type { Settings } from './options.ts'
import { randomId, randomSecret, sha256 } from './random.ts'
import type { Client, MayActGrant, Records } from './records.ts'
import type { Revocation } from './revocation/revocation.ts'
import type { SigningKeys } from './signing-keys.ts'
import { everyRecord, type Kind } from './store.ts'

const notFound = () => new OAuthError('not_found', 'There is no such thing here', { status: 404 })
const badRequest = (message: string) => new OAuthError('invalid_request', message)

/** SharkAuth's admin API, as far as agents, revocation, keys and the vault go. Errors are `{ error, message }`. */
export function createAdminApi(
  settings: Settings,
  keys: SigningKeys,
  revocation: Revocation,
  isAdmin: (c: Context) => boolean,
): Hono {
  const { store, clock } = settings
  const admin = new Hono()

  admin.onError((error, c) => {
    if (!(error instanceof OAuthError)) throw error
    return c.json({ error: error.error, message: error.message }, error.status, { ...error.headers })
  })

  admin.use(async (c, next) => {
    uncacheable(c)
    if (!isAdmin(c)) {
      throw new OAuthError('unauthorized', 'An admin key is required', {
        status: 401,
        headers: { 'WWW-Authenticate': 'Bearer' },
      })
    }
    await next()
  })

  admin.post('/agents', async (c) => {
    const { client, clientSecret } = await createClient(await readJson(c), 'shark_agent_', clock())
    await addClient(store, client)
    await revocation.audit('agent.created', client.agentId, undefined, { client_id: client.id })
    return c.json({ ...describeAgent(client), client_secret: clientSecret }, 201)
  })

  admin.get('/agents', async (c) => {
    const { search, active, created_by_user_id: createdBy } = c.req.query()
    const agents = (await all('client')).filter(
      (agent) =>
        (search === undefined || agent.name.includes(search) || agent.id.includes(search)) &&
        (active === undefined || String(agent.active) === active) &&
        (createdBy === undefined || agent.createdBy === createdBy),
    )
    return c.json(page(c, agents.map(describeAgent)))
  })

  admin.get('/agents/:id', async (c) => c.json(describeAgent(await findAgent(c.req.param('id')))))

  admin.patch('/agents/:id', async (c) => {
    const agent = await findAgent(c.req.param('id'))
    const { active, name } = await readJson(c)
    const changed = await store.update('client', agent.id, (now) => ({
      ...now,
      ...(typeof active === 'boolean' ? { active } : {}),
      ...(typeof name === 'string' && name !== '' ? { name } : {}),
    }))
    if (changed === undefined) throw notFound()
    if (agent.active && !changed.active)
      await revocation.revokeClient(agent, 'agent.deactivated_with_revocation')
    return c.json(describeAgent(changed))
  })

  admin.delete('/agents/:id', async (c) => {
    const agent = await findAgent(c.req.param('id'))
    await store.update('client', agent.id, (now) => ({ ...now, active: false }))
    await revocation.revokeClient(agent, 'agent.deactivated_with_revocation')
    return c.body(null, 204)
  })

  admin.get('/agents/:id/tokens', async (c) => {
    const agent = await findAgent(c.req.param('id'))
    const live = await all('token', `client:${agent.id}`)
    const tokens = live.map(({ jti, scope, audience, issuedAt, expiresAt, jkt }) => ({
      jti,
      scope,
      aud: audience,
      iat: issuedAt,
      exp: expiresAt,
      dpop_jkt: jkt ?? null,
    }))
    return c.json(page(c, tokens))
  })

  admin.post('/agents/:id/tokens/revoke-all', async (c) => {
    const { count } = await revocation.revokeClient(
      await findAgent(c.req.param('id')),
      'agent.tokens_revoked',
    )
    return c.json({ message: 'All tokens have been revoked', count })
  })

  admin.post('/agents/:id/rotate-secret', async (c) => {
    const agent = await findAgent(c.req.param('id'))
    const secret = randomSecret()
    const secretHash = await sha256(secret)
    await store.update('client', agent.id, (now) => ({ ...now, secretHash, previousSecret: undefined }))
    await revocation.audit('agent.secret_rotated', agent.agentId, undefined)
    return c.json({
      client_id: agent.id,
      client_secret: secret,
      message: 'The secret before no longer works',
    })
  })

  admin.post('/agents/:id/rotate-dpop-key', async (c) => {
    const agent = await findAgent(c.req.param('id'))
    const body = await readJson(c)
    const jkt = await thumbprintOf(body.new_public_jwk)
    if (await store.get('retired', jkt))
      throw new OAuthError('invalid_jwk', 'This key has been rotated out before')
    const { oldJkt, count, auditEventId } = await revocation.rotateKey(agent, jkt, reasonOf(body))
    return c.json({
      old_jkt: oldJkt ?? '',
      new_jkt: jkt,
      revoked_token_count: count,
      audit_event_id: auditEventId,
    })
  })

  admin.get('/agents/:id/audit', async (c) => {
    const agent = await findAgent(c.req.param('id'))
    const events = await all('audit')
    return c.json(
      page(
        c,
        events.filter(({ target }) => target === agent.agentId || target === agent.id),
      ),
    )
  })

  admin.post('/users/:id/revoke-agents', async (c) => {
    const user = c.req.param('id')
    const body = await readJson(c)
    const chosen = Array.isArray(body.agent_ids) ? body.agent_ids : undefined
    const { agentIds, consents, auditEventId } = await revocation.revokeUser(user, reasonOf(body), chosen)
    return c.json({
      revoked_agent_ids: agentIds,
      revoked_consent_count: consents,
      audit_event_id: auditEventId,
    })
  })

  admin.get('/users/:id/agents', async (c) => {
    const agents = (await all('client')).filter(({ createdBy }) => createdBy === c.req.param('id'))
    return c.json({ ...page(c, agents.map(describeAgent)), filter: c.req.query('filter') ?? 'created' })
  })

  admin.post('/admin/oauth/revoke-by-pattern', async (c) => {
    const body = await readJson(c)
    const pattern = body.client_id_pattern
    if (typeof pattern !== 'string' || pattern === '' || pattern.length > 128) {
      throw badRequest('client_id_pattern is required, at most 128 characters')
    }
    const { count, auditEventId } = await revocation.revokePattern(pattern, reasonOf(body))
    return c.json({ revoked_count: count, audit_event_id: auditEventId, pattern_matched: pattern })
  })

  admin.post('/admin/auth/rotate-signing-key', async (c) => {
    const { kid, algorithm, previous } = await keys.rotate(clock(), settings.tokenLifetime + 60)
    await revocation.audit('signing_key.rotated', kid, undefined, { previous })
    return c.json({ rotated: true, kid, algorithm })
  })

  admin.get('/audit-logs', async (c) => {
    const { action, target } = c.req.query()
    const events = (await all('audit')).filter(
      (event) =>
        (action === undefined || event.action === action) &&
        (target === undefined || event.target === target),
    )
    return c.json(page(c, events))
  })

  admin.post('/admin/vault/connections', async (c) => {
    const { provider, user_id: userId, secret } = await readJson(c)
    if (typeof provider !== 'string' || provider === '' || typeof userId !== 'string' || userId === '') {
      throw badRequest('provider and user_id are required')
    }
    const id = `vc_${randomId()}`
    const kept = typeof secret === 'string' ? secret : undefined
    const connection = { id, provider, userId, secret: kept, usedBy: [] }
    await store.add('vault', id, connection, { indexes: [`provider:${provider}`] })
    return c.json({ id, provider, user_id: userId }, 201)
  })

  admin.delete('/admin/vault/connections/:id', async (c) => {
    const id = c.req.param('id')
    const connection = await store.take('vault', id)
    if (connection === undefined) throw notFound()
    const { auditEventId } = await revocation.revokeVaultUsers(id, connection.usedBy)
    return c.json({ revoked_agent_ids: connection.usedBy, audit_event_id: auditEventId })
  })

  admin.get('/admin/may-act', async (c) => {
    const { data, total } = page(c, (await all('mayAct')).map(describeGrant))
    return c.json({ grants: data, data, total })
  })

  admin.post('/admin/may-act', async (c) => {
    const body = await readJson(c)
    const { from_id: fromId, to_id: toId, max_hops: maxHops, scopes, expires_at: expiresAt } = body
    if (typeof fromId !== 'string' || typeof toId !== 'string')
      throw badRequest('from_id and to_id are required')
    const grant: MayActGrant = {
      id: `mag_${randomId()}`,
      fromId,
      toId,
      maxHops: typeof maxHops === 'number' ? maxHops : 1,
      scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [],
      expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
      createdAt: Math.floor(clock()),
    }
    await store.add('mayAct', grant.id, grant, { indexes: [`pair:${fromId} ${toId}`] })
    return c.json(describeGrant(grant), 201)
  })

  admin.delete('/admin/may-act/:id', async (c) => {
    if ((await store.take('mayAct', c.req.param('id'))) === undefined) throw notFound()
    return c.json({ message: 'The grant has been revoked' })
  })

  /** By `agent_…` or by client id. */
  async function findAgent(id: string): Promise<Client> {
    const agent = await findClient(store, id)
    if (agent === undefined) throw notFound()
    return agent
  }

  async function all<K extends Kind>(kind: K, index?: string) {
    const records: Records[K][] = []
    for await (const record of everyRecord(store, kind, index)) records.push(record)
    return records
  }

  return admin
}

function describeAgent(client: Client) {
  return {
    ...describeClient(client),
    id: client.agentId,
    name: client.name,
    auth_method: client.authMethod,
    scopes: client.scopes,
    active: client.active,
    created_by: client.createdBy ?? null,
    dpop_jkt: client.jkt ?? null,
  }
}

function describeGrant({ id, fromId, toId, maxHops, scopes, expiresAt, createdAt }: MayActGrant) {
  const times = { expires_at: expiresAt ?? null, created_at: createdAt }
  return { id, from_id: fromId, to_id: toId, max_hops: maxHops, scopes, ...times }
}

async function thumbprintOf(jwk: unknown): Promise<string> {
  if (typeof jwk !== 'object' || jwk === null) throw badRequest('new_public_jwk is required')
  try {
    requireCanonicalKey(jwk as JWK)
    return await calculateJwkThumbprint(jwk as JWK)
  } catch {
    throw new OAuthError('invalid_jwk', 'new_public_jwk is not an acceptable public key')
  }
}

function reasonOf({ reason }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof reason === 'string' ? reason.slice(0, 500) : undefined
}

/** One page of a list: `limit` (at most 200) from `offset`. */
function page<T>(c: Context, all: readonly T[]): { data: readonly T[]; total: number } {
  const natural = (text: string | undefined, fallback: number) =>
    text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : fallback
  const offset = natural(c.req.query('offset'), 0)
  const limit = Math.min(200, natural(c.req.query('limit'), 50))
  return { data: all.slice(offset, offset + limit), total: all.length }
}

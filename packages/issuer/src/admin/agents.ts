import type { Hono } from 'hono'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { addClient } from '../clients.ts'
import { requireCanonicalKey } from '../dpop.ts'
import { invalidRequest, OAuthError } from '../errors.ts'
import { readJson, readOptionalJson } from '../http.ts'
import type { Parts } from '../parts.ts'
import { randomSecret, sha256 } from '../random.ts'
import type { IssuedToken } from '../records.ts'
import { changeClient, createClient } from '../registration/create-client.ts'
import { chainOf, describeAgent, listPage, notFound, reasonOf, requireAgent, searchPage } from './answers.ts'
import { describeEvent } from './audit-logs.ts'

/** /api/v1/agents: registered clients, by `agent_…` or client id. */
export function agents(admin: Hono, { settings, revocation }: Parts): void {
  const { store } = settings

  admin.post('/agents', async (c) => {
    const { client, clientSecret } = await createClient(await readJson(c), 'admin', settings)
    await addClient(store, client)
    await revocation.audit('agent.created', client.agentId, undefined, { client_id: client.id })
    return c.json({ ...describeAgent(client), client_secret: clientSecret }, 201)
  })

  admin.get('/agents', async (c) => {
    const { search, active, created_by_user_id: createdBy } = c.req.query()
    const index = createdBy === undefined ? undefined : `creator:${createdBy}`
    const { data, total } =
      search === undefined && active === undefined
        ? await listPage(c, store, 'client', index)
        : await searchPage(
            c,
            store,
            'client',
            index,
            ({ name, id, ...agent }) =>
              (search === undefined || name.includes(search) || id.includes(search)) &&
              (active === undefined || String(agent.active) === active),
          )
    return c.json({ data: data.map(describeAgent), total })
  })

  admin.get('/agents/:id', async (c) => c.json(describeAgent(await requireAgent(store, c.req.param('id')))))

  admin.patch('/agents/:id', async (c) => {
    const agent = await requireAgent(store, c.req.param('id'))
    const body = await readJson(c)
    const changed = await store.update('client', agent.id, (now) => changeClient(now, body, settings))
    if (changed === undefined) throw notFound()
    await revocation.audit('agent.updated', agent.agentId, reasonOf(body), { members: Object.keys(body) })
    if (agent.active && !changed.active) {
      await revocation.revokeClient(agent, 'agent.deactivated_with_revocation', reasonOf(body))
    }
    return c.json(describeAgent(changed))
  })

  admin.delete('/agents/:id', async (c) => {
    const agent = await requireAgent(store, c.req.param('id'))
    await store.update('client', agent.id, (now) => ({ ...now, active: false }))
    await revocation.revokeClient(agent, 'agent.deactivated_with_revocation')
    return c.body(null, 204)
  })

  admin.get('/agents/:id/tokens', async (c) => {
    const agent = await requireAgent(store, c.req.param('id'))
    const { data, total } = await listPage(c, store, 'token', `client:${agent.id}`)
    const described = data.map(async (token) => ({
      ...describeToken(token),
      active: !(await revocation.isRevoked(token)),
    }))
    return c.json({ data: await Promise.all(described), total })
  })

  admin.post('/agents/:id/tokens/revoke-all', async (c) => {
    const agent = await requireAgent(store, c.req.param('id'))
    const body = await readOptionalJson(c)
    const { count, auditEventId } = await revocation.revokeClient(
      agent,
      'agent.tokens_revoked',
      reasonOf(body),
      chainOf(body),
    )
    return c.json({ message: 'All tokens have been revoked', count, audit_event_id: auditEventId })
  })

  admin.post('/agents/:id/rotate-secret', async (c) => {
    const agent = await requireAgent(store, c.req.param('id'))
    if (agent.secretHash === undefined) throw invalidRequest('The agent has no secret')
    const secret = randomSecret()
    const secretHash = await sha256(secret)
    await store.update('client', agent.id, (now) => ({ ...now, secretHash, previousSecret: undefined }))
    await revocation.audit('agent.secret_rotated', agent.agentId, undefined)
    const message = 'The secret before no longer works'
    return c.json({ client_id: agent.id, client_secret: secret, message })
  })

  admin.post('/agents/:id/rotate-dpop-key', async (c) => {
    const agent = await requireAgent(store, c.req.param('id'))
    const body = await readJson(c)
    const jkt = await thumbprintOf(body.new_public_jwk)
    if ((await store.get('retired', jkt)) !== undefined) {
      throw new OAuthError('invalid_jwk', 'This key has been rotated out before')
    }
    const { oldJkt, count, auditEventId } = await revocation.rotateKey(agent, jkt, reasonOf(body))
    return c.json({
      old_jkt: oldJkt ?? '',
      new_jkt: jkt,
      revoked_token_count: count,
      audit_event_id: auditEventId,
    })
  })

  admin.get('/agents/:id/audit', async (c) => {
    const agent = await requireAgent(store, c.req.param('id'))
    const { data, total } = await listPage(c, store, 'audit', `target:${agent.agentId}`)
    return c.json({ data: data.map(describeEvent), total })
  })
}

function describeToken({ jti, scope, audience, subject, issuedAt, expiresAt, jkt }: IssuedToken) {
  return { jti, scope, sub: subject, aud: audience, iat: issuedAt, exp: expiresAt, dpop_jkt: jkt ?? null }
}

async function thumbprintOf(jwk: unknown): Promise<string> {
  if (typeof jwk !== 'object' || jwk === null) throw invalidRequest('new_public_jwk is required')
  try {
    requireCanonicalKey(jwk as JWK)
    return await calculateJwkThumbprint(jwk as JWK)
  } catch {
    throw new OAuthError('invalid_jwk', 'new_public_jwk is not an acceptable public key')
  }
}

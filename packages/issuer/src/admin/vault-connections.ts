import type { Hono } from 'hono'
import { invalidRequest } from '../errors.ts'
import { readJson } from '../http.ts'
import type { Parts } from '../parts.ts'
import { randomId } from '../random.ts'
import type { VaultConnection } from '../records.ts'
import { listPage, notFound } from './answers.ts'

/** /api/v1/admin/vault/connections: users' secrets at providers, for agents to fetch. */
export function vaultConnections(admin: Hono, { settings: { store }, revocation }: Parts): void {
  admin.get('/admin/vault/connections', async (c) => {
    const { data, total } = await listPage(c, store, 'vault')
    return c.json({ data: data.map(describeConnection), total })
  })

  admin.post('/admin/vault/connections', async (c) => {
    const { provider, user_id: userId, secret } = await readJson(c)
    const isName = (name: unknown): name is string =>
      typeof name === 'string' && name !== '' && name.length <= 200
    if (!isName(provider) || !isName(userId)) throw invalidRequest('provider and user_id are required')
    const kept = typeof secret === 'string' ? secret : undefined
    const connection: VaultConnection = { id: `vc_${randomId()}`, provider, userId, secret: kept, usedBy: [] }
    await store.add('vault', connection.id, connection, { indexes: [`provider:${provider}`] })
    await revocation.audit('vault.connected', connection.id, undefined, { provider, user_id: userId })
    return c.json(describeConnection(connection), 201)
  })

  /** L5. */
  admin.delete('/admin/vault/connections/:id', async (c) => {
    const connection = await store.take('vault', c.req.param('id'))
    if (connection === undefined) throw notFound()
    const { agentIds, auditEventId } = await revocation.revokeVaultUsers(connection.id, connection.usedBy)
    return c.json({ revoked_agent_ids: agentIds, audit_event_id: auditEventId })
  })
}

/** Without its secret. */
function describeConnection({ id, provider, userId, usedBy }: VaultConnection) {
  return { id, provider, user_id: userId, used_by: usedBy }
}

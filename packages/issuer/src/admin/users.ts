import type { Hono } from 'hono'
import { invalidRequest } from '../errors.ts'
import { readOptionalJson } from '../http.ts'
import type { Parts } from '../parts.ts'
import { describeAgent, listPage, reasonOf } from './answers.ts'

/** /api/v1/users/{id}: the agents that a user created, and those that may act in the user's name. */
export function users(admin: Hono, { settings, revocation }: Parts): void {
  const { store } = settings

  admin.get('/users/:id/agents', async (c) => {
    const user = c.req.param('id')
    if (c.req.query('filter') === 'authorized') {
      const { data, total } = await listPage(c, store, 'consent', `user:${user}`)
      const agents = await Promise.all(data.map(({ clientId }) => store.get('client', clientId)))
      return c.json({
        data: agents.flatMap((agent) => agent ?? []).map(describeAgent),
        total,
        filter: 'authorized',
      })
    }
    const { data, total } = await listPage(c, store, 'client', `creator:${user}`)
    return c.json({ data: data.map(describeAgent), total, filter: 'created' })
  })

  /** L3. */
  admin.post('/users/:id/revoke-agents', async (c) => {
    const body = await readOptionalJson(c)
    const chosen = chosenIds(body.agent_ids)
    const { agentIds, consents, auditEventId } = await revocation.revokeUser(
      c.req.param('id'),
      reasonOf(body),
      chosen,
    )
    return c.json({
      revoked_agent_ids: agentIds,
      revoked_consent_count: consents,
      audit_event_id: auditEventId,
    })
  })
}

/** `undefined`: all of the user's. */
function chosenIds(ids: unknown): readonly string[] | undefined {
  if (ids === undefined || ids === null) return undefined
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids
  throw invalidRequest('agent_ids must be a list of ids')
}

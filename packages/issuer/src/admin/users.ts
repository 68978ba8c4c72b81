import type { Hono } from 'hono'
import { invalidRequest } from '../errors.ts'
import { readJson } from '../http.ts'
import type { Parts } from '../parts.ts'
import { type Client, consentId } from '../records.ts'
import { everyRecord } from '../store.ts'
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
    const user = c.req.param('id')
    const body = await readJson(c)
    const isChosen = chosenBy(body.agent_ids)
    const created: Client[] = []
    for await (const agent of everyRecord(store, 'client', `creator:${user}`)) {
      if (isChosen(agent)) created.push(agent)
    }
    let consents = 0
    for (const { clientId } of await consentsOf(user)) {
      const agent = await store.get('client', clientId)
      if (agent !== undefined && !isChosen(agent)) continue
      if ((await store.take('consent', consentId(user, clientId))) !== undefined) consents++
    }
    const auditEventId = await revocation.revokeUser(user, created, reasonOf(body))
    return c.json({
      revoked_agent_ids: created.map(({ agentId }) => agentId),
      revoked_consent_count: consents,
      audit_event_id: auditEventId,
    })
  })

  async function consentsOf(user: string) {
    const consents = []
    for await (const consent of everyRecord(store, 'consent', `user:${user}`)) consents.push(consent)
    return consents
  }
}

/** All of the user's agents, or those named by either id. */
function chosenBy(ids: unknown): (agent: Client) => boolean {
  if (ids === undefined || ids === null) return () => true
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw invalidRequest('agent_ids must be a list of ids')
  }
  return ({ id, agentId }) => ids.includes(id) || ids.includes(agentId)
}

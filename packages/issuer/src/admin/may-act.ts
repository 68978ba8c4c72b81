import type { Hono } from 'hono'
import { invalidRequest } from '../errors.ts'
import { readJson } from '../http.ts'
import type { Parts } from '../parts.ts'
import { randomId } from '../random.ts'
import type { MayActGrant } from '../records.ts'
import { isScope } from '../scope.ts'
import { listPage, notFound } from './answers.ts'

/** Longest chain that a grant can allow. */
const MAX_HOPS = 10

/** /api/v1/admin/may-act: who may act for whom (RFC 8693). */
export function mayAct(admin: Hono, { settings, revocation }: Parts): void {
  const { store, clock } = settings

  admin.get('/admin/may-act', async (c) => {
    const { data, total } = await listPage(c, store, 'mayAct')
    const grants = data.map(describeGrant)
    return c.json({ grants, data: grants, total })
  })

  admin.post('/admin/may-act', async (c) => {
    const grant = readGrant(await readJson(c), clock())
    const indexes = [`pair:${grant.fromId} ${grant.toId}`]
    const expiry = grant.expiresAt === undefined ? {} : { expiresAt: grant.expiresAt }
    await store.add('mayAct', grant.id, grant, { indexes, ...expiry })
    await revocation.audit('may_act.created', grant.id, undefined, {
      from_id: grant.fromId,
      to_id: grant.toId,
    })
    return c.json(describeGrant(grant), 201)
  })

  admin.delete('/admin/may-act/:id', async (c) => {
    const grant = await store.take('mayAct', c.req.param('id'))
    if (grant === undefined) throw notFound()
    await revocation.audit('may_act.deleted', grant.id, undefined, {
      from_id: grant.fromId,
      to_id: grant.toId,
    })
    return c.json({ message: 'The grant has been revoked' })
  })
}

function readGrant(body: Readonly<Record<string, unknown>>, now: number): MayActGrant {
  const { from_id: fromId, to_id: toId, max_hops: maxHops = 1, scopes = [], expires_at: until } = body
  const isId = (id: unknown): id is string => typeof id === 'string' && id !== '' && id.length <= 1024
  if (!isId(fromId) || !isId(toId)) throw invalidRequest('from_id and to_id are required')
  if (typeof maxHops !== 'number' || !Number.isInteger(maxHops) || maxHops < 1 || maxHops > MAX_HOPS) {
    throw invalidRequest(`max_hops must be 1 to ${MAX_HOPS}`)
  }
  if (
    !Array.isArray(scopes) ||
    scopes.length > 100 ||
    !scopes.every((s) => typeof s === 'string' && isScope(s))
  ) {
    throw invalidRequest('scopes must be a list of scopes')
  }
  const expiresAt = readTime(until)
  if (expiresAt !== undefined && !(expiresAt > now)) throw invalidRequest('expires_at must be a time to come')
  return { id: `mag_${randomId()}`, fromId, toId, maxHops, scopes, expiresAt, createdAt: Math.floor(now) }
}

/** Seconds, or a date as JSON has it. */
function readTime(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const seconds = typeof value === 'string' ? Date.parse(value) / 1000 : value
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds : 0
}

function describeGrant({ id, fromId, toId, maxHops, scopes, expiresAt, createdAt }: MayActGrant) {
  const times = { expires_at: expiresAt ?? null, created_at: createdAt }
  return { id, from_id: fromId, to_id: toId, max_hops: maxHops, scopes, ...times }
}

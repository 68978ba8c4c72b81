import type { Hono } from 'hono'
import type { Parts } from '../parts.ts'
import type { AuditEvent } from '../records.ts'
import { listPage, searchPage } from './answers.ts'

/** /api/v1/audit-logs: what was done, newest first; of an `action`, to a `target`, or both. */
export function auditLogs(admin: Hono, { settings: { store } }: Parts): void {
  admin.get('/audit-logs', async (c) => {
    const { action, target } = c.req.query()
    const byAction = action === undefined ? undefined : `action:${action}`
    const { data, total } =
      target === undefined
        ? await listPage(c, store, 'audit', byAction)
        : await searchPage(
            c,
            store,
            'audit',
            `target:${target}`,
            (event) => action === undefined || event.action === action,
          )
    return c.json({ data: data.map(describeEvent), total })
  })
}

export function describeEvent({ id, action, target, reason, details, at }: AuditEvent) {
  return { id, action, target, reason: reason ?? null, details, at }
}

import type { Hono } from 'hono'
import { invalidRequest } from '../errors.ts'
import { readJson } from '../http.ts'
import type { Parts } from '../parts.ts'
import { chainOf, reasonOf } from './answers.ts'

/** Revocation by what tokens have in common. */
export function revocations(admin: Hono, { settings, revocation }: Parts): void {
  const { store, clock, longestLife } = settings

  /** L4. */
  admin.post('/admin/oauth/revoke-by-pattern', async (c) => {
    const body = await readJson(c)
    const pattern = body.client_id_pattern
    if (typeof pattern !== 'string' || pattern === '' || pattern.length > 128) {
      throw invalidRequest('client_id_pattern is required, at most 128 characters')
    }
    const { count, auditEventId } = await revocation.revokePattern(pattern, reasonOf(body), chainOf(body))
    return c.json({ revoked_count: count, audit_event_id: auditEventId, pattern_matched: pattern })
  })

  /** L1 by name, for tokens of elsewhere too: a rule is kept until `expires_at`. */
  admin.post('/admin/auth/revoke-jti', async (c) => {
    const body = await readJson(c)
    const { jti, expires_at: expiresAt } = body
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) throw invalidRequest('jti is required')
    const token = await store.get('token', jti)
    if (token !== undefined) {
      const { auditEventId } = await revocation.revokeToken(token, reasonOf(body))
      return c.json({ message: 'The token has been revoked', audit_event_id: auditEventId })
    }
    const until = Math.floor(clock()) + longestLife
    const x =
      typeof expiresAt === 'number' && expiresAt > 0 ? Math.min(Math.ceil(expiresAt) + 60, until) : until
    await store.appendRules([{ k: 'jti', v: jti, x }])
    const auditEventId = await revocation.audit('oauth.token_revoked', jti, reasonOf(body))
    return c.json({ message: 'The token has been revoked', audit_event_id: auditEventId })
  })
}

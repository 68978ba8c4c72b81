import { type Context, Hono } from 'hono'
import { OAuthError } from '../errors.ts'
import { uncacheable } from '../http.ts'
import type { Parts } from '../parts.ts'
import { agents } from './agents.ts'
import { auditLogs } from './audit-logs.ts'
import { mayAct } from './may-act.ts'
import { revocations } from './revocations.ts'
import { signingKeys } from './signing-keys.ts'
import { users } from './users.ts'
import { vaultConnections } from './vault-connections.ts'

/** SharkAuth's admin API, as far as agents, revocation, keys and the vault go. Errors are `{ error, message }`. */
export function createAdminApi(parts: Parts, isAdmin: (c: Context) => boolean): Hono {
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

  for (const mount of [agents, users, revocations, mayAct, auditLogs, signingKeys, vaultConnections]) {
    mount(admin, parts)
  }
  return admin
}

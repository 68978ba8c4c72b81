import type { Context } from 'hono'
import { authenticateClient } from './client-authentication.ts'
import { invalidRequest } from './errors.ts'
import { readForm, uncacheable } from './http.ts'
import type { Parts } from './parts.ts'
import { sha256 } from './random.ts'

/**
 * POST /oauth/revoke (RFC 7009), L1: an access token, or with a refresh token the whole grant. For the admin, and for the
 * client it was issued to. 200 also for what is unknown, revoked before, or somebody else's: it tells nothing (§2.2).
 */
export function createTokenRevocation(
  { settings, tokens, revocation }: Parts,
  isAdmin: (c: Context) => boolean,
) {
  return async (c: Context): Promise<Response> => {
    uncacheable(c)
    const form = await readForm(c)
    const caller = isAdmin(c) ? 'admin' : await authenticateClient(c, form, settings)
    const text = form.get('token')?.[0]
    if (text === undefined) throw invalidRequest('token is required')
    const isOwn = ({ clientId }: { clientId: string }) => caller === 'admin' || caller.id === clientId
    const access = await tokens.verify(text)
    if (access !== undefined) {
      if (isOwn(access.record)) await revocation.revokeToken(access.record)
      return c.body(null, 200)
    }
    const refresh = await settings.store.get('refresh', await sha256(text))
    if (refresh !== undefined && isOwn(refresh) && !(await revocation.isRevoked(refresh))) {
      await revocation.revokeGrant(refresh)
    }
    return c.body(null, 200)
  }
}

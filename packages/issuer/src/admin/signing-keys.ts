import type { Hono } from 'hono'
import { invalidRequest } from '../errors.ts'
import { readOptionalJson } from '../http.ts'
import type { Parts } from '../parts.ts'
import { reasonOf } from './answers.ts'

/** Rotation of the issuer's own keys. */
export function signingKeys(admin: Hono, { settings, keys, revocation }: Parts): void {
  /** `compromised: true` withdraws the key before at once, and with it all that it signed. */
  admin.post('/admin/auth/rotate-signing-key', async (c) => {
    const body = await readOptionalJson(c)
    const { compromised = false } = body
    if (typeof compromised !== 'boolean') throw invalidRequest('compromised must be true or false')
    const { kid, algorithm, previous, all } = await keys.rotate(compromised ? 0 : settings.tokenLifetime + 60)
    await revocation.audit('signing_key.rotated', kid, reasonOf(body), { previous })
    if (compromised) await revocation.withdrawKeys(all, reasonOf(body))
    return c.json({ rotated: true, kid, algorithm })
  })
}

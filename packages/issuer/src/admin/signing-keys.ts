import type { Hono } from 'hono'
import type { Parts } from '../parts.ts'

/** Rotation of the issuer's own keys. */
export function signingKeys(admin: Hono, { settings, keys, revocation }: Parts): void {
  admin.post('/admin/auth/rotate-signing-key', async (c) => {
    const { kid, algorithm, previous } = await keys.rotate(settings.tokenLifetime + 60)
    await revocation.audit('signing_key.rotated', kid, undefined, { previous })
    return c.json({ rotated: true, kid, algorithm })
  })
}

import type { Context } from 'hono'
import { isEqualInConstantTime } from './random.ts'

/** Whether a request carries the admin key, as a bearer token. */
export function createAdminCheck(adminKey: string) {
  return (c: Context): boolean => {
    const key = /^bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    return key !== undefined && isEqualInConstantTime(key, adminKey)
  }
}

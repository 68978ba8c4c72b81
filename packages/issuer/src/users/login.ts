import type { Context } from 'hono'
import type { Settings } from '../options.ts'
import { RateLimit } from '../rate-limit.ts'
import type { User } from './users.ts'

export type LoginOutcome =
  | { readonly user: User }
  /** @param retryAfter seconds to wait, when there have been too many attempts */
  | { readonly user?: undefined; readonly message: string; readonly retryAfter?: number }

/**
 * Checks names and passwords, ten attempts in five minutes for a name from an address, and so many that a machine can
 * bear from all.
 */
export function createLogin({ users, clock, clientAddress, log }: Settings) {
  const attempts = new RateLimit({ window: 300, perKey: 10, total: 3000 })

  return async function logIn(c: Context, username: string, password: string): Promise<LoginOutcome> {
    const retryAfter = attempts.take(`${clientAddress(c.req.raw)} ${username.slice(0, 200)}`, clock())
    if (retryAfter > 0) {
      return { message: 'There have been too many attempts. Try again in a few minutes.', retryAfter }
    }
    const user = await users.authenticate(username, password)
    log({
      level: 'info',
      message: 'login',
      outcome: user === undefined ? 'refused' : 'accepted',
      user: user?.id,
    })
    return user === undefined ? { message: 'The username or the password is wrong.' } : { user }
  }
}

import type { Context } from 'hono'
import { OAuthError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { RateLimit } from '../rate-limit.ts'

/** Counts registrations, an hour at a time. @returns a check that throws OAuthError 429 for one too many */
export function createRegistrationLimit({ registration, clock, clientAddress }: Settings) {
  const { perAddress, total } = registration
  const limit = new RateLimit({ window: 3600, perKey: perAddress, total })
  return (c: Context): void => {
    const address = clientAddress(c.req.raw)
    const wait = limit.take(address && networkOf(address), clock())
    if (wait === 0) return
    throw new OAuthError(
      'temporarily_unavailable',
      'There have been too many registrations; try again later',
      {
        status: 429,
        headers: { 'Retry-After': String(wait) },
      },
    )
  }
}

/** Of IPv6 the /64, which is what one customer has; IPv4 as it is, also where it comes mapped into IPv6. */
function networkOf(address: string): string {
  const bare = address.slice(0, 64).replace(/^::ffff:(?=\d+\.)/i, '')
  if (!URL.canParse(`http://[${bare}]`)) return bare
  const [left = '', right = ''] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split('::')
  const before = groupsOf(left)
  const after = groupsOf(right)
  const zeros = Array(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':')
}

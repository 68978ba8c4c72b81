import type { Context } from 'hono'
import ipaddr from 'ipaddr.js'
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

/** Of IPv6 the /64, which is what one customer has; IPv4 as it is. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address.slice(0, 64)
  const parsed = ipaddr.process(address)
  return 'parts' in parsed ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}

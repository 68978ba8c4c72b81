import type { Settings } from '../options.ts'
import type { SigningKeys } from '../signing-keys.ts'

/** Longest a request waits for a rule. */
const MAX_WAIT = 30
/** Requests that wait at once; those beyond are answered at once, and come back. */
const MAX_WAITING = 5000
/** A list says what it says for this long. */
const LIFETIME = 60

/**
 * The revocation list: a JWT, `typ: revocation-list+jwt`, with the rules after `since`. `wait` makes the answer wait until
 * there is a newer rule, or those seconds are over: then it is an empty, freshly signed list, and says that nothing happened.
 */
export function createRevocationList({ issuer, store, clock }: Settings, keys: SigningKeys) {
  let waiting = 0

  return async (query: URLSearchParams, signal: AbortSignal): Promise<Response> => {
    const since = parseNatural(query.get('since'))
    const wait = Math.min(MAX_WAIT, parseNatural(query.get('wait')))
    if (wait > 0 && waiting < MAX_WAITING) {
      waiting++
      await store.waitForRules(since, wait, signal).finally(() => waiting--)
    }
    const now = clock()
    const { seq, rules } = await store.rulesSince(since)
    const iat = Math.floor(now)
    const claims = { iss: issuer, iat, exp: iat + LIFETIME, seq, since, rules }
    const jwt = await keys.sign(claims, { typ: 'revocation-list+jwt' })
    return new Response(jwt, {
      headers: {
        'Content-Type': 'application/revocation-list+jwt',
        'Cache-Control': 'no-store',
        'Access-Control-Allow-Origin': '*',
      },
    })
  }
}

function parseNatural(text: string | null): number {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : 0
}

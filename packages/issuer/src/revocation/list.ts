import type { Settings } from '../options.ts'
import type { SigningKeys } from '../signing-keys.ts'
import type { Followers } from './followers.ts'
import { publishable } from './rules.ts'

/** Longest a request waits for a rule. */
const MAX_WAIT = 30
/** Requests that wait at once; those beyond are answered at once, and come back. */
const MAX_WAITING = 10_000
/** A list says what it says for this long. */
const LIFETIME = 60

/**
 * The revocation list: a JWT, `typ: revocation-list+jwt`, with the rules after `since`. `wait` makes the answer wait until
 * there is a newer rule, or those seconds are over: then it is an empty, freshly signed list, and says that nothing happened.
 * `guard` is a random name, under which a guard is known to have every rule up to the `since` it comes with.
 */
export function createRevocationList(
  { issuer, store, clock }: Settings,
  keys: SigningKeys,
  followers: Followers,
) {
  let waiting = 0
  let signed = new Map<number, Promise<string>>()
  let signedFor = ''

  /** One signature for all who ask for the same at the same time: guards that follow a list mostly do. */
  async function sign(since: number): Promise<string> {
    const now = clock()
    const { seq, rules } = await store.rulesSince(since)
    const iat = Math.floor(now)
    const state = `${seq} ${iat}`
    if (state !== signedFor) {
      signed = new Map()
      signedFor = state
    }
    const known = signed.get(since)
    if (known !== undefined) return known
    const claims = { iss: issuer, iat, exp: iat + LIFETIME, seq, since, rules: publishable(rules, now) }
    const jwt = keys.sign(claims, { typ: 'revocation-list+jwt' })
    signed.set(since, jwt)
    jwt.catch(() => signed.delete(since))
    return jwt
  }

  async function answer(since: number, wait: number, signal: AbortSignal): Promise<Response> {
    // A guard that is ahead followed an issuer that has lost its count: it has to know at once.
    if (wait > 0 && waiting < MAX_WAITING && (await store.rulesSince(since)).seq === since) {
      waiting++
      await store.waitForRules(since, wait, signal).finally(() => waiting--)
    }
    return new Response(await sign(since), {
      headers: {
        'Content-Type': 'application/revocation-list+jwt',
        'Cache-Control': 'no-store',
        'Access-Control-Allow-Origin': '*',
      },
    })
  }

  return async (query: URLSearchParams, signal: AbortSignal): Promise<Response> => {
    const since = parseNatural(query.get('since'))
    const leave = followers.arrive(query.get('guard'), since)
    try {
      return await answer(since, Math.min(MAX_WAIT, parseNatural(query.get('wait'))), signal)
    } finally {
      leave(signal.aborted)
    }
  }
}

function parseNatural(text: string | null): number {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : 0
}

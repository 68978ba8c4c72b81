import type { AuthInfo } from './auth-info.ts'
import type { createChallenges } from './challenge.ts'
import type { Scheme } from './credentials.ts'
import { REFUSALS, type Reason, UNAVAILABLE, Unavailable, type UnavailableReason } from './refusal.ts'

/** Response header fields by name. */
export type ResponseHeaders = Readonly<Record<string, string>>

/** A whole response. */
export interface Answer {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly body: string
}

/** The request may pass. */
export interface Allowed {
  readonly ok: true
  readonly auth: AuthInfo
  /** To be added to the response, whatever it is. */
  readonly headers: ResponseHeaders
}

/** The request is answered with this, and nothing else runs. */
export interface Refused extends Answer {
  readonly ok: false
  readonly reason: Reason | UnavailableReason
  readonly status: 400 | 401 | 403 | 429 | 503
  /** JSON: `error` (absent without credentials) and `error_description`. */
  readonly body: string
}

/** What {@link Guard.verify} comes to: `ok` tells which. */
export type Verdict = Allowed | Refused

/** Browsers show scripts no other fields unless told so (Fetch §3.2.6), and without these two no client can recover. */
const EXPOSED = { 'Access-Control-Expose-Headers': 'WWW-Authenticate, DPoP-Nonce' } as const
const UNCACHEABLE = { 'Cache-Control': 'no-store', ...EXPOSED } as const
const JSON_ANSWER = { 'Content-Type': 'application/json', ...UNCACHEABLE } as const

/** A nonce rides on every success (RFC 9449 §8.2), and what carries one must not be served to another. */
export function allowed(auth: AuthInfo, nonce: string | undefined): Allowed {
  return { ok: true, auth, headers: nonce === undefined ? EXPOSED : { 'DPoP-Nonce': nonce, ...UNCACHEABLE } }
}

/**
 * Refusals by reason and scheme. Each is made once and frozen, since nothing of the request goes into it: refusing
 * garbage must cost next to nothing.
 */
export function createRefusals(challenge: ReturnType<typeof createChallenges>) {
  const usual = new Map<string, Refused>()

  function build(reason: Reason, scheme: Scheme | undefined, extra: RefusalExtras): Refused {
    const { status, error, description } = REFUSALS[reason]
    const headers: Record<string, string> = { 'WWW-Authenticate': challenge(reason, scheme, extra.scopes) }
    if (extra.nonce !== undefined) headers['DPoP-Nonce'] = extra.nonce
    return Object.freeze({
      ok: false,
      reason,
      status,
      headers: Object.freeze({ ...headers, ...JSON_ANSWER }),
      body: JSON.stringify({ error, error_description: description }),
    })
  }

  return (reason: Reason, scheme: Scheme | undefined, extra?: RefusalExtras): Refused => {
    if (extra !== undefined) return build(reason, scheme, extra)
    const key = scheme === undefined ? reason : `${scheme} ${reason}`
    const known = usual.get(key)
    if (known !== undefined) return known
    const refused = build(reason, scheme, {})
    usual.set(key, refused)
    return refused
  }
}

interface RefusalExtras {
  /** The scopes an operation needs, where they are not the guard's own. */
  readonly scopes?: readonly string[]
  readonly nonce?: string | undefined
}

/** Any failure that is no refusal: nothing is known, so nothing passes. */
export function unavailable(failure: unknown): Refused {
  const known = failure instanceof Unavailable ? failure : new Unavailable('unexpected', { cause: failure })
  const { status, description } = UNAVAILABLE[known.reason]
  return {
    ok: false,
    reason: known.reason,
    status,
    headers: { 'Retry-After': String(Math.ceil(known.retryAfter)), ...JSON_ANSWER },
    body: JSON.stringify({ error: 'temporarily_unavailable', error_description: description }),
  }
}

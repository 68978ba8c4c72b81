import { Unavailable } from '../refusal.ts'

/** Up to this age, in seconds, state is taken as it is. */
export const FRESH = 5
/** Up to this age it still decides, and is reported; beyond it nothing is known any more. */
export const STALE = 60

/**
 * How old what we know is: by the issuer's own date and by when it was received, whichever is more. An issuer whose clock
 * is ahead cannot make its state look younger than it is here.
 */
export class Freshness {
  readonly #clock: () => number
  #issuedAt = Number.NEGATIVE_INFINITY
  #receivedAt = Number.NEGATIVE_INFINITY

  constructor(clock: () => number) {
    this.#clock = clock
  }

  renew(issuedAt: number, receivedAt: number): void {
    this.#issuedAt = Math.max(this.#issuedAt, issuedAt)
    this.#receivedAt = receivedAt
  }

  /** Seconds; infinite before the first time. */
  age(): number {
    const now = this.#clock()
    // The issuer dates in whole seconds, and its clock may be a little behind ours.
    return Math.max(now - this.#receivedAt, now - this.#issuedAt - FRESH)
  }

  /** @throws Unavailable when it is too old to say anything */
  requireKnown(what: string): void {
    const age = this.age()
    if (age > STALE)
      throw new Unavailable('revocation_unavailable', { retryAfter: 2, detail: `${what} is too old` })
  }
}

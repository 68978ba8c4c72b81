/** Up to this age, in seconds, state is taken as it is. */
export const FRESH = 5
/** Up to this age it still decides, and is reported; beyond it nothing is known any more. */
export const STALE = 60
/** The issuer dates in whole seconds, and its clock may be a little behind ours. */
const BEHIND = 5

/**
 * How old what we know is: since it was received, by the clock and by the monotonic one (the clock may be set back), and
 * since the issuer's own date less what its clock may be behind; whichever is most.
 */
export class Freshness {
  readonly #clock: () => number
  #issuedAt = Number.NEGATIVE_INFINITY
  #receivedAt = Number.NEGATIVE_INFINITY
  #receivedTick = Number.NEGATIVE_INFINITY

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** The newest date of the issuer's; -Infinity before the first. */
  get issuedAt(): number {
    return this.#issuedAt
  }

  renew(issuedAt: number): void {
    this.#issuedAt = Math.max(this.#issuedAt, issuedAt)
    this.#receivedAt = this.#clock()
    this.#receivedTick = performance.now()
  }

  /** Seconds; infinite before the first time. */
  age(): number {
    const now = this.#clock()
    const elapsed = (performance.now() - this.#receivedTick) / 1000
    return Math.max(now - this.#receivedAt, elapsed, now - this.#issuedAt - BEHIND)
  }
}

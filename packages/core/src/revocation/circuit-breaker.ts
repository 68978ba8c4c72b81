/** Failures in a row after which a service is left alone. */
const BREAKS_AFTER = 5
/** Seconds it is left alone: from … to, doubling with each further failure. */
const SHORTEST = 1
const LONGEST = 30

/** Keeps requests from a service that fails: after five failures in a row, one attempt per pause instead of all. */
export class CircuitBreaker {
  readonly #clock: () => number
  #failures = 0
  #openUntil = Number.NEGATIVE_INFINITY

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Seconds until the next attempt is let through; 0 when one is now. */
  get pause(): number {
    const left = this.#openUntil - this.#clock()
    // A clock that was set back must not keep the circuit open.
    return left > 0 && left <= LONGEST ? left : 0
  }

  /** Whether to try now. After a pause only the first who asks may; the rest wait for what becomes of it. */
  enter(): boolean {
    if (this.pause > 0) return false
    if (this.#failures >= BREAKS_AFTER) this.#open()
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#openUntil = Number.NEGATIVE_INFINITY
  }

  failed(): void {
    if (++this.#failures >= BREAKS_AFTER) this.#open()
  }

  #open(): void {
    const pause = Math.min(LONGEST, SHORTEST * 2 ** (this.#failures - BREAKS_AFTER))
    this.#openUntil = this.#clock() + pause
  }
}

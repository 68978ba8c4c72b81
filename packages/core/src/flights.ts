import { within } from './within.ts'

/** Seconds that a timer may be late. */
export const LATE = 1

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

interface Flight<T> {
  /** Never rejects. */
  readonly outcome: Promise<Outcome<T>>
  /** By the monotonic clock, milliseconds. */
  readonly endsBy: number
}

/**
 * Attempts that are shared: one at a time for each key, however many need its outcome.
 *
 * Where each request has I/O of its own (Workers), whatever a request has begun ends with it, and the promise of that never
 * settles, or is rejected by the runtime. So nobody relies on what another has begun: when it is found dead, or has not ended
 * in the longest time it can take, whoever waits for it makes an attempt of its own, and the others wait for that.
 */
export class Flights<T> {
  readonly #longest: number
  readonly #flights = new Map<string, Flight<T>>()

  /** @param longest seconds in which every attempt ends by itself */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** How many are under way. */
  get size(): number {
    for (const [key, flight] of this.#flights) if (isOverdue(flight)) this.#flights.delete(key)
    return this.#flights.size
  }

  /** Whether there is one to join. */
  has(key = ''): boolean {
    return this.#find(key) !== undefined
  }

  /** Joins the attempt that is under way, or makes one. */
  async run(attempt: () => Promise<T>, key = ''): Promise<T> {
    for (;;) {
      const flight = this.#find(key) ?? this.#start(attempt, key)
      const left = (flight.endsBy - performance.now()) / 1000
      // What never rejects was rejected by the runtime: it is dead.
      const outcome = await within(left, flight.outcome).catch(() => undefined)
      if (outcome === undefined) this.#end(flight, key)
      else if ('value' in outcome) return outcome.value
      else throw outcome.error
    }
  }

  #find(key: string): Flight<T> | undefined {
    const flight = this.#flights.get(key)
    return flight === undefined || isOverdue(flight) ? undefined : flight
  }

  #start(attempt: () => Promise<T>, key: string): Flight<T> {
    const outcome = attempt().then(
      (value) => {
        this.#end(flight, key)
        return { value }
      },
      (error: unknown) => {
        this.#end(flight, key)
        return { error }
      },
    )
    const flight = { outcome, endsBy: performance.now() + this.#longest * 1000 }
    this.#flights.set(key, flight)
    return flight
  }

  #end(flight: Flight<T>, key: string): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}

function isOverdue({ endsBy }: Flight<unknown>): boolean {
  return endsBy <= performance.now()
}

import { setTimeout as sleep } from 'node:timers/promises'
import { type Caller, call } from './caller.ts'

/** What came of one request. Times in milliseconds since the epoch. */
export interface Answer {
  /** The guard's, by its place. */
  readonly guard: number
  readonly sentAt: number
  readonly at: number
  /** 0: there was no answer. */
  readonly status: number
  /** The header, as a number; not one where there is none. */
  readonly retryAfter: number
}

/** Requests to each of some guards at a rate of their own, whether answers come or not: what a server meets. */
export class Load {
  readonly answers: Answer[] = []
  readonly #resources: readonly string[]
  readonly #callers: readonly Caller[]
  readonly #running: Promise<void>
  #going = true

  /** @param rate requests a second to each guard */
  constructor(resources: readonly string[], callers: readonly Caller[], rate: number) {
    this.#resources = resources
    this.#callers = callers
    this.#running = this.#run(rate)
  }

  async stop(): Promise<void> {
    this.#going = false
    await this.#running
  }

  async #run(rate: number): Promise<void> {
    const started = performance.now()
    const underWay = new Set<Promise<void>>()
    for (let sent = 0; this.#going; await sleep(5)) {
      for (; sent < ((performance.now() - started) / 1000) * rate; sent++) {
        for (const guard of this.#resources.keys()) {
          const sending = this.#send(guard, this.#callers[sent % this.#callers.length] as Caller)
          underWay.add(sending)
          void sending.then(() => underWay.delete(sending))
        }
      }
    }
    await Promise.all(underWay)
  }

  async #send(guard: number, caller: Caller): Promise<void> {
    const sentAt = wallClock()
    const response = await call(this.#resources[guard] as string, caller).catch(() => undefined)
    const retryAfter = Number(response?.headers.get('retry-after') ?? Number.NaN)
    this.answers.push({ guard, sentAt, at: wallClock(), status: response?.status ?? 0, retryAfter })
  }
}

/** Milliseconds since the epoch, with fractions; about the same in all processes. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now()
}

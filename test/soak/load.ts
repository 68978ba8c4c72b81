import type { Kind } from './traffic.ts'

/** What came of all requests of one kind. */
export interface Outcome {
  sent: number
  /** A wrong outcome, and how often. */
  readonly wrong: Map<string, number>
}

/** Requests per second with `concurrency` of them always under way. */
export async function measureCapacity(kind: Kind, seconds: number, concurrency: number): Promise<number> {
  const end = performance.now() + seconds * 1000
  let done = 0
  const lane = async () => {
    while (performance.now() < end) {
      await kind.run()
      done++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return done / seconds
}

/** Past this, the machine is busy elsewhere: more would measure a queue of ours, and end in deadlines of everybody's. */
const MOST_UNDER_WAY = 96

/** Requests at a rate of their own, whether the answers come or not: what a server meets. */
export class OpenLoad {
  readonly outcomes = new Map<string, Outcome>()
  readonly latencies: number[] = []
  underWay = 0
  /** Requests that were not sent because too many were under way. */
  heldBack = 0
  readonly #kinds: readonly Kind[]
  readonly #total: number

  constructor(kinds: readonly Kind[]) {
    this.#kinds = kinds
    this.#total = kinds.reduce((sum, { weight }) => sum + weight, 0)
  }

  async run(rate: number, seconds: number, each: (second: number) => Promise<void>): Promise<void> {
    const started = performance.now()
    let sent = 0
    let second = 0
    const pending: Promise<void>[] = []
    for (;;) {
      const elapsed = (performance.now() - started) / 1000
      if (elapsed >= seconds) break
      if (Math.floor(elapsed) > second) pending.push(each(second++))
      for (; sent < elapsed * rate; sent++) {
        if (this.underWay < MOST_UNDER_WAY) void this.#send()
        else this.heldBack++
      }
      await new Promise((resolve) => setTimeout(resolve, 4))
    }
    await Promise.all(pending)
    while (this.underWay > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  async #send(): Promise<void> {
    const kind = this.#pick()
    const outcome = this.outcomes.get(kind.name) ?? { sent: 0, wrong: new Map() }
    this.outcomes.set(kind.name, outcome)
    outcome.sent++
    this.underWay++
    const started = performance.now()
    const problem = await kind.run().catch((error) => `lost: ${error}`)
    if (kind.name === 'honest') this.latencies.push(performance.now() - started)
    this.underWay--
    if (problem !== undefined) outcome.wrong.set(problem, (outcome.wrong.get(problem) ?? 0) + 1)
  }

  #pick(): Kind {
    let at = Math.random() * this.#total
    for (const kind of this.#kinds) {
      at -= kind.weight
      if (at < 0) return kind
    }
    return this.#kinds[0] as Kind
  }
}

import { Flights, LATE } from '../flights.ts'
import { within } from '../within.ts'

/** Seconds after which others begin a turn of their own, while the one that a request has begun goes on. */
const LONGEST = 16

/**
 * Something done over and over, one turn at a time, until it is stopped. The first turn is begun by whoever needs it; each
 * is followed by the next. Where the loop has stalled, because what it ran in is gone (the request on Workers) or was
 * frozen (Lambda), whoever needs it begins it anew.
 */
export class Polling {
  readonly #turn: (begun: boolean) => Promise<number>
  readonly #begun = new Flights<void>(LONGEST)
  readonly #waiting = new Set<() => void>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false
  /** Counts the beginnings: what an earlier one has left behind goes no further. */
  #loop = 0
  #nextAt = 0
  /** By when a loop that lives shows a sign of life. */
  #dueBy = Number.NEGATIVE_INFINITY

  /**
   * @param turn never rejects; answers after how many seconds the next turn follows; is told whether this one was begun by
   * somebody who waits for it
   */
  constructor(turn: (begun: boolean) => Promise<number>) {
    this.#turn = turn
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Whether a turn that somebody has begun is under way. */
  get begun(): boolean {
    return this.#begun.has()
  }

  /** Whether no turn will come, unless somebody begins one. */
  get stalled(): boolean {
    return !this.begun && performance.now() >= this.#dueBy
  }

  /** Seconds until the next turn; 0 during one. */
  get pause(): number {
    return Math.max(0, this.#nextAt - performance.now()) / 1000
  }

  /** A turn says that it will be heard of again within some seconds. */
  expect(seconds: number): void {
    this.#dueBy = performance.now() + (seconds + LATE) * 1000
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#wake()
  }

  /** Resolves after a turn, when stopped, and in any case after some seconds. Begins a turn where none is to come. */
  async afterTurn(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000
    for (;;) {
      const now = performance.now()
      if (this.stopped || now >= end) return
      if (this.begun || this.stalled) {
        return within(
          (end - now) / 1000,
          this.#begun.run(() => this.#run(++this.#loop, true)),
        )
      }
      if (await this.#awake((Math.min(end, this.#dueBy) - now) / 1000)) return
    }
  }

  async #run(loop: number, begun: boolean): Promise<void> {
    if (loop !== this.#loop) return
    const pause = await this.#turn(begun)
    if (loop !== this.#loop) return
    this.#nextAt = performance.now() + pause * 1000
    this.expect(pause)
    this.#wake()
    if (this.stopped) return
    this.#timer = setTimeout(() => void this.#run(loop, false), pause * 1000)
    // On Node a timer keeps the process alive; news of revocations is no reason to.
    ;(this.#timer as { unref?: () => void }).unref?.()
  }

  /** @returns whether there was a turn, or the end, within some seconds */
  #awake(seconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = () => end(true)
      const end = (awake: boolean) => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve(awake)
      }
      const timer = setTimeout(() => end(false), seconds * 1000)
      this.#waiting.add(done)
    })
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done()
  }
}

/** Something done over and over, one turn at a time, until it is stopped. */
export class Polling {
  readonly #turn: () => Promise<number>
  readonly #waiting = new Set<() => void>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #state: 'new' | 'running' | 'stopped' = 'new'
  #nextAt = 0

  /** @param turn never rejects; answers after how many seconds the next turn follows */
  constructor(turn: () => Promise<number>) {
    this.#turn = turn
  }

  get stopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Seconds until the next turn; 0 during one. */
  get pause(): number {
    return Math.max(0, this.#nextAt - performance.now()) / 1000
  }

  /** Idempotent; nothing starts again what was stopped. */
  start(): void {
    if (this.#state !== 'new') return
    this.#state = 'running'
    void this.#run()
  }

  stop(): void {
    this.#state = 'stopped'
    clearTimeout(this.#timer)
    this.#wake()
  }

  /** Resolves after a turn, when stopped, and in any case after some seconds. */
  afterTurn(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, seconds * 1000)
      this.#waiting.add(done)
      if (this.stopped) done()
    })
  }

  async #run(): Promise<void> {
    const pause = await this.#turn()
    this.#nextAt = performance.now() + pause * 1000
    this.#wake()
    if (this.stopped) return
    this.#timer = setTimeout(() => void this.#run(), pause * 1000)
    // On Node a timer keeps the process alive; news of revocations is no reason to.
    ;(this.#timer as { unref?: () => void }).unref?.()
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done()
  }
}

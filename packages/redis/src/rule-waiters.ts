import { type BlockingReader, type DuplicableClient, duplicateOf } from './client.ts'
import { within } from './deadline.ts'

/** How long one read blocks at most: nobody waits on a connection that is dead without having been closed. */
const BLOCK_MS = 2000
/** After a read that failed. */
const RETRY_MS = 200

interface Waiter {
  readonly since: number
  readonly wake: () => void
}

/**
 * Those who wait for the next rule. One blocking read at a time serves all of them, over a connection of its own, and only
 * while there is somebody. It asks for what is newer than what it has seen, by number, so that nothing is missed between
 * two reads, or while the connection was lost.
 */
export class RuleWaiters {
  readonly #client: DuplicableClient
  readonly #stream: string
  readonly #waiting = new Set<Waiter>()
  #seen = 0
  #reader: BlockingReader | undefined
  #reading = false
  #closed = false

  constructor(client: DuplicableClient, stream: string) {
    this.#client = client
    this.#stream = stream
  }

  /**
   * Resolves when there is a rule after `since`, or after `seconds`, or when `signal` aborts.
   * @param newest asks for the number of the newest rule
   */
  async wait(
    since: number,
    seconds: number,
    signal: AbortSignal,
    newest: () => Promise<number>,
  ): Promise<void> {
    if (signal.aborted || this.#closed) return
    let stop = () => {}
    const over = new Promise<void>((resolve) => {
      stop = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
        this.#waiting.delete(waiter)
        resolve()
      }
      const waiter = { since, wake: stop }
      const timer = setTimeout(stop, seconds * 1000)
      signal.addEventListener('abort', stop)
      this.#waiting.add(waiter)
    })
    // Only now: a rule that comes in between finds somebody waiting.
    try {
      this.#see(await newest())
    } catch (error) {
      stop()
      throw error
    }
    void this.#read()
    await over
  }

  close(): void {
    this.#closed = true
    for (const { wake } of this.#waiting) wake()
    this.#reader?.close()
  }

  #see(seq: number): void {
    this.#seen = seq
    for (const { since, wake } of this.#waiting) if (seq > since) wake()
  }

  async #read(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    while (this.#waiting.size > 0 && !this.#closed) {
      try {
        this.#reader ??= duplicateOf(this.#client)
        const read = this.#reader.read(this.#stream, `${this.#seen}-0`, BLOCK_MS)
        const id = await within(2 * BLOCK_MS, read)
        if (id !== undefined) this.#see(Number.parseInt(id, 10))
      } catch {
        this.#reader?.close()
        this.#reader = undefined
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    this.#reading = false
  }
}

import type { Connection } from './client.ts'
import { within } from './deadline.ts'
import { parseServerInfo, type ServerInfo } from './server-info.ts'

/** What was seen of the server when it was last looked at. */
export interface Sight extends ServerInfo {
  /** Milliseconds on this process's monotonic clock. */
  readonly at: number
  /** The server's own time then, in seconds since the epoch. */
  readonly serverTime: number
}

/** Milliseconds after which it is looked at again, beside the claims. */
const LOOK_AGAIN = 1000
/** Milliseconds after which claims wait for that. */
const HOLDS = 5000
/** Milliseconds. */
const LOOK_DEADLINE = 1000

/**
 * Watches whether the server is still the one that has seen all claims. Replicas lag behind, and a restarted server may
 * come up with less than it had: after either, some used proofs are not there any more, and nobody knows which.
 *
 * Without a timer: claims ask for a look when the last one is old, so that an idle process does nothing.
 */
export class ServerWatch {
  /** Lost connections so far. A reply that comes over another connection than its command went out on proves nothing. */
  losses = 0
  /** The second until which used proofs may have been forgotten, by the later of our clock and the server's. */
  forgottenUntil = Number.NEGATIVE_INFINITY
  /** The latest that a proof was accepted: a clock that was set back since must not make it younger than it is. */
  latestUse = Number.NEGATIVE_INFINITY
  /** The latest the server's clock has been seen at: what expired until then is gone, even if it was set back since. */
  latestTime = Number.NEGATIVE_INFINITY
  readonly #connection: Connection
  readonly #clock: () => number
  /** Holds the run id that wrote it and `forgottenUntil`; replicas inherit it, so that even a new process can tell. */
  readonly #recordKey: string
  readonly #stop: () => void
  #sight: Sight | undefined
  /** Whether the sight is of the connection we have. */
  #holds = false
  #recorded = false
  #looking: Promise<Sight> | undefined
  #abandon: ((reason: Error) => void) | undefined

  constructor(connection: Connection, recordKey: string, clock: () => number) {
    this.#connection = connection
    this.#recordKey = recordKey
    this.#clock = clock
    this.#stop = connection.onLost(() => {
      this.losses++
      this.doubt()
      this.#abandon?.(new Error('the connection to the server was lost'))
    })
  }

  /** Before the first sight and before anything went wrong: the client may still be connecting. */
  get isStarting(): boolean {
    return this.#sight === undefined && this.losses === 0
  }

  /** The server's time, not less than it really is, unless it has been set forward since it was last looked at. */
  timeOf(sight: Sight): number {
    return sight.serverTime + (performance.now() - sight.at) / 1000
  }

  /** The last sight where it still holds, else a new one. Rejects when the server cannot be trusted with a claim. */
  async see(): Promise<Sight> {
    const age = this.#sight === undefined ? 0 : performance.now() - this.#sight.at
    if (this.#sight === undefined || !this.#holds || age > HOLDS) return this.look()
    if (age > LOOK_AGAIN) this.look().catch(() => this.doubt())
    return this.#sight
  }

  /** Makes the next claim wait for a new look. */
  doubt(): void {
    this.#holds = false
  }

  look(): Promise<Sight> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  close(): void {
    this.#stop()
  }

  async #look(): Promise<Sight> {
    if (!this.#connection.isUp && !this.isStarting) throw new Error('there is no connection to the server')
    const at = performance.now()
    const losses = this.losses
    const lost = new Promise<never>((_, reject) => {
      this.#abandon = reject
    })
    const replies = Promise.all([
      this.#connection.send('INFO'),
      this.#connection.send('TIME'),
      // Where it may not be read, new processes just know less.
      this.#connection.send('GET', this.#recordKey).catch(() => undefined),
    ])
    const [info, time, record] = await within(LOOK_DEADLINE, Promise.race([replies, lost]))
    if (losses !== this.losses) throw new Error('the connection to the server was lost')
    const sight = { ...parseServerInfo(String(info)), at, serverTime: parseTime(time) }
    this.latestTime = Math.max(this.latestTime, sight.serverTime)
    const now = Math.max(this.#clock(), sight.serverTime)
    const { writer, forgottenUntil } = parseRecord(record)
    if (forgottenUntil > this.forgottenUntil) this.forgottenUntil = Math.min(forgottenUntil, now)
    if (this.#hasForgotten(sight, record)) {
      this.forgottenUntil = Math.max(now, this.latestUse)
    } else if (writer !== undefined && writer !== sight.runId) {
      // We are new here, and the record is of before a failover or a restart that we have not seen.
      this.forgottenUntil = sight.promoted ? now : now - sight.uptime
    }
    this.#sight = sight
    this.#holds = true
    await this.#record(sight, record)
    return sight
  }

  /** Whether it is not the server that we saw before, or not its data. */
  #hasForgotten(sight: Sight, record: unknown): boolean {
    const before = this.#sight
    if (before === undefined) return false
    // A server that does not say who it is may be another one whenever we had to connect again.
    if (sight.runId === undefined) return !this.#holds
    if (record === null && this.#recorded) return true
    // A primary also takes a new id when it gets its first replica or has lost its last, but forgets nothing by it.
    const promoted = sight.replicationId !== before.replicationId && sight.promoted
    return sight.runId !== before.runId || promoted
  }

  async #record(sight: Sight, found: unknown): Promise<void> {
    const record = `${sight.runId ?? ''} ${Math.max(0, this.forgottenUntil)}`
    this.#recorded = found === record
    if (this.#recorded || sight.runId === undefined || found === undefined) return
    try {
      await within(LOOK_DEADLINE, this.#connection.send('SET', this.#recordKey, record))
      this.#recorded = true
    } catch {
      // A full server takes no record, and no claims either.
    }
  }
}

function parseTime(reply: unknown): number {
  const [seconds, microseconds] = Array.isArray(reply) ? reply.map(Number) : []
  const time = Number(seconds) + Number(microseconds) / 1e6
  if (!Number.isFinite(time)) throw new Error('the server does not tell its time')
  return time
}

function parseRecord(reply: unknown): { writer: string | undefined; forgottenUntil: number } {
  if (reply === null || reply === undefined) return { writer: undefined, forgottenUntil: Number.NaN }
  const [writer, forgottenUntil] = String(reply).split(' ')
  return { writer, forgottenUntil: Number(forgottenUntil) }
}

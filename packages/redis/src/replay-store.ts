import { ConfigurationError, type ReplayStore, type ReplayVerdict, Unavailable } from '@sharkguard/core'
import { connectionOf, type RedisClient } from './client.ts'
import { secondsOf } from './clock.ts'
import { Late, within } from './deadline.ts'
import { ServerWatch } from './server-watch.ts'

/** Options of {@link redisReplayStore}. Seconds, but for `deadlineMs`. */
export interface RedisReplayStoreOptions {
  /** Put before each key. Stores with one prefix on one server are one store. Default `'sharkguard:replay:'`. */
  readonly prefix?: string
  /** Milliseconds a claim may take before it is refused. Default 50; the first ones may wait a second for a connection. */
  readonly deadlineMs?: number
  /**
   * Seconds from a claim to its `expiresAt` at most: `proofMaxAge + 2 * clockTolerance + 1` of the guards. Default 81, as
   * their defaults give; say it when you change those. What was accepted that long before a failover is refused after
   * it. A longer life, once seen, counts as 901, the longest a guard can have.
   */
  readonly window?: number
  /** Seconds since the epoch. Default: the system's clock. */
  readonly clock?: () => number
}

/** What {@link redisReplayStore} makes. */
export interface RedisReplayStore extends ReplayStore {
  claim(key: string, expiresAt: number, jkt?: string): Promise<ReplayVerdict>
  /**
   * Resolves when the server can be trusted with claims. Call it at start-up.
   * @throws ConfigurationError naming `maxmemory-policy` when the server may evict
   * @throws Unavailable when it does not answer, or is a replica
   */
  ready(): Promise<void>
  /** Stops listening to the client. The client is yours to close. */
  close(): void
  /** Proofs that expire at or before this second are refused: a failover may have forgotten them, or they have expired. */
  readonly floor: number
}

const DEFAULT_WINDOW = 81
const LONGEST_WINDOW = 901
const STARTING_MS = 1000
const OPTIONS = ['prefix', 'deadlineMs', 'window', 'clock']

/**
 * Remembers used proofs in a Redis that several instances share. A claim is one `SET key 1 NX PXAT expiresAt`: exactly one
 * of any number of concurrent copies wins, in any number of processes.
 *
 * **Whenever it cannot know, it refuses**: no connection, no reply within the deadline, an error, a full server, a replica,
 * a server that may evict. After a failover, a restart or a flush it refuses what may have been used before, until
 * honest proofs are younger than that: `2 * clockTolerance` seconds. It recovers by itself.
 *
 * It does not know a quota per key, and takes no cluster: its shards fail over one by one, unseen.
 * @param client of node-redis (v4 to v6) or ioredis (v5, v6); connecting and closing it stays with you
 * @throws ConfigurationError for another kind of client, or a wrong or unknown option
 */
export function redisReplayStore(
  client: RedisClient,
  options: RedisReplayStoreOptions = {},
): RedisReplayStore {
  const { prefix, deadlineMs, clock, ...settings } = resolveOptions(options)
  let { window } = settings
  const connection = connectionOf(client)
  const server = new ServerWatch(connection, `${prefix}server`, clock)
  /** How many replies there had been when one was late: until there are more, the server is silent. */
  let lateAfter: number | undefined

  const floor = () => Math.max(server.forgottenUntil + window, server.latestTime)

  function requireAboveFloor(expiresAt: number): void {
    if (expiresAt > floor()) return
    throw unavailable('the server may have forgotten this proof', Math.ceil(floor() - expiresAt) + 1)
  }

  async function admit(key: string, expiresAt: number): Promise<ReplayVerdict> {
    const sight = await server.see()
    const { losses } = server
    if (!connection.isUp) throw new Error('there is no connection to the server')
    const serverTime = server.timeOf(sight)
    const now = Math.max(clock(), serverTime)
    const life = expiresAt - now
    // An expiry that has passed would delete the key at once, and make the next copy fresh as well.
    if (!(life > 0)) throw unavailable('the proof has expired, by our clock or by that of the server')
    if (life > window) window = LONGEST_WINDOW
    requireAboveFloor(expiresAt)
    const expiry = sight.knowsPxat
      ? (['PXAT', milliseconds(expiresAt)] as const)
      : (['PX', milliseconds(expiresAt - serverTime)] as const)
    const reply = await connection.send('SET', prefix + key, '1', 'NX', ...expiry)
    if (losses !== server.losses) throw new Error('the connection was lost before the reply')
    requireAboveFloor(expiresAt)
    if (reply === null) return 'replayed'
    if (reply !== 'OK') throw new Error('the server answers SET with something else')
    server.latestUse = Math.max(server.latestUse, now)
    return 'fresh'
  }

  return {
    async claim(key, expiresAt) {
      const { replies } = connection
      if (lateAfter === replies) {
        // One look at a time asks whether it is back; claims would only pile up.
        server.look().catch(() => server.doubt())
        throw unavailable('the server has stopped replying')
      }
      const deadline = server.isStarting ? Math.max(deadlineMs, STARTING_MS) : deadlineMs
      try {
        return await within(deadline, admit(key, expiresAt))
      } catch (error) {
        if (error instanceof Unavailable) throw error
        if (error instanceof Late && connection.replies === replies) lateAfter = replies
        server.doubt()
        throw refusalOf(error)
      }
    },
    async ready() {
      try {
        await server.look()
      } catch (error) {
        throw error instanceof ConfigurationError ? error : refusalOf(error)
      }
    },
    close() {
      server.close()
    },
    get floor() {
      return floor()
    },
  }
}

function milliseconds(seconds: number): string {
  return String(Math.max(1, Math.ceil(seconds * 1000)))
}

function unavailable(detail: string, retryAfter = 1, cause?: unknown): Unavailable {
  return new Unavailable('replay_store_unavailable', { detail, retryAfter, cause })
}

function refusalOf(error: unknown): Unavailable {
  const message = error instanceof Error ? error.message : String(error)
  if (message.startsWith('OOM')) return new Unavailable('replay_store_full', { cause: error })
  return unavailable(message, 1, error)
}

function resolveOptions(options: RedisReplayStoreOptions) {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name))
      throw new ConfigurationError(name, `unknown option; known are ${OPTIONS.join(', ')}`)
  }
  const { prefix = 'sharkguard:replay:', deadlineMs = 50, window = DEFAULT_WINDOW } = options
  if (typeof prefix !== 'string') throw new ConfigurationError('prefix', 'expected text')
  if (!(deadlineMs > 0 && deadlineMs <= 10_000)) {
    throw new ConfigurationError('deadlineMs', 'expected milliseconds above 0, at most 10000')
  }
  if (!(window > 0 && window <= LONGEST_WINDOW)) {
    throw new ConfigurationError('window', `expected seconds above 0, at most ${LONGEST_WINDOW}`)
  }
  if (options.clock !== undefined && typeof options.clock !== 'function') {
    throw new ConfigurationError('clock', 'expected a function')
  }
  return { prefix, deadlineMs, window, clock: secondsOf(options.clock ?? Date.now) }
}

import { ConfigurationError } from '@sharkguard/core'

/** What is used of an ioredis client (v5, v6). With its `sentinels` option it follows a failover by itself. */
export interface IoredisClient {
  readonly status: string
  readonly isCluster?: boolean
  call(...args: [command: string, ...args: string[]]): Promise<unknown>
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
}

/** What is used of a node-redis client (v4 to v6): `createClient()`, not a pool, cluster or sentinel. */
export interface NodeRedisClient {
  readonly isReady: boolean
  sendCommand(args: string[]): Promise<unknown>
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
}

/** A client of node-redis (v4 to v6) or ioredis (v5, v6). Connecting and closing it stays with you. */
export type RedisClient = IoredisClient | NodeRedisClient

/** One connection to one server at a time, whichever library holds it. */
export interface Connection {
  send(...args: [command: string, ...args: string[]]): Promise<unknown>
  /** Replies so far, errors included: whether a late one is alone in that. */
  readonly replies: number
  /** Whether a command would go out now, rather than wait in the client for a connection. */
  readonly isUp: boolean
  /** Calls the listener when the connection is lost, before any reply can come over the next one. */
  onLost(listener: () => void): () => void
}

/** A client that another connection to the same server can be had from: both libraries' own. */
export type DuplicableClient = RedisClient & { duplicate(): unknown }

/** A connection of its own, which a read may block. */
export interface BlockingReader {
  /** The id of the newest entry of the stream after `id`; `undefined` if there is none within `milliseconds`. */
  read(stream: string, id: string, milliseconds: number): Promise<string | undefined>
  close(): void
}

/** Both libraries lose a connection with one of these; neither replies over a new one before. */
const LOST = ['close', 'reconnecting', 'end']

/** @throws ConfigurationError for anything but a client of one server, whose failover could not be watched. */
export function connectionOf(client: RedisClient): Connection {
  if (isIoredis(client)) {
    return watched(
      client,
      (args) => client.call(...args),
      () => client.status === 'ready',
    )
  }
  if (isNodeRedis(client)) {
    return watched(
      client,
      (args) => client.sendCommand(args),
      () => client.isReady,
    )
  }
  throw new ConfigurationError(
    'client',
    'expected a client of one server, from node-redis createClient() or new Redis() of ioredis; no cluster, no pool',
  )
}

/** Connects by itself. An error of the connection is one of the next read. */
export function duplicateOf(client: DuplicableClient): BlockingReader {
  const copy = client.duplicate() as RedisClient
  copy.on('error', () => {})
  const args = (stream: string, id: string, milliseconds: number): [string, ...string[]] => [
    'XREAD',
    'BLOCK',
    String(milliseconds),
    'STREAMS',
    stream,
    id,
  ]
  if (isIoredis(copy)) {
    const { disconnect } = copy as IoredisClient & { disconnect(): void }
    return {
      read: async (...what) => newestId(await copy.call(...args(...what))),
      close: () => disconnect.call(copy),
    }
  }
  const { connect, destroy, disconnect } = copy as NodeRedisClient & {
    connect(): Promise<unknown>
    destroy?(): void
    /** What `destroy` was called in v4. */
    disconnect?(): Promise<void>
  }
  const connecting = connect.call(copy)
  connecting.catch(() => {})
  return {
    async read(...what) {
      await connecting
      return newestId(await copy.sendCommand(args(...what)))
    },
    close() {
      if (destroy !== undefined) destroy.call(copy)
      else disconnect?.call(copy).catch(() => {})
    },
  }
}

/** A list of pairs, or a map by RESP3: of each stream its entries, of each entry its id and its fields. */
function newestId(reply: unknown): string | undefined {
  if (reply === null || reply === undefined) return undefined
  const streams = Array.isArray(reply) ? reply.map(([, entries]) => entries) : Object.values(reply)
  const entries = (reply instanceof Map ? [...reply.values()] : streams)[0] as [string, unknown][] | undefined
  return entries?.at(-1)?.[0]
}

function watched(
  client: RedisClient,
  send: (args: [command: string, ...args: string[]]) => Promise<unknown>,
  isUp: () => boolean,
): Connection {
  let replies = 0
  const count = () => {
    replies++
  }
  return {
    send(...args) {
      const reply = send(args)
      reply.then(count, count)
      return reply
    },
    get replies() {
      return replies
    },
    get isUp() {
      return isUp()
    },
    onLost(listener) {
      for (const event of LOST) client.on(event, listener)
      return () => {
        for (const event of LOST) client.off(event, listener)
      }
    },
  }
}

// ioredis has a `sendCommand` too, which takes something else: `call` tells them apart.
function isIoredis(client: RedisClient): client is IoredisClient {
  const { call, status, isCluster } = (client ?? {}) as Partial<IoredisClient>
  return typeof call === 'function' && typeof status === 'string' && isCluster !== true
}

// Pools have no `isReady`; the client of a cluster or of sentinels has one, and has several connections.
function isNodeRedis(client: RedisClient): client is NodeRedisClient {
  const { sendCommand, isReady } = (client ?? {}) as Partial<NodeRedisClient>
  const several = ['nodeClient', 'getMasterNode'].some((name) => name in Object(client))
  return typeof sendCommand === 'function' && typeof isReady === 'boolean' && !several
}

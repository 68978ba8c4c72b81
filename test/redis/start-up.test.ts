import { ConfigurationError, Unavailable } from '@sharkguard/core'
import { redisReplayStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClient, createClientPool, createCluster } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { claimOf, keyOf } from '../contracts/replay-store.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'

const expiresAt = () => Math.floor(Date.now() / 1000) + 71

describe.skipIf(!hasRedisServer())('at the start', () => {
  let server: RedisServer
  let client: Redis
  beforeAll(async () => {
    server = await startRedis()
    client = new Redis(server.url)
  })
  beforeEach(() => {
    server.command('FLUSHALL')
    server.command('CONFIG', 'SET', 'maxmemory', '0')
    server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  })
  afterAll(async () => {
    client.disconnect()
    await server.stop()
  })

  it.each([
    'allkeys-lru',
    'allkeys-lfu',
    'allkeys-random',
    'volatile-lru',
    'volatile-random',
    'volatile-ttl',
  ])(
    'a server with room that may evict by %s is a configuration error that names the setting',
    async (policy) => {
      server.command('CONFIG', 'SET', 'maxmemory', '100mb')
      const store = redisReplayStore(client)
      await store.ready()
      server.command('CONFIG', 'SET', 'maxmemory-policy', policy)
      const error = await store.ready().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ConfigurationError)
      expect((error as ConfigurationError).option).toBe('maxmemory-policy')
      expect((error as Error).message).toContain(policy)
      expect((error as Error).message).toContain('noeviction')
      store.close()
    },
  )

  it('a policy that nothing ever comes to, for lack of a limit, is none', async () => {
    server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const store = redisReplayStore(client)
    await store.ready()
    store.close()
  })

  it('a replica, or no server at all, is not ready, and no configuration error', async () => {
    const replica = await startRedis('--replicaof', `127.0.0.1 ${server.port}`)
    const second = new Redis(replica.url, { maxRetriesPerRequest: 0 })
    second.on('error', () => {})
    const store = redisReplayStore(second)
    await expect(store.ready()).rejects.toThrow(/replica|slave/)
    await expect(store.ready()).rejects.toBeInstanceOf(Unavailable)
    await replica.stop()
    await expect(store.ready()).rejects.toBeInstanceOf(Unavailable)
    store.close()
    second.disconnect()
  })

  it('claims wait for the connection that is still being made', async () => {
    const nodeRedis = createClient({ url: server.url })
    nodeRedis.on('error', () => {})
    const store = redisReplayStore(nodeRedis)
    const connecting = nodeRedis.connect()
    const claims = Promise.all(['a', 'a', 'b'].map((name) => claimOf(store, keyOf(name), expiresAt())))
    await connecting
    expect((await claims).sort()).toEqual(['fresh', 'fresh', 'replayed'])
    store.close()
    nodeRedis.destroy()
  })

  it('stores with one prefix are one, and with two are two', async () => {
    const [a, b, other] = [undefined, undefined, 'other:'].map((prefix) =>
      redisReplayStore(client, prefix === undefined ? {} : { prefix }),
    ) as [
      ReturnType<typeof redisReplayStore>,
      ReturnType<typeof redisReplayStore>,
      ReturnType<typeof redisReplayStore>,
    ]
    const at = expiresAt()
    expect(await claimOf(a, keyOf('x'), at)).toBe('fresh')
    expect(await claimOf(b, keyOf('x'), at)).toBe('replayed')
    expect(await claimOf(other, keyOf('x'), at)).toBe('fresh')
    expect(server.command('PEXPIRETIME', `sharkguard:replay:${keyOf('x')}`)).toBe(String(at * 1000))
    for (const store of [a, b, other]) store.close()
  })

  it('clients that several servers stand behind are a configuration error', () => {
    const pool = createClientPool({ url: server.url })
    const cluster = createCluster({ rootNodes: [{ url: server.url }] })
    for (const wrong of [pool, cluster, {}, null, undefined, 'redis://localhost']) {
      expect(() => redisReplayStore(wrong as never)).toThrow(ConfigurationError)
    }
  })

  it.each([
    { prefix: 5 },
    { deadlineMs: 0 },
    { deadlineMs: Number.NaN },
    { clock: 5 },
    { window: 0 },
    { window: 902 },
    { window: Number.POSITIVE_INFINITY },
    { keyPrefix: 'a' },
  ])('%o is a configuration error that names the option', (options) => {
    const error = (() => {
      try {
        return redisReplayStore(client, options as never)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as ConfigurationError).option).toBe(Object.keys(options)[0])
  })
})

describe.skipIf(!hasRedisServer())('clocks', () => {
  it('set back before the server is restarted empty make nothing younger that was used', async () => {
    const server = await startRedis()
    const client = new Redis(server.url, { retryStrategy: () => 20 })
    client.on('error', () => {})
    let ahead = 100
    const store = redisReplayStore(client, { deadlineMs: 2000, clock: () => Date.now() / 1000 + ahead })
    const at = expiresAt() + 100
    expect(await claimOf(store, keyOf('a'), at)).toBe('fresh')
    ahead = 0
    await server.kill()
    await server.start()
    await vi.waitFor(() => expect(client.status).toBe('ready'), { timeout: 60_000 })
    await store.ready()
    ahead = 95
    expect(await claimOf(store, keyOf('a'), at)).toBe('unavailable')
    store.close()
    client.disconnect()
    await server.stop()
  })

  it('of the server, set forward and back again, resurrect nothing of what had expired', async () => {
    const server = await startRedis()
    const real = new Redis(server.url)
    let ahead = 0
    const client = {
      get status() {
        return real.status
      },
      on: (event: string, listener: () => void) => real.on(event, listener),
      off: (event: string, listener: () => void) => real.off(event, listener),
      /** The real server, but for the time that it tells. */
      async call(...args: [string, ...string[]]) {
        const reply = await real.call(...args)
        if (args[0] !== 'TIME') return reply
        const [seconds, microseconds] = reply as [string, string]
        return [String(Number(seconds) + ahead), microseconds]
      },
    }
    const store = redisReplayStore(client, { deadlineMs: 2000 })
    const at = expiresAt()
    await store.ready()
    expect(await claimOf(store, keyOf('a'), at)).toBe('fresh')
    ahead = 100
    await store.ready()
    expect(await claimOf(store, keyOf('a'), at)).toBe('unavailable')
    // As the server does when that second comes.
    server.command('DEL', `sharkguard:replay:${keyOf('a')}`)
    ahead = 0
    await store.ready()
    expect(await claimOf(store, keyOf('a'), at)).toBe('unavailable')
    store.close()
    real.disconnect()
    await server.stop()
  })
})

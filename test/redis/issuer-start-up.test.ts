import { ConfigurationError } from '@sharkguard/core'
import { redisIssuerStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClientPool } from 'redis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'

describe.skipIf(!hasRedisServer())("the issuer's store in Redis", () => {
  let server: RedisServer
  let client: Redis
  beforeAll(async () => {
    server = await startRedis()
    client = new Redis(server.url, { retryStrategy: () => 50 })
    client.on('error', () => {})
  })
  afterAll(async () => {
    client.disconnect()
    await server.stop()
  })

  it('wants a server that evicts nothing, and names the setting', async () => {
    const store = redisIssuerStore(client)
    await store.ready()
    server.command('CONFIG', 'SET', 'maxmemory', '100mb')
    server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(store.ready()).rejects.toThrow(ConfigurationError)
    await expect(store.ready()).rejects.toThrow(/maxmemory-policy.*noeviction/)
    server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await store.ready()
    store.close()
  })

  it('wants a primary', async () => {
    const replica = await startRedis('--replicaof', `127.0.0.1 ${server.port}`)
    const other = new Redis(replica.url)
    const store = redisIssuerStore(other)
    await expect(store.ready()).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await expect(store.add('claim', 'a', {})).rejects.toMatchObject({ name: 'StoreUnavailable' })
    store.close()
    other.disconnect()
    await replica.stop()
  })

  it('that is full says so, keeps what it has, and lets go of it', async () => {
    const store = redisIssuerStore(client)
    await store.add('retired', 'a', { clientId: 'a' })
    server.command('CONFIG', 'SET', 'maxmemory', '1')
    await expect(store.add('retired', 'b', { clientId: 'b' })).rejects.toMatchObject({
      name: 'StoreUnavailable',
    })
    expect(await store.get('retired', 'a')).toEqual({ clientId: 'a' })
    expect(await store.take('retired', 'a')).toEqual({ clientId: 'a' })
    server.command('CONFIG', 'SET', 'maxmemory', '0')
    expect(await store.add('retired', 'b', { clientId: 'b' })).toBe(true)
    store.close()
  })

  it('does nothing later that it has refused because the server was away', async () => {
    const store = redisIssuerStore(client, { deadlineMs: 300 })
    await store.ready()
    await server.kill()
    await vi.waitFor(() => expect(client.status).not.toBe('ready'), { timeout: 60_000 })
    for (let i = 0; i < 5; i++) {
      await expect(store.add('claim', `${i}`, {})).rejects.toMatchObject({ name: 'StoreUnavailable' })
    }
    await expect(store.waitForRules(0, 20, new AbortController().signal)).rejects.toMatchObject({
      name: 'StoreUnavailable',
    })
    await server.start()
    await new Promise((resolve) => client.once('ready', resolve))
    expect((await store.list('claim')).total).toBe(0)
    store.close()
  })

  it('forgets what has expired by and by, also what nobody asks for again', async () => {
    let now = 1_900_000_000
    const store = redisIssuerStore(client, { prefix: 'sweep:', clock: () => now })
    for (let i = 0; i < 50; i++) await store.add('claim', `${i}`, {}, { expiresAt: now + 10, indexes: ['i'] })
    now += 11
    for (let i = 0; i < 5; i++) await store.add('token', `${i}`, {} as never)
    expect(server.command('KEYS', 'sweep:*claim*')).toBe('')
    store.close()
  })

  it.each<[string, unknown, object?]>([
    ['a pool', () => createClientPool({ url: 'redis://localhost' })],
    ['nothing', () => undefined],
    [
      'a client that has no other connections to give',
      () => ({ status: 'ready', call() {}, on() {}, off() {} }),
    ],
    ['a prefix that is no text', () => client, { prefix: 5 }],
    ['no time to answer in', () => client, { deadlineMs: 0 }],
    ['a clock that is none', () => client, { clock: 5 }],
  ])('with %s is a configuration error', (_title, wrong, options) => {
    expect(() => redisIssuerStore((wrong as () => never)(), options as never)).toThrow(ConfigurationError)
  })
})

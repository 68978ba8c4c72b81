import { randomUUID } from 'node:crypto'
import { redisReplayStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe } from 'vitest'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'
import { describeReplayStore, type ReplayStoreUnderTest } from './replay-store.ts'

describe.skipIf(!hasRedisServer())('on a real Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  /** Redis has its own clock, which nobody moves: the store's runs with it, some steps apart. */
  function subject(
    client: Parameters<typeof redisReplayStore>[0],
    close: () => Promise<unknown>,
  ): ReplayStoreUnderTest {
    let offset = 0
    const now = () => Date.now() / 1000 + offset
    const store = redisReplayStore(client, { prefix: `${randomUUID()}:`, deadlineMs: 2000, clock: now })
    return {
      store,
      now,
      pass(seconds) {
        offset += seconds
      },
      async close() {
        store.close()
        await close()
      },
    }
  }

  describeReplayStore('the Redis store over node-redis', async () => {
    const client = await createClient({ url: server.url }).connect()
    return subject(client, () => client.close())
  })

  describeReplayStore('the Redis store over ioredis', async () => {
    const client = new Redis(server.url)
    return subject(client, () => client.quit())
  })

  describeReplayStore('the Redis store over ioredis with auto-pipelining', async () => {
    const client = new Redis(server.url, { enableAutoPipelining: true, lazyConnect: true })
    return subject(client, () => client.quit())
  })
})

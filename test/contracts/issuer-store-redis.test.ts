import { randomUUID } from 'node:crypto'
import { redisIssuerStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe } from 'vitest'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'
import { describeIssuerStore, type IssuerStoreUnderTest } from './issuer-store.ts'

describe.skipIf(!hasRedisServer())('on a real Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  type Client = Parameters<typeof redisIssuerStore>[0]

  /** Two instances, each with a client of its own. Nobody moves the clock of Redis: the stores have one that runs beside. */
  async function subject(
    connect: () => Promise<Client>,
    close: (client: Client) => unknown,
  ): Promise<IssuerStoreUnderTest> {
    let offset = 0
    const now = () => Date.now() / 1000 + offset
    const clients = [await connect(), await connect()] as const
    const options = { prefix: `${randomUUID()}:`, clock: now, deadlineMs: 10_000 }
    const [store, other] = [redisIssuerStore(clients[0], options), redisIssuerStore(clients[1], options)]
    return {
      store,
      other,
      now,
      pass(seconds) {
        offset += seconds
      },
      close() {
        store.close()
        other.close()
        for (const client of clients) close(client)
      },
    }
  }

  describeIssuerStore('the Redis store over node-redis', () =>
    subject(
      () => createClient({ url: server.url }).connect() as Promise<never>,
      (client) => (client as ReturnType<typeof createClient>).destroy(),
    ),
  )

  describeIssuerStore('the Redis store over ioredis', () =>
    subject(
      async () => new Redis(server.url),
      (client) => (client as Redis).disconnect(),
    ),
  )
})

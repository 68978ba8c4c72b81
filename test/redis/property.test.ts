import { createGuard } from '@sharkguard/core'
import { redisReplayStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { simulate } from '../contracts/replay-simulation.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

describe.skipIf(!hasRedisServer())('second by second', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  it('over restarts of processes and of the server, skews and steps of the clock, no proof is accepted twice', async () => {
    const counted = await simulate(
      async ({ exchange, clock }) => {
        server.command('FLUSHALL')
        const real = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
        real.on('error', () => {})
        // The server's clock goes with ours: it tells that time, and is told an expiry in its own.
        const drift = () => clock() - Date.now() / 1000
        const client = {
          get status() {
            return real.status
          },
          on: (event: string, listener: () => void) => real.on(event, listener),
          off: (event: string, listener: () => void) => real.off(event, listener),
          async call(...args: [string, ...string[]]) {
            if (args[0] === 'TIME') return [String(clock()), '0']
            const at = args.indexOf('PXAT') + 1
            if (at > 0) args[at] = String(Math.ceil(Number(args[at]) - drift() * 1000))
            return real.call(...args)
          },
        }
        const open = () => redisReplayStore(client, { clock, deadlineMs: 5000 })
        let store = open()
        const start = () =>
          createGuard(exchange.resource, {
            issuer: exchange.issuer,
            revocation: 'off',
            clock,
            replayStore: store,
          })
        let guard = start()
        return {
          get guard() {
            return guard
          },
          async restart() {
            store.close()
            await guard.close()
            store = open()
            guard = start()
            await store.ready()
          },
          async disturb() {
            await server.kill()
            await server.start()
            await vi.waitFor(() => expect(real.status).toBe('ready'), { timeout: 60_000 })
            await store.ready()
          },
          async close() {
            store.close()
            real.disconnect()
            await guard.close()
          },
        }
      },
      { numRuns: 20, seconds: 60, calm: { flood: 0, step: 200, disturb: 90 } },
    )
    for (const count of [counted.allowed, counted.replaysRefused]) expect(count).toBeGreaterThan(100)
  })
})

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { redisReplayStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { keyOf } from '../contracts/replay-store.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

const CLAIMANT = fileURLToPath(new URL('./claimant.mjs', import.meta.url))
const PROOFS = 5000

describe.skipIf(!hasRedisServer())('each proof is accepted exactly once', () => {
  let server: RedisServer
  const children: ChildProcess[] = []
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    for (const child of children) child.kill()
    await server.stop()
  })

  it.each([
    [2, 'ioredis', ['ioredis', 'ioredis']],
    [2, 'node-redis', ['node-redis', 'node-redis']],
    [4, 'both', ['ioredis', 'node-redis', 'ioredis', 'node-redis']],
  ])('over all of %d processes, %s', async (_count, _title, libraries) => {
    server.command('FLUSHALL')
    const processes = libraries.map((library, i) => {
      const start = (i * PROOFS) / libraries.length
      const child = fork(CLAIMANT, [server.url, library, String(PROOFS), String(start)])
      children.push(child)
      return child
    })
    await Promise.all(processes.map((child) => message(child)))
    const expiresAt = Math.floor(Date.now() / 1000) + 71
    const reports = processes.map((child) => message<{ fresh: number[] }>(child))
    for (const child of processes) child.send({ expiresAt })
    const fresh = (await Promise.all(reports)).map((report) => report.fresh)
    expect(fresh.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: PROOFS }, (_, n) => n))
    // They were at it together: none had it all to itself.
    for (const own of fresh) expect(own.length).toBeGreaterThan(0)
  })

  it.each([
    ['ioredis', async () => new Redis(server.url)],
    ['node-redis', () => createClient({ url: server.url }).connect()],
  ])('of 100 copies at once in one process, in each of 1,000 rounds, %s', async (_library, connect) => {
    server.command('FLUSHALL')
    const client = await connect()
    const store = redisReplayStore(client, { deadlineMs: 10_000 })
    for (let round = 0; round < 1000; round++) {
      const key = keyOf(`round ${round}`)
      const expiresAt = Date.now() / 1000 + 71
      const verdicts = await Promise.all(Array.from({ length: 100 }, () => store.claim(key, expiresAt)))
      const fresh = verdicts.filter((verdict) => verdict === 'fresh')
      if (fresh.length !== 1) expect.fail(`${fresh.length} of 100 were fresh in round ${round}`)
    }
    store.close()
    await client.quit()
  })
})

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as T))
    child.once('exit', (code) => reject(new Error(`a process ended with ${code}; has \`tsc -b\` been run?`)))
  })
}

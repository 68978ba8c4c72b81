import { setTimeout as sleep } from 'node:timers/promises'
import { createGuard, type Verdict } from '@sharkguard/core'
import { redisReplayStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { claimOf, keyOf } from '../contracts/replay-store.ts'
import { Exchange } from '../support/exchange.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'
import { type Address, openAddress } from './address.ts'
import { Load, openStores } from './load.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

/** Replication is asynchronous: whoever is promoted lacks the last writes, and nobody knows which. */
describe.skipIf(!hasRedisServer())('a failover to a replica', () => {
  let primary: RedisServer
  let replica: RedisServer
  let address: Address
  beforeEach(async () => {
    ;[primary, replica] = await Promise.all([startRedis(), startRedis()])
    address = await openAddress(primary.port)
    await follow()
  })
  afterEach(async () => {
    await address.close()
    await Promise.all([primary.stop(), replica.stop()])
  })

  async function follow(): Promise<void> {
    replica.command('REPLICAOF', '127.0.0.1', String(primary.port))
    await vi.waitFor(
      () => expect(replica.command('INFO', 'replication')).toContain('master_link_status:up'),
      {
        timeout: 60_000,
        interval: 50,
      },
    )
  }

  /** The replica is promoted; what the primary still takes until the address moves is lost. */
  async function failOver(lost: () => Promise<unknown>): Promise<void> {
    replica.command('REPLICAOF', 'NO', 'ONE')
    await lost()
    address.moveTo(replica.port)
  }

  it('under load, with writes lost, lets no proof in twice, and goes on by itself', async () => {
    const instances = await openStores(address.url)
    const load = new Load(instances.stores)
    await load.runs()
    await failOver(() => sleep(500))
    expect(Number(primary.command('DBSIZE'))).toBeGreaterThan(Number(replica.command('DBSIZE')))
    await load.runs()
    await load.end()
    instances.close()
  })

  it('there and back again, the same', async () => {
    const instances = await openStores(address.url)
    const load = new Load(instances.stores)
    await load.runs()
    await failOver(() => sleep(200))
    await load.runs()
    address.moveTo(primary.port)
    await load.runs()
    await load.end()
    instances.close()
  })

  it('where clients still reach a server that has become a replica, refuses until they reach the primary', async () => {
    const instances = await openStores(address.url)
    const load = new Load(instances.stores)
    await load.runs()
    replica.command('REPLICAOF', 'NO', 'ONE')
    primary.command('REPLICAOF', '127.0.0.1', String(replica.port))
    await load.stands('replay_store_unavailable')
    address.moveTo(replica.port)
    await load.runs()
    await load.end()
    instances.close()
  })

  it('is known to a process that starts after it', async () => {
    const client = new Redis(address.url)
    const before = redisReplayStore(client)
    const expiresAt = Math.floor(Date.now() / 1000) + 71
    expect(await claimOf(before, keyOf('kept'), expiresAt)).toBe('fresh')
    await vi.waitFor(() => expect(Number(replica.command('DBSIZE'))).toBe(2), { timeout: 60_000 })
    await failOver(async () => expect(await claimOf(before, keyOf('lost'), expiresAt)).toBe('fresh'))
    before.close()
    client.disconnect()

    const after = new Redis(address.url)
    const store = redisReplayStore(after)
    await store.ready()
    for (const name of ['kept', 'lost'])
      expect(await claimOf(store, keyOf(name), expiresAt)).toBe('unavailable')
    expect(store.floor).toBeGreaterThan(expiresAt)
    store.close()
    after.disconnect()
  })

  it('is a 503 of the guard, or a challenge where a proof made now would pass', async () => {
    const exchange = await Exchange.start()
    const client = new Redis(address.url, { retryStrategy: () => 50 })
    client.on('error', () => {})
    // The guard's clock, and the store's, run a few seconds ahead of that of the server when the test says so.
    let ahead = 0
    const clock = () => Date.now() / 1000 + ahead
    exchange.now = clock
    const replayStore = redisReplayStore(client, { window: 63, deadlineMs: 2000, clock })
    const options = {
      issuer: exchange.issuer,
      revocation: 'off',
      replayStore,
      clockTolerance: 1,
      clock,
    } as const
    const guard = createGuard(exchange.resource, options)
    const outcome = (verdict: Verdict) => (verdict.ok ? 'allowed' : verdict.reason)
    const used = exchange.request()
    await failOver(async () => expect(outcome(await guard.verify(used))).toBe('allowed'))
    await vi.waitFor(async () => expect(await client.ping()).toBe('PONG'), { timeout: 60_000 })

    const refused = await vi.waitFor(
      async () => {
        const verdict = await guard.verify(used)
        expect(outcome(verdict)).toBe('replay_store_unavailable')
        expect(replayStore.floor).toBeGreaterThan(clock() + 60)
        return verdict
      },
      { timeout: 60_000 },
    )
    expect(refused).toMatchObject({ ok: false, status: 503 })
    expect(Number(refused.headers['Retry-After'])).toBeGreaterThanOrEqual(1)
    ahead = 5
    const challenged = await guard.verify(used)
    expect(challenged).toMatchObject({ ok: false, status: 401, reason: 'proof_nonce_required' })
    const token = exchange.token()
    const claims = { nonce: challenged.headers['DPoP-Nonce'] }
    expect(
      outcome(await guard.verify(exchange.request({ token, proof: exchange.proof(token, { claims }) }))),
    ).toBe('allowed')
    await guard.close()
    replayStore.close()
    client.disconnect()
    await exchange.close()
  })
})

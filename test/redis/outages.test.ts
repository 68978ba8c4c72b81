import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it, vi } from 'vitest'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'
import { Load, openStores } from './load.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

/** Whatever becomes of the server under load: 503 or a challenge, never a second acceptance, and no restart needed. */
describe.skipIf(!hasRedisServer())('a Redis that is', () => {
  let server: RedisServer
  let instances: Awaited<ReturnType<typeof openStores>>
  let load: Load
  beforeEach(async () => {
    server = await startRedis()
    instances = await openStores(server.url)
    load = new Load(instances.stores)
    await load.runs()
  })
  afterEach(async () => {
    instances.close()
    await server.stop()
  })

  it('killed and restarted empty', async () => {
    await server.kill()
    await load.stands('replay_store_unavailable')
    await server.start()
    await load.runs()
    await load.end()
  })

  it('killed and back at once, between two claims', async () => {
    await server.kill()
    await server.start()
    await load.runs()
    await load.end()
  })

  it('stopped (SIGSTOP) for some seconds', async () => {
    server.pause()
    await load.stands('replay_store_unavailable')
    server.resume()
    await load.runs()
    await load.end()
  })

  it('busy with one command (DEBUG SLEEP)', async () => {
    const operator = new Redis(server.url)
    const asleep = operator.call('DEBUG', 'SLEEP', '2')
    await load.stands('replay_store_unavailable')
    await asleep
    operator.disconnect()
    await load.runs()
    await load.end()
  })

  it('cutting all connections (CLIENT KILL), again and again', async () => {
    for (let times = 0; times < 3; times++) {
      server.command('CLIENT', 'KILL', 'TYPE', 'normal')
      await load.runs()
    }
    await load.end()
  })

  it('full (maxmemory, noeviction), and then given room', async () => {
    server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    server.command('CONFIG', 'SET', 'maxmemory', '1')
    await load.stands('replay_store_full')
    server.command('CONFIG', 'SET', 'maxmemory', '0')
    await load.runs()
    await load.end()
  })

  it('told to evict while it runs, and then told otherwise', async () => {
    server.command('CONFIG', 'SET', 'maxmemory', '1gb')
    server.command('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl')
    await load.stands('replay_store_unavailable')
    server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await load.runs()
    await load.end()
  })
})

import { memoryReplayStore } from '@sharkguard/core'
import { redisReplayStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { arriving, type Lane, race, ratios, spread } from '../measure.ts'
import { startRedis } from '../redis-server.ts'
import type { Row, Scenario } from '../scenario.ts'
import { type Claim, claims } from './replay.ts'

const BARE = 'bare SET NX PXAT, ioredis'

/** What a claim costs when it is asked of a Redis on this machine, beside the bare command and the store in memory. */
export const replayRedis: Scenario = {
  name: 'replay-redis',
  title: 'Replay stores in Redis: claims of new proofs, over loopback',
  async run(settings) {
    const redis = await startRedis()
    if (redis === undefined) return { rows: [], notes: ['left out: there is no redis-server on the PATH'] }
    const ioredis = new Redis(redis.url)
    const nodeRedis = await createClient({ url: redis.url }).connect()
    const options = { deadlineMs: 10_000 }
    const stores = {
      'sharkguard, memory': memoryReplayStore(),
      'sharkguard, ioredis': redisReplayStore(ioredis, { ...options, prefix: 'a:' }),
      'sharkguard, node-redis': redisReplayStore(nodeRedis, { ...options, prefix: 'b:' }),
    }
    const bare = async ({ key, expiresAt }: Claim) =>
      (await ioredis.call('SET', key, '1', 'NX', 'PXAT', String(expiresAt * 1000))) === 'OK'
    const lanes: Lane<readonly Claim[]>[] = [
      { name: BARE, accepts: true, checks: (batch) => batch.map((claim) => () => bare(claim)) },
      ...Object.entries(stores).map(([name, store]) => ({
        name,
        accepts: true,
        checks: (batch: readonly Claim[]) =>
          batch.map(
            ({ key, expiresAt, jkt }) =>
              async () =>
                (await store.claim(key, expiresAt, jkt)) === 'fresh',
          ),
      })),
    ]
    const rows: Row[] = []
    for (const concurrent of [1, 64]) {
      const batch = () => claims(Math.max(settings.batch, concurrent * 8))
      const samples = await race({ ...settings, lanes, batch, run: arriving(concurrent) })
      const base = samples.get(BARE) ?? []
      for (const [contender, of] of samples) {
        const { wall, cpu } = ratios(of, base)
        const micros = spread(of.map(({ wall }) => wall))
        rows.push({
          work: `${concurrent} at once`,
          contender,
          figures: { [`wall, × ${BARE}`]: wall, [`CPU, × ${BARE}`]: cpu, µs: micros },
        })
      }
    }
    await ioredis.quit()
    await nodeRedis.close()
    redis.stop()
    return { rows, notes: ['with 64 at once, µs are wall time divided by claims: throughput, not latency'] }
  },
}

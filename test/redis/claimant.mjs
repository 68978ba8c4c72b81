/**
 * One process of several that share a Redis, on what `tsc -b` has built. Claims each proof once, many at a time, from
 * one number on, and reports the numbers of those that it was let in with.
 *
 *     node claimant.mjs <url> <ioredis|node-redis> <proofs> <start>
 */
import { createHash } from 'node:crypto'
import { redisReplayStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'

const BATCH = 200
const [url, library, proofs, start] = process.argv.slice(2)

const client = library === 'ioredis' ? new Redis(url) : await createClient({ url }).connect()
const store = redisReplayStore(client, { deadlineMs: 10_000 })
await store.ready()
process.send({ ready: true })
const { expiresAt } = await new Promise((resolve) => process.once('message', resolve))

const keyOf = (text) => createHash('sha256').update(text).digest('base64url')
// Round the same circle, each from where it has been told to begin.
const order = Array.from({ length: Number(proofs) }, (_, n) => (n + Number(start)) % Number(proofs))

const fresh = []
for (let from = 0; from < order.length; from += BATCH) {
  await Promise.all(
    order.slice(from, from + BATCH).map(async (number) => {
      if ((await store.claim(keyOf(`proof ${number}`), expiresAt)) === 'fresh') fresh.push(number)
    }),
  )
}
process.send({ fresh })
store.close()
await client.quit()
process.disconnect()

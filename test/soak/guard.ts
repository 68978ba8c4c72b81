import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { createGuard } from '@sharkguard/core'
import { redisReplayStore } from '@sharkguard/redis'
import { createClient } from 'redis'
import type { Sample } from './sample.ts'

/** One of the guarded processes: tells its parent the port, and answers `'sample'` with what it holds and has decided. */
const { RESOURCE = '', ISSUER = '', REDIS = '' } = process.env
const collect = (globalThis as { gc?: () => void }).gc
const decisions: Record<string, number> = {}

const redis = createClient({ url: REDIS })
redis.on('error', () => undefined)
await redis.connect()

const guard = createGuard(RESOURCE, {
  issuer: ISSUER,
  // The load is made on the same cores: a pause of the whole machine is no outage of Redis.
  replayStore: redisReplayStore(redis, { deadlineMs: 1000 }),
  onDecision: (decision) => {
    const { outcome } = decision
    const what =
      outcome === 'refused' || outcome === 'unavailable' ? `${outcome} ${decision.reason}` : outcome
    decisions[what] = (decisions[what] ?? 0) + 1
  },
})
await guard.ready()

const server = createServer(async (req, res) => {
  const passage = await guard.gate({
    method: req.method as string,
    url: req.url as string,
    headers: req.rawHeaders,
  })
  if (passage.kind === 'answer') {
    res.writeHead(passage.answer.status, passage.answer.headers).end(passage.answer.body)
  } else res.end('in')
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))

process.on('message', async (message) => {
  if (message === 'sample') {
    collect?.()
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
    process.send?.({ rss, heapUsed, external, arrayBuffers, decisions } satisfies Sample)
    return
  }
  await guard.close()
  redis.destroy()
  process.exit(0)
})
process.on('disconnect', () => process.exit(0))

import { startIssuer } from '@sharkguard/issuer'
import { redisIssuerStore } from '@sharkguard/redis'
import { createClient } from 'redis'
import type { IssuerOrder } from './processes.ts'

const { redis, ...options } = JSON.parse(process.argv[2] as string) as IssuerOrder
const store =
  redis === undefined ? {} : { store: redisIssuerStore(await createClient({ url: redis }).connect()) }
const issuer = await startIssuer({ tokenLifetime: 3600, ...options, ...store })
process.on('disconnect', () => process.exit())
process.on('message', (question) => {
  if (question !== 'usage') return
  const { user, system } = process.cpuUsage()
  process.send?.({
    cpu: (user + system) / 1e6,
    rss: process.memoryUsage().rss,
    asked: issuer.requests('/oauth/revocations'),
  })
})
process.send?.({ url: issuer.url, adminKey: issuer.adminKey })

import { startIssuer } from '@sharkguard/issuer'

const issuer = await startIssuer({ tokenLifetime: 3600 })
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

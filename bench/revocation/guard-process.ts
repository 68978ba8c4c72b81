import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, type Guard } from '@sharkguard/core'

let guard: Guard | undefined
/** When revocation lists came, milliseconds since the epoch. */
const heard: number[] = []
const server = createServer(async (req, res) => {
  const request = { method: req.method ?? '', url: req.url ?? '', headers: req.rawHeaders }
  const passage = await (guard as Guard).gate(request)
  if (passage.kind !== 'answer') return void res.writeHead(200).end('{}')
  const { status, headers, body } = passage.answer
  res.writeHead(status, headers).end(body)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
guard = createGuard(resource, {
  issuer: process.argv[2] as string,
  async fetch(...request) {
    const response = await fetch(...request)
    if (String(request[0]).includes('/oauth/revocations')) {
      heard.push(performance.timeOrigin + performance.now())
    }
    return response
  },
})
await guard.ready()
process.on('message', () => process.send?.(heard))
process.on('disconnect', () => process.exit())
process.send?.({ resource })

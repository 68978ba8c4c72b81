import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, type Guard, type GuardOptions } from '@sharkguard/core'

/** A guarded resource that answers 200 to whoever is let in. */
export interface GuardedServer {
  readonly resource: string
  readonly guard: Guard
  close(): Promise<void>
}

export async function startGuarded(options: GuardOptions): Promise<GuardedServer> {
  let guard: Guard | undefined
  const server = createServer(async (req, res) => {
    const passage = await guard!.gate({ method: req.method!, url: req.url!, headers: req.rawHeaders })
    if (passage.kind === 'answer') {
      const { status, headers, body } = passage.answer
      res.writeHead(status, headers).end(body)
    } else res.writeHead(200).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  guard = createGuard(resource, options)
  return {
    resource,
    guard,
    async close() {
      await guard.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

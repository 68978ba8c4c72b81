import { createGuard } from '@sharkguard/core'
import { listen } from '../listen.ts'
import type { StartExample } from '../visit.ts'

/** An HTTP API on nothing but Node: what every adapter does, written out. */
export const startServer: StartExample = async ({ issuer, port }) => {
  const resource = `http://127.0.0.1:${port}/notes`
  const guard = createGuard(resource, { issuer, scopes: ['notes:read'] })

  const server = await listen(async (req, res) => {
    const { method = '', url = '', rawHeaders } = req
    const passage = await guard.gate({ method, url, headers: rawHeaders })
    if (passage.kind === 'answer') {
      const { status, headers, body } = passage.answer
      res.writeHead(status, headers).end(body)
      return
    }
    if (passage.kind === 'pass') {
      // A CORS preflight, for whoever answers those.
      res.writeHead(204).end()
      return
    }
    res.writeHead(200, { 'Content-Type': 'application/json', ...passage.headers })
    res.end(JSON.stringify({ client: passage.auth.clientId }))
  }, port)
  return { resource, close: () => Promise.all([server.close(), guard.close()]) }
}

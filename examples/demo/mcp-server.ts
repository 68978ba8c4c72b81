import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { sharkGuard } from '@sharkguard/express'
import express from 'express'
import { z } from 'zod'

/** Three tools that know who is calling. */
function buildServer(): McpServer {
  const server = new McpServer({ name: 'demo', version: '1.0.0' })
  server.registerTool('whoami', { description: 'Says who calls' }, (context) => {
    const auth = context.http?.authInfo
    return text(`${auth?.clientId} with scopes ${auth?.scopes.join(', ')}`)
  })
  const numbers = z.object({ a: z.number(), b: z.number() })
  server.registerTool('add', { description: 'Adds two numbers', inputSchema: numbers }, ({ a, b }) =>
    text(`${a + b}`),
  )
  const subject = z.object({ topic: z.string() })
  server.registerTool('fact', { description: 'Tells a fact', inputSchema: subject }, ({ topic }) =>
    text(topic === 'sharks' ? 'Sharks are older than trees.' : `Nothing is known about ${topic}.`),
  )
  return server
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] }
}

export interface GuardedServer {
  /** The resource: the MCP endpoint's URL. */
  readonly resource: string
  readonly port: number
  close(): Promise<void>
}

/** An MCP server on Express. The one line that guards it is the one with `sharkGuard`. */
export async function startGuardedServer(issuer: string, port = 0): Promise<GuardedServer> {
  const app = express()
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  const resource = `http://127.0.0.1:${address.port}/mcp`

  const guarded = sharkGuard(resource, { issuer, scopes: ['mcp:read'] })
  app.use(guarded)

  const handler = toNodeHandler(createMcpHandler(buildServer))
  app.all('/mcp', (req, res) => void handler(req, res))

  return {
    resource,
    port: address.port,
    async close() {
      await guarded.guard.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

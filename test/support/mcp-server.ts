import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { type McpGuardOptions, sharkGuard } from '@sharkguard/mcp'
import express from 'express'

/** Two tools that say who calls. */
export function buildServer(): McpServer {
  const server = new McpServer({ name: 'test', version: '1.0.0' })
  for (const name of ['whoami', 'delete_file']) {
    server.registerTool(name, { description: name }, (context) => {
      const auth = context.http?.authInfo
      return { content: [{ type: 'text', text: `${name} ${auth?.clientId} ${auth?.scopes.join(',')}` }] }
    })
  }
  return server
}

export interface McpHost {
  readonly resource: string
  close(): Promise<void>
}

/** The MCP wrapper on plain node:http. */
export async function startWrapped(options: McpGuardOptions): Promise<McpHost> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  const guarded = sharkGuard(createMcpHandler(buildServer), resource, options)
  const handler = toNodeHandler(guarded)
  // Its types do not know `exactOptionalPropertyTypes`.
  server.on('request', (req, res) => void handler(req as Parameters<typeof handler>[0], res))
  return {
    resource,
    async close() {
      await guarded.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The Express guard in front of a v2 handler. */
export async function startExpress(options: Parameters<typeof expressGuard>[1]): Promise<McpHost> {
  const app = express()
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  const guarded = expressGuard(resource, options)
  app.use(guarded)
  const handler = toNodeHandler(createMcpHandler(buildServer))
  app.all('/mcp', (req, res) => void handler(req, res))
  return {
    resource,
    async close() {
      await guarded.guard.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

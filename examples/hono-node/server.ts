import { getRequestListener } from '@hono/node-server'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { sharkGuard } from '@sharkguard/mcp'
import { Hono } from 'hono'
import { listen } from '../listen.ts'
import type { StartExample } from '../visit.ts'

function buildServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  for (const name of ['whoami', 'delete_note']) {
    server.registerTool(name, { description: name }, (context) => ({
      content: [{ type: 'text', text: `${name}: ${context.http?.authInfo?.clientId}` }],
    }))
  }
  return server
}

/** A wrapped MCP handler in a Hono app on Node, with scopes per tool. */
export const startServer: StartExample = async ({ issuer, port }) => {
  const resource = `http://127.0.0.1:${port}/mcp`
  const guarded = sharkGuard(createMcpHandler(buildServer), resource, {
    issuer,
    scopes: ['notes:read'],
    tools: { 'delete_*': ['notes:write'] },
  })

  const app = new Hono()
  for (const path of ['/mcp', ...guarded.guard.metadataPaths]) app.all(path, (c) => guarded.fetch(c.req.raw))

  const server = await listen(getRequestListener(app.fetch), port)
  return { resource, close: () => Promise.all([server.close(), guarded.close()]) }
}

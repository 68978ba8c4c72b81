import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { sharkGuard } from '@sharkguard/express'
import express from 'express'
import { listen } from '../listen.ts'
import type { StartExample } from '../visit.ts'

function buildServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('whoami', { description: 'Says who calls' }, (context) => ({
    content: [{ type: 'text', text: `you are ${context.http?.authInfo?.clientId}` }],
  }))
  return server
}

/** An MCP server of the SDK's second line on Express: the guard sets `req.auth`, and the SDK hands it to the tools. */
export const startServer: StartExample = async ({ issuer, port }) => {
  const resource = `http://127.0.0.1:${port}/mcp`
  const guarded = sharkGuard(resource, { issuer, scopes: ['notes:read'] })
  const handler = toNodeHandler(createMcpHandler(buildServer))

  const app = express()
  app.use(guarded)
  app.all('/mcp', (req, res) => void handler(req, res))

  const server = await listen(app, port)
  return { resource, close: () => Promise.all([server.close(), guarded.guard.close()]) }
}

import { randomUUID } from 'node:crypto'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { sharkGuard } from '@sharkguard/express'
import { operationScopes, sessionOwners } from '@sharkguard/mcp'
import express, { type RequestHandler } from 'express'
import { listen } from '../listen.ts'
import type { StartExample } from '../visit.ts'

function buildServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  for (const name of ['whoami', 'delete_note']) {
    server.registerTool(name, { description: name }, (extra) => ({
      content: [{ type: 'text', text: `${name}: ${extra.authInfo?.clientId}` }],
    }))
  }
  return server
}

/**
 * An MCP server of the SDK's first line on Express, with sessions: the guard sets `req.auth`, the transport hands it on as
 * `extra.authInfo`; scopes per tool and the owners of sessions are two functions of `@sharkguard/mcp`.
 */
export const startServer: StartExample = async ({ issuer, port }) => {
  const resource = `http://127.0.0.1:${port}/mcp`
  const guarded = sharkGuard(resource, { issuer, scopes: ['notes:read'] })
  const needsMore = operationScopes(guarded.guard, { tools: { delete_note: ['notes:write'] } })
  const owners = sessionOwners()
  const transports = new Map<string, StreamableHTTPServerTransport>()

  const checkScopes: RequestHandler = (req, res, next) => {
    const refused = req.auth && needsMore(req.auth, req.body)
    if (refused) res.status(refused.status).set(refused.headers).send(refused.body)
    else next()
  }

  const checkSession: RequestHandler = (req, res, next) => {
    const sessionId = req.get('mcp-session-id')
    if (sessionId === undefined || owners.admits(sessionId, req.auth)) next()
    else
      res
        .status(404)
        .json({ jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null })
  }

  const handle: RequestHandler = async (req, res) => {
    const known = transports.get(req.get('mcp-session-id') ?? '')
    if (known !== undefined) return known.handleRequest(req, res, req.body)
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized(sessionId) {
        owners.opened(sessionId, req.auth)
        transports.set(sessionId, transport)
      },
      onsessionclosed(sessionId) {
        owners.closed(sessionId)
        transports.delete(sessionId)
      },
    })
    // The SDK's own types disagree under exactOptionalPropertyTypes.
    await buildServer().connect(transport as Parameters<McpServer['connect']>[0])
    await transport.handleRequest(req, res, req.body)
  }

  const app = express()
  app.use(guarded)
  app.use(express.json())
  app.all('/mcp', checkScopes, checkSession, handle)

  const server = await listen(app, port)
  return { resource, close: () => Promise.all([server.close(), guarded.guard.close()]) }
}

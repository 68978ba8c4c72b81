import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { createGuard, type GuardOptions } from '@sharkguard/core'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import {
  type McpGuardOptions,
  type McpHandler,
  operationScopes,
  sessionOwners,
  sharkGuard,
} from '@sharkguard/mcp'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { buildServer, type McpHost } from '../support/mcp-server.ts'

export type StartMcp<Options> = (options: Options) => Promise<McpHost>

/** Listens first: the resource is named by its port. */
async function host(
  build: (resource: string) => Promise<{ listener: RequestListener; close: () => Promise<unknown> }>,
): Promise<McpHost> {
  let listener: RequestListener | undefined
  const server = createServer((req, res) => listener?.(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  const built = await build(resource)
  listener = built.listener
  return {
    resource,
    async close() {
      await built.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The tools of {@link buildServer}, on the SDK's first line; and one that goes on until it is told to stop. */
function buildServerV1(): McpServerV1 {
  const server = new McpServerV1({ name: 'test', version: '1.0.0' })
  for (const name of ['whoami', 'delete_file']) {
    server.registerTool(name, { description: name }, (extra) => {
      const { clientId, scopes } = extra.authInfo ?? {}
      return { content: [{ type: 'text', text: `${name} ${clientId} ${scopes?.join(',')}` }] }
    })
  }
  server.registerTool('wait', { description: 'Never answers' }, () => new Promise(() => undefined))
  return server
}

/** What every user of sessions writes: one transport a session. */
function statefulHandler(): Extract<McpHandler, (...args: never[]) => unknown> {
  const transports = new Map<string, WebStandardStreamableHTTPServerTransport>()
  return async (request, options) => {
    const known = transports.get(request.headers.get('mcp-session-id') ?? '')
    if (known !== undefined) return known.handleRequest(request, options as never)
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
    })
    await buildServerV1().connect(transport as never)
    return transport.handleRequest(request, options as never)
  }
}

/** A v2 handler behind the guard of each host. */
export const GUARDED_V2: Readonly<Record<string, StartMcp<GuardOptions>>> = {
  'node:http and core': (options) =>
    host(async (resource) => {
      const guard = createGuard(resource, options)
      const handler = toNodeHandler(createMcpHandler(buildServer))
      return {
        async listener(req, res) {
          const passage = await guard.gate({ method: req.method!, url: req.url!, headers: req.rawHeaders })
          if (passage.kind === 'answer') {
            const { status, headers, body } = passage.answer
            return void res.writeHead(status, headers).end(body)
          }
          if (passage.kind === 'allow') Object.assign(req, { auth: passage.auth })
          await handler(req as never, res)
        },
        close: () => guard.close(),
      }
    }),

  express: (options) =>
    host(async (resource) => {
      const guarded = expressGuard(resource, options)
      const handler = toNodeHandler(createMcpHandler(buildServer))
      const app = express().use(guarded).use(express.json())
      app.all('/mcp', (req, res) => void handler(req, res, req.body))
      return { listener: app, close: () => guarded.guard.close() }
    }),

  fastify: (options) =>
    host(async (resource) => {
      const app = fastify()
      await app.register(fastifyGuard(resource, options))
      const handler = toNodeHandler(createMcpHandler(buildServer))
      app.all('/mcp', async (request, reply) => {
        reply.hijack()
        await handler(request.raw as never, reply.raw, request.body)
      })
      await app.ready()
      return { listener: app.routing as RequestListener, close: () => app.close() }
    }),
}

/** A handler inside the MCP wrapper, on each host and of both lines. */
export const WRAPPED: Readonly<Record<string, StartMcp<McpGuardOptions>>> = {
  'node:http, v2': (options) =>
    host(async (resource) => {
      const guarded = sharkGuard(createMcpHandler(buildServer), resource, options)
      return { listener: toNodeHandler(guarded) as RequestListener, close: guarded.close }
    }),

  'hono, v2': (options) =>
    host(async (resource) => {
      const guarded = sharkGuard(createMcpHandler(buildServer), resource, options)
      const app = new Hono()
      for (const path of ['/mcp', ...guarded.guard.metadataPaths])
        app.all(path, (c) => guarded.fetch(c.req.raw))
      return { listener: getRequestListener(app.fetch), close: guarded.close }
    }),

  'fetch, v1 with sessions': (options) =>
    host(async (resource) => {
      const guarded = sharkGuard(statefulHandler(), resource, options)
      return { listener: getRequestListener((request) => guarded.fetch(request)), close: guarded.close }
    }),

  'express, v1 with sessions': ({ tools = {}, ...options }) =>
    host(async (resource) => {
      const guarded = expressGuard(resource, options)
      const needsMore = operationScopes(guarded.guard, { tools })
      const sessions = sessionOwners()
      const transports = new Map<string, StreamableHTTPServerTransport>()
      const app = express().use(guarded).use(express.json())
      app.all('/mcp', async (req, res) => {
        const refused = needsMore(req.auth!, req.body)
        if (refused) return void res.status(refused.status).set(refused.headers).send(refused.body)
        const id = req.get('mcp-session-id')
        if (id !== undefined && !sessions.admits(id, req.auth)) return void res.sendStatus(404)
        let transport = transports.get(id ?? '')
        if (transport === undefined) {
          const opened = new StreamableHTTPServerTransport({
            sessionIdGenerator: randomUUID,
            onsessioninitialized(sessionId) {
              sessions.opened(sessionId, req.auth)
              transports.set(sessionId, opened)
            },
          })
          await buildServerV1().connect(opened as never)
          transport = opened
        }
        await transport.handleRequest(req as never, res, req.body)
      })
      return { listener: app, close: () => guarded.guard.close() }
    }),
}

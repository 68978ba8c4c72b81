import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { GuardOptions } from '@sharkguard/core'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import { sharkGuard as honoGuard } from '@sharkguard/hono'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { sharkGuard as mcpGuard } from '@sharkguard/mcp'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { stream, streamSSE } from 'hono/streaming'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Caller } from './caller.ts'

type Build = (resource: string, options: GuardOptions) => Promise<[RequestListener, () => Promise<unknown>]>

/** Writes once, and then again and again for as long as anybody listens. */
function writeOn(res: Pick<ServerResponse, 'write' | 'on'>, text: string): void {
  res.write(text)
  const timer = setInterval(() => res.write(text), 20)
  res.on('close', () => clearInterval(timer))
}

function answer(req: { url?: string | undefined }, res: ServerResponse): void {
  if (req.url === '/mcp/events') {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    writeOn(res, 'data: 1\n\n')
  } else if (req.url === '/mcp/rows') {
    res.writeHead(200, { 'content-type': 'application/x-ndjson' })
    writeOn(res, '{"row":1}\n')
  } else if (req.url === '/mcp/leave') {
    void leave().then(() => res.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  } else {
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }
}

/** What a handler does that ends the very token it was called with. */
const leave = () => issuer.revokePattern('*')

const HOSTS: Record<string, Build> = {
  async express(resource, options) {
    const guarded = expressGuard(resource, options)
    const app = express()
    app.disable('x-powered-by')
    app.use(guarded).use(answer)
    return [app, () => guarded.guard.close()]
  },

  async fastify(resource, options) {
    const app = fastify()
    await app.register(fastifyGuard(resource, options))
    app.all('/*', async (request, reply) => {
      reply.hijack()
      answer(request.raw, reply.raw)
    })
    await app.ready()
    return [app.routing as RequestListener, () => app.close()]
  },

  async hono(resource, options) {
    const guarded = honoGuard(resource, options)
    const app = new Hono()
    app.use(guarded)
    app.all('/mcp', (c) => c.json({}))
    app.all('/mcp/leave', async (c) => leave().then(() => c.json({})))
    app.all('/mcp/events', (c) =>
      streamSSE(c, async (events) => {
        while (!events.aborted) {
          await events.writeSSE({ data: '1' })
          await events.sleep(20)
        }
      }),
    )
    app.all('/mcp/rows', (c) =>
      stream(c, async (rows) => {
        c.header('transfer-encoding', 'chunked')
        while (!rows.aborted) {
          await rows.writeln('{"row":1}')
          await rows.sleep(20)
        }
      }),
    )
    return [getRequestListener(app.fetch), () => guarded.guard.close()]
  },

  async mcp(resource, options) {
    const endless = () => {
      let timer: ReturnType<typeof setInterval>
      return new ReadableStream({
        start(controller) {
          const push = () => controller.enqueue(new TextEncoder().encode('data: 1\n\n'))
          push()
          timer = setInterval(push, 20)
        },
        cancel: () => clearInterval(timer),
      })
    }
    const guarded = mcpGuard(
      async ({ url }) => {
        if (url.endsWith('/leave')) await leave()
        const type = url.endsWith('/events') ? 'text/event-stream' : 'application/x-ndjson'
        const headers = { 'content-type': type, 'transfer-encoding': 'chunked' }
        return /\/(mcp|leave)$/.test(url) ? Response.json({}) : new Response(endless(), { headers })
      },
      resource,
      options,
    )
    return [getRequestListener((request) => guarded.fetch(request)), () => guarded.close()]
  },
}

let issuer: RunningIssuer
let now: number | undefined
let close: () => Promise<unknown>

beforeEach(async () => {
  now = undefined
  issuer = await startIssuer()
})
afterEach(async () => {
  await close()
  await issuer.close()
})

describe.each(Object.entries(HOSTS))('What goes on when its token ends, on %s', (_, build) => {
  async function start() {
    let listener: RequestListener | undefined
    const server = createServer((req, res) => listener?.(req, res))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
    const clock = () => now ?? Date.now() / 1000
    const [built, end] = await build(resource, { issuer: issuer.url, clock })
    listener = built
    close = async () => {
      await end()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    return Caller.create(issuer, resource)
  }

  /** Opens it and reads the first of it. */
  async function open(caller: Caller, path: string) {
    const response = await caller.call(path)
    expect(response.status).toBe(200)
    const reader = response.body!.getReader()
    expect((await reader.read()).done).toBe(false)
    const state = { isOpen: true }
    const ended = drain(reader).then(() => {
      state.isOpen = false
    })
    return { state, ended }
  }

  it.each(['/events', '/rows'])(
    'is broken off when it is revoked, and nobody else’s is: %s',
    async (path) => {
      const caller = await start()
      const bystander = await Caller.create(issuer, caller.resource)
      const [own, other] = [await open(caller, path), await open(bystander, path)]
      await issuer.revokeAgent(caller.clientId)
      await own.ended
      expect((await caller.call()).status).toBe(401)
      expect((await bystander.call()).status).toBe(200)
      expect(other.state.isOpen).toBe(true)
      await issuer.revokeAgent(bystander.clientId)
      await other.ended
    },
  )

  it('has its answer where it is what revokes the token', async () => {
    const caller = await start()
    const answer = await caller.call('/leave')
    expect([answer.status, await answer.text()]).toEqual([200, '{}'])
    expect((await caller.call()).status).toBe(401)
  })

  it('is broken off when the token expires if it is events, and else comes to its end', async () => {
    const caller = await start()
    const [events, rows] = [await open(caller, '/events'), await open(caller, '/rows')]
    now = Date.now() / 1000 + 301
    await events.ended
    expect(rows.state.isOpen).toBe(true)
  })
})

/** Reads on to the end; broken off is an end too. */
async function drain(reader: ReadableStreamDefaultReader<unknown>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // The connection was reset.
  }
}

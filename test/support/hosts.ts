import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createGuard, type GuardOptions } from '@sharkguard/core'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import { sharkGuard as honoGuard } from '@sharkguard/hono'
import { sharkGuard as mcpGuard } from '@sharkguard/mcp'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

/** A guarded server on any host, whose handler answers `{ client }`. */
export interface Host {
  readonly port: number
  /** How often the handler ran. */
  readonly runs: () => number
  close(): Promise<void>
}

/** Which hosts get a Fetch `Request`, where the target as it came is gone. */
export const FETCH_HOSTS: readonly string[] = ['hono', 'mcp']

export type StartHost = (audience: string, options: GuardOptions) => Promise<Host>

export async function listen(
  listener: Parameters<typeof createServer>[1],
  runs: () => number,
  close = async () => {},
) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    runs,
    async close() {
      await close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const HOSTS: Readonly<Record<string, StartHost>> = {
  async core(audience, options) {
    const guard = createGuard(audience, options)
    let runs = 0
    return listen(
      async (req, res) => {
        const passage = await guard.gate({ method: req.method!, url: req.url!, headers: req.rawHeaders })
        if (passage.kind === 'answer') {
          res.writeHead(passage.answer.status, passage.answer.headers).end(passage.answer.body)
          return
        }
        runs++
        const headers = {
          'content-type': 'application/json',
          ...(passage.kind === 'allow' ? passage.headers : {}),
        }
        res.writeHead(200, headers)
        res.end(JSON.stringify({ client: passage.kind === 'allow' ? passage.auth.clientId : null }))
      },
      () => runs,
      () => guard.close(),
    )
  },

  async express(audience, options) {
    const guarded = expressGuard(audience, options)
    let runs = 0
    const app = express()
    app.use(guarded)
    app.use((req, res) => {
      runs++
      res.json({ client: req.auth?.clientId ?? null })
    })
    return listen(
      app,
      () => runs,
      () => guarded.guard.close(),
    )
  },

  async fastify(audience, options) {
    let runs = 0
    const app = fastify()
    await app.register(fastifyGuard(audience, options))
    app.all('/*', async (request) => {
      runs++
      return { client: request.auth?.clientId ?? null }
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: (app.server.address() as AddressInfo).port, runs: () => runs, close: () => app.close() }
  },

  async hono(audience, options) {
    const guarded = honoGuard(audience, options)
    let runs = 0
    const app = new Hono()
    app.use(guarded)
    app.all('*', (c) => {
      runs++
      return c.json({ client: c.get('auth')?.clientId ?? null })
    })
    return listen(
      getRequestListener(app.fetch),
      () => runs,
      () => guarded.guard.close(),
    )
  },

  async mcp(audience, options) {
    let runs = 0
    const guarded = mcpGuard(
      (_request, given) => {
        runs++
        return Response.json({ client: given?.authInfo?.clientId ?? null })
      },
      audience,
      options,
    )
    return listen(
      getRequestListener((request) => guarded.fetch(request)),
      () => runs,
      () => guarded.close(),
    )
  },
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends exactly these bytes and reads one answer: what no client library would send. */
export async function sendRaw(port: number, lines: readonly string[], sentBody = ''): Promise<RawAnswer> {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.on('end', () => resolve(received))
    socket.on('error', reject)
    socket.write(`${[...lines, 'Connection: close', '', ''].join('\r\n')}${sentBody}`, 'latin1')
  })
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [status = '', ...fields] = head.split('\r\n')
  const headers: Record<string, string> = {}
  for (const field of fields) {
    const name = field.slice(0, field.indexOf(':')).toLowerCase()
    const value = field.slice(field.indexOf(':') + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  const sent = rest.join('\r\n\r\n')
  const body = headers['transfer-encoding'] === 'chunked' ? joinChunks(sent) : sent
  return { status: Number(status.split(' ')[1]), headers, body }
}

/** RFC 9112 §7.1 */
function joinChunks(text: string): string {
  const end = text.indexOf('\r\n')
  const size = Number.parseInt(text.slice(0, end), 16)
  if (!(size > 0)) return ''
  return text.slice(end + 2, end + 2 + size) + joinChunks(text.slice(end + 4 + size))
}

import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import { sharkGuard as honoGuard } from '@sharkguard/hono'
import { sharkGuard as mcpGuard } from '@sharkguard/mcp'
import express, { type RequestHandler, Router } from 'express'
import fastify from 'fastify'
import { type Context, Hono } from 'hono'
import { listen, type StartHost } from '../support/hosts.ts'

type Options = Parameters<StartHost>[1]

/** Express, guarded in some way that leaves what is beside `/mcp` open. */
const onExpress =
  (
    mount: (app: express.Express, guarded: ReturnType<typeof expressGuard>, handler: RequestHandler) => void,
  ): StartHost =>
  async (audience, options) => {
    const guarded = expressGuard(audience, options)
    let runs = 0
    const handler: RequestHandler = (req, res) => {
      runs++
      res.json({ client: req.auth?.clientId ?? null })
    }
    const app = express()
    mount(app, guarded, handler)
    app.get('/health', (_req, res) => void res.send('well'))
    return listen(
      app,
      () => runs,
      () => guarded.guard.close(),
    )
  }

const onHono =
  (mount: (guarded: ReturnType<typeof honoGuard>, handler: (c: Context) => Response) => Hono): StartHost =>
  async (audience, options) => {
    const guarded = honoGuard(audience, options)
    let runs = 0
    const app = mount(guarded, (c) => {
      runs++
      return c.json({ client: c.get('auth')?.clientId ?? null })
    })
    app.get('/health', (c) => c.text('well'))
    return listen(
      getRequestListener(app.fetch),
      () => runs,
      () => guarded.guard.close(),
    )
  }

function guardMcp(audience: string, options: Options) {
  const counted = { runs: 0 }
  const guarded = mcpGuard(
    (_request, given) => {
      counted.runs++
      return Response.json({ client: given?.authInfo?.clientId ?? null })
    },
    audience,
    options,
  )
  return { guarded, paths: ['/mcp', '/mcp/*', ...guarded.guard.metadataPaths], counted }
}

/** Every way to guard `/mcp` and leave the rest open. */
export const MOUNTED_HOSTS: Readonly<Record<string, StartHost>> = {
  'express, app.use(path)': onExpress((app, guarded, handler) => void app.use('/mcp', guarded, handler)),
  'express, a router': onExpress((app, guarded, handler) => {
    app.use('/mcp', Router().use(guarded).use(handler))
    app.use(guarded.metadata)
  }),
  'express, a route': onExpress((app, guarded, handler) => {
    app.all('/mcp{/*rest}', guarded, handler)
    app.use(guarded.metadata)
  }),

  async 'fastify, a child context'(audience, options) {
    let runs = 0
    const app = fastify()
    await app.register(
      async (child) => {
        await child.register(fastifyGuard(audience, options))
        for (const path of ['', '/*']) {
          child.all(path, async (request) => {
            runs++
            return { client: request.auth?.clientId ?? null }
          })
        }
      },
      { prefix: '/mcp' },
    )
    app.get('/health', async () => 'well')
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: (app.server.address() as AddressInfo).port, runs: () => runs, close: () => app.close() }
  },

  'hono, app.use(path)': onHono((guarded, handler) => {
    const app = new Hono().use(guarded.metadata)
    app.use('/mcp/*', guarded)
    return app.all('/mcp/*', handler) as unknown as Hono
  }),
  'hono, route()': onHono((guarded, handler) => {
    const below = new Hono().use(guarded).all('/*', handler)
    return new Hono().use(guarded.metadata).route('/mcp', below as unknown as Hono) as unknown as Hono
  }),
  'hono, basePath()': onHono((guarded, handler) => {
    const app = new Hono().use(guarded.metadata) as unknown as Hono
    app.basePath('/mcp').use(guarded).all('/*', handler)
    return app
  }),

  async 'mcp, in a Hono app'(audience, options) {
    const { guarded, paths, counted } = guardMcp(audience, options)
    const app = new Hono()
    for (const path of paths) app.all(path, (c) => guarded.fetch(c.req.raw))
    app.get('/health', (c) => c.text('well'))
    return listen(getRequestListener(app.fetch), () => counted.runs, guarded.close)
  },
  async 'mcp, by toNodeHandler in an Express app'(audience, options) {
    const { guarded, paths, counted } = guardMcp(audience, options)
    const handler = toNodeHandler(guarded)
    const app = express()
    app.all(
      paths.map((path) => path.replace('/*', '/*rest')),
      (req, res) => void handler(req, res),
    )
    app.get('/health', (_req, res) => void res.send('well'))
    return listen(app, () => counted.runs, guarded.close)
  },
}

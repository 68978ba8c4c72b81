import { connect } from 'node:net'
import { sharkGuard } from '@sharkguard/fastify'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Exchange } from '../../../test/support/exchange.ts'

const METADATA = '/.well-known/oauth-protected-resource'

let exchange: Exchange
let app: FastifyInstance
let seen: string[]

beforeAll(async () => {
  exchange = await Exchange.start('https://mcp.example.com/mcp')
})
afterAll(() => exchange.close())
afterEach(() => app?.close())

const options = () => ({ issuer: exchange.issuer })

/** An app that says who called; `seen` has the URLs that reached a handler. */
function start(settings: FastifyServerOptions = {}): FastifyInstance {
  seen = []
  app = fastify(settings)
  return app
}

function answerWhoCalls(context: FastifyInstance, path = '/*'): void {
  context.all(path, async (request) => {
    seen.push(request.url)
    return {
      client: request.auth?.clientId ?? null,
      raw: (request.raw as { auth?: unknown }).auth !== undefined,
    }
  })
}

const post = (url: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, headers })

describe('await app.register(sharkGuard(audience))', () => {
  async function guarded(settings?: FastifyServerOptions) {
    start(settings)
    await app.register(sharkGuard(exchange.resource, options()))
    answerWhoCalls(app)
  }

  it('lets a bound token with its proof in and sets request.auth, and raw.auth for the MCP SDK', async () => {
    await guarded()
    const answer = await post('/mcp', exchange.headers())
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ client: 'agent-1', raw: true })
    expect(answer.headers['access-control-expose-headers']).toBe('WWW-Authenticate, DPoP-Nonce')
  })

  it('answers a request without credentials itself, with a challenge that has no error', async () => {
    await guarded()
    const answer = await post('/mcp')
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain(
      `resource_metadata="https://mcp.example.com${METADATA}/mcp"`,
    )
    expect(answer.headers['www-authenticate']).not.toContain('error')
    expect(seen).toEqual([])
  })

  it('guards paths that have no route', async () => {
    start()
    await app.register(sharkGuard(exchange.resource, options()))
    expect((await post('/nowhere')).statusCode).toBe(401)
  })

  it('refuses the second of two requests with one proof', async () => {
    await guarded()
    const headers = exchange.headers()
    expect((await post('/mcp', headers)).statusCode).toBe(200)
    expect((await post('/mcp', headers)).headers['www-authenticate']).toContain('error="invalid_dpop_proof"')
  })

  it('serves the metadata at the inserted and the root form, to anyone', async () => {
    await guarded()
    for (const url of [`${METADATA}/mcp`, METADATA]) {
      const answer = await app.inject({ url })
      expect(answer.headers['content-type']).toBe('application/json')
      expect(answer.json()).toMatchObject({
        resource: exchange.resource,
        authorization_servers: [exchange.issuer],
      })
    }
    expect((await app.inject({ url: `${METADATA}/other` })).statusCode).toBe(401)
  })

  it('lets a CORS preflight through untouched, and no other OPTIONS request', async () => {
    await guarded()
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    expect(
      (await app.inject({ method: 'OPTIONS', url: '/mcp', headers: preflight })).json().client,
    ).toBeNull()
    expect((await app.inject({ method: 'OPTIONS', url: '/mcp' })).statusCode).toBe(401)
  })

  it('compares htu with the URL that came, not with what rewriteUrl made of it', async () => {
    await guarded({ rewriteUrl: () => '/rewritten' })
    expect((await post('/mcp', exchange.headers())).statusCode).toBe(200)
    expect(seen).toEqual(['/rewritten'])
    const token = exchange.token()
    const proof = exchange.proof(token, { url: 'https://mcp.example.com/rewritten' })
    expect((await post('/mcp', exchange.headers({ token, proof }))).statusCode).toBe(401)
  })

  it('adds to the exposed headers of others instead of replacing them', async () => {
    start()
    app.addHook(
      'onRequest',
      async (_request, reply) => void reply.header('access-control-expose-headers', 'X-Mine'),
    )
    await app.register(sharkGuard(exchange.resource, options()))
    answerWhoCalls(app)
    const answer = await post('/mcp', exchange.headers())
    expect(answer.headers['access-control-expose-headers']).toBe('X-Mine, WWW-Authenticate, DPoP-Nonce')
  })

  it('closes its guard with the server, and hands it out before', async () => {
    start()
    const plugin = sharkGuard(exchange.resource, options())
    await app.register(plugin)
    await app.ready()
    await expect(plugin.guard.ready()).resolves.toBeUndefined()
    let closed = false
    const close = plugin.guard.close
    Object.assign(plugin.guard, { close: () => close().then(() => (closed = true)) })
    await app.close()
    expect(closed).toBe(true)
  })
})

describe('registered in a child context', () => {
  async function guardedChild(settings?: FastifyServerOptions) {
    start(settings)
    await app.register(
      async (child) => {
        await child.register(sharkGuard(exchange.resource, options()))
        answerWhoCalls(child, '')
      },
      { prefix: '/mcp' },
    )
    app.get('/health', async (request) => ({ auth: request.auth }))
  }

  it('guards that context alone', async () => {
    await guardedChild()
    expect((await post('/mcp')).statusCode).toBe(401)
    expect((await post('/mcp', exchange.headers())).json().client).toBe('agent-1')
    expect((await app.inject({ url: '/health' })).statusCode).toBe(200)
  })

  it.each([true, false])(
    'serves the metadata from the root of the server, exposeHeadRoutes %s',
    async (exposeHeadRoutes) => {
      await guardedChild({ exposeHeadRoutes })
      for (const url of [`${METADATA}/mcp`, METADATA]) {
        expect((await app.inject({ url })).json().resource).toBe(exchange.resource)
        const head = await app.inject({ method: 'HEAD', url })
        expect([head.statusCode, head.body]).toEqual([200, ''])
        expect((await app.inject({ method: 'OPTIONS', url })).statusCode).toBe(204)
      }
    },
  )

  it('finds nothing at a path that only the router takes for that of the metadata', async () => {
    await guardedChild({ routerOptions: { ignoreTrailingSlash: true, caseSensitive: false } })
    expect((await app.inject({ url: METADATA })).statusCode).toBe(200)
    for (const url of [METADATA.replace('e', '%65'), `${METADATA}/`, METADATA.toUpperCase()]) {
      expect((await app.inject({ url })).statusCode).toBe(404)
    }
  })
})

describe('two guards on one server', () => {
  it('serves the metadata of both; the first has the root form', async () => {
    start()
    for (const name of ['a', 'b']) {
      await app.register(
        async (child) => {
          await child.register(sharkGuard(`https://mcp.example.com/${name}`, options()))
          answerWhoCalls(child, '')
        },
        { prefix: `/${name}` },
      )
    }
    const resourceAt = async (url: string) => (await app.inject({ url })).json().resource
    expect(await resourceAt(`${METADATA}/a`)).toBe('https://mcp.example.com/a')
    expect(await resourceAt(`${METADATA}/b`)).toBe('https://mcp.example.com/b')
    expect(await resourceAt(METADATA)).toBe('https://mcp.example.com/a')
  })

  it('asks for one proof when it stands in the way twice, and for another from another guard', async () => {
    start()
    const guard = sharkGuard(exchange.resource, options())
    const stricter = sharkGuard(exchange.resource, { ...options(), scopes: ['admin'] })
    await app.register(guard)
    await app.register(async (child) => {
      await child.register(guard)
      answerWhoCalls(child, '/mcp')
      await child.register(async (within) => {
        await within.register(stricter)
        answerWhoCalls(within, '/mcp/admin')
      })
    })
    const headers = exchange.headers()
    expect((await post('/mcp', headers)).json().client).toBe('agent-1')
    expect((await post('/mcp', headers)).statusCode).toBe(401)
    const token = exchange.token()
    const proof = exchange.proof(token, { url: 'https://mcp.example.com/mcp/admin' })
    expect((await post('/mcp/admin', exchange.headers({ token, proof }))).statusCode).toBe(403)
  })

  it('lets a token of one not into the other', async () => {
    start()
    for (const name of ['mcp', 'b']) {
      await app.register(
        async (child) => {
          await child.register(sharkGuard(`https://mcp.example.com/${name}`, options()))
          answerWhoCalls(child, '')
        },
        { prefix: `/${name}` },
      )
    }
    const token = exchange.token()
    const proof = exchange.proof(token, { url: 'https://mcp.example.com/b' })
    expect((await post('/mcp', exchange.headers())).statusCode).toBe(200)
    expect((await post('/b', exchange.headers({ token, proof }))).statusCode).toBe(401)
  })
})

it('refuses an upload before it has been sent', async () => {
  start()
  await app.register(sharkGuard(exchange.resource, options()))
  answerWhoCalls(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  // The body never ends: only an answer that does not wait for it can arrive.
  const head =
    'POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n['
  const socket = connect(port, '127.0.0.1', () => socket.write(head))
  const [chunk] = (await new Promise((resolve) => socket.once('data', (data) => resolve([data])))) as [Buffer]
  expect(chunk.toString()).toMatch(/^HTTP\/1\.1 401 /)
  expect(seen).toEqual([])
  socket.destroy()
})

it('throws at a wrong configuration when the plugin is made', () => {
  expect(() => sharkGuard('not a uri')).toThrow('audience')
  expect(() => sharkGuard(exchange.resource, { isuer: 'x' } as never)).toThrow('isuer: unknown option')
})

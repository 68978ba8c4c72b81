import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sharkGuard } from '@sharkguard/express'
import express, { type ErrorRequestHandler, type Express, Router } from 'express'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Exchange } from '../../../test/support/exchange.ts'

let exchange: Exchange

beforeAll(async () => {
  exchange = await Exchange.start('https://mcp.example.com/mcp')
})
afterAll(() => exchange.close())

const options = () => ({ issuer: exchange.issuer })
const METADATA = '/.well-known/oauth-protected-resource'

/** An app that says who called; `seen` counts the runs of its handler. */
function app(mount: (app: Express) => void): { app: Express; seen: string[] } {
  const seen: string[] = []
  const instance = express()
  mount(instance)
  instance.use((req, res) => {
    seen.push(req.originalUrl)
    res.json({ client: req.auth?.clientId ?? null, body: req.body ?? null })
  })
  return { app: instance, seen }
}

const post = (target: Express | Server, path: string, headers: Record<string, string>) =>
  request(target).post(path).set(headers)

describe('app.use(sharkGuard(audience))', () => {
  it('lets a bound token with its proof in and sets req.auth', async () => {
    const { app: guarded } = app((a) => a.use(sharkGuard(exchange.resource, options())))
    const answer = await post(guarded, '/mcp', exchange.headers())
    expect(answer.status).toBe(200)
    expect(answer.body.client).toBe('agent-1')
    expect(answer.headers['access-control-expose-headers']).toBe('WWW-Authenticate, DPoP-Nonce')
  })

  it('answers a request without credentials itself, with a challenge that has no error', async () => {
    const { app: guarded, seen } = app((a) => a.use(sharkGuard(exchange.resource, options())))
    const answer = await request(guarded).post('/mcp')
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toMatch(/^DPoP algs="ES256 /)
    expect(answer.headers['www-authenticate']).toContain(
      `resource_metadata="https://mcp.example.com${METADATA}/mcp"`,
    )
    expect(answer.headers['www-authenticate']).not.toContain('error')
    expect(seen).toEqual([])
  })

  it('refuses the second of two requests with one proof', async () => {
    const { app: guarded, seen } = app((a) => a.use(sharkGuard(exchange.resource, options())))
    const headers = exchange.headers()
    expect((await post(guarded, '/mcp', headers)).status).toBe(200)
    const replay = await post(guarded, '/mcp', headers)
    expect(replay.status).toBe(401)
    expect(replay.headers['www-authenticate']).toContain('error="invalid_dpop_proof"')
    expect(seen).toHaveLength(1)
  })

  it('lets a CORS preflight through untouched, and no other OPTIONS request', async () => {
    const { app: guarded, seen } = app((a) => a.use(sharkGuard(exchange.resource, options())))
    const preflight = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }
    expect((await request(guarded).options('/mcp').set(preflight)).status).toBe(200)
    expect((await request(guarded).options('/mcp')).status).toBe(401)
    expect(seen).toHaveLength(1)
  })

  it('serves the metadata at the inserted and the root form, to anyone', async () => {
    const { app: guarded } = app((a) => a.use(sharkGuard(exchange.resource, options())))
    for (const path of [`${METADATA}/mcp`, METADATA]) {
      const answer = await request(guarded).get(path)
      expect(answer.status).toBe(200)
      expect(answer.headers['access-control-allow-origin']).toBe('*')
      expect(answer.body).toMatchObject({
        resource: exchange.resource,
        authorization_servers: [exchange.issuer],
        dpop_bound_access_tokens_required: true,
      })
    }
    expect((await request(guarded).get(`${METADATA}/other`)).status).toBe(401)
  })

  it('finds credentials where a serverless host has made a request of an event, without raw fields', async () => {
    const { app: guarded } = app((a) => {
      a.use((req, _res, next) => next(void Object.assign(req, { rawHeaders: [] })))
      a.use(sharkGuard(exchange.resource, options()))
    })
    expect((await post(guarded, '/mcp', exchange.headers())).status).toBe(200)
    expect((await post(guarded, '/mcp', {})).status).toBe(401)
    const { authorization, dpop } = exchange.headers() as { authorization: string; dpop: string }
    const joined = { authorization: `${authorization}, ${authorization}`, dpop }
    expect((await post(guarded, '/mcp', joined)).status).toBe(400)
  })

  it('adds to the exposed headers of others instead of replacing them', async () => {
    const { app: guarded } = app((a) => {
      a.use((_req, res, next) => next(void res.set('Access-Control-Expose-Headers', 'X-Mine')))
      a.use(sharkGuard(exchange.resource, options()))
    })
    const answer = await post(guarded, '/mcp', exchange.headers())
    expect(answer.headers['access-control-expose-headers']).toContain('X-Mine')
    expect(answer.headers['access-control-expose-headers']).toContain('DPoP-Nonce')
  })
})

it('hands what somebody else has answered meanwhile to the error handlers, and no rejection to the process', async () => {
  const failures: unknown[] = []
  let answered: () => void = () => {}
  const isAnswered = new Promise<void>((resolve) => {
    answered = resolve
  })
  const slow: typeof fetch = async (...request) => {
    await isAnswered
    return fetch(...request)
  }
  const instance = express()
    .use((_req, res, next) => {
      next()
      res.status(504).end()
      answered()
    })
    .use(sharkGuard(exchange.resource, { ...options(), fetch: slow }))
    .use(((error, _req, _res, _next) => void failures.push(error.code)) as ErrorRequestHandler)
  for (const headers of [exchange.headers(), exchange.headers({ scheme: 'Bearer' })]) {
    expect((await post(instance, '/mcp', headers)).status).toBe(504)
  }
  await expect.poll(() => failures).toEqual(['ERR_HTTP_HEADERS_SENT', 'ERR_HTTP_HEADERS_SENT'])
})

describe('mounted under a path', () => {
  const mounted = () =>
    app((a) => {
      a.use('/mcp', sharkGuard(exchange.resource, options()))
    })

  it('compares htu with the whole path, not with what is left of it', async () => {
    expect((await post(mounted().app, '/mcp', exchange.headers())).status).toBe(200)
    const token = exchange.token()
    const below = exchange.proof(token, { url: 'https://mcp.example.com/mcp/tools' })
    expect((await post(mounted().app, '/mcp/tools', exchange.headers({ token, proof: below }))).status).toBe(
      200,
    )
    const cut = exchange.proof(token, { url: 'https://mcp.example.com/tools' })
    expect((await post(mounted().app, '/mcp/tools', exchange.headers({ token, proof: cut }))).status).toBe(
      401,
    )
  })

  it('serves the metadata at the root of the app, where clients look for it', async () => {
    const answer = await request(mounted().app).get(`${METADATA}/mcp`)
    expect(answer.body.resource).toBe(exchange.resource)
  })

  it('guards nothing beside the path', async () => {
    expect((await request(mounted().app).get('/health')).status).toBe(200)
  })
})

describe('on a single route or in a router', () => {
  it('guards that route alone', async () => {
    const guard = sharkGuard(exchange.resource, options())
    const { app: guarded } = app((a) => {
      a.post('/mcp', guard, (req, res) => void res.json({ client: req.auth?.clientId }))
      a.use(guard.metadata)
    })
    expect((await post(guarded, '/mcp', exchange.headers())).body.client).toBe('agent-1')
    expect((await request(guarded).post('/mcp')).status).toBe(401)
    expect((await request(guarded).get('/other')).status).toBe(200)
    expect((await request(guarded).get(`${METADATA}/mcp`)).body.resource).toBe(exchange.resource)
  })

  it('asks for one proof when it stands in the way twice, and for another from another guard', async () => {
    const guard = sharkGuard(exchange.resource, options())
    const { app: guarded } = app((a) => a.use(guard).use('/mcp', guard))
    const headers = exchange.headers()
    expect((await post(guarded, '/mcp', headers)).body.client).toBe('agent-1')
    expect((await post(guarded, '/mcp', headers)).status).toBe(401)
    const stricter = sharkGuard(exchange.resource, { ...options(), scopes: ['admin'] })
    const { app: both } = app((a) => a.use(guard).use('/mcp', guard, stricter))
    expect((await post(both, '/mcp', exchange.headers())).status).toBe(403)
  })

  it('works in a router under a path', async () => {
    const router = Router().use(sharkGuard(exchange.resource, options()))
    const { app: guarded } = app((a) => a.use('/mcp', router))
    expect((await post(guarded, '/mcp', exchange.headers())).status).toBe(200)
    expect((await request(guarded).post('/mcp')).status).toBe(401)
  })
})

describe('before body parsing', () => {
  it('refuses an upload before it has been sent', async () => {
    const { app: guarded, seen } = app((a) => {
      a.use(sharkGuard(exchange.resource, options()))
      a.use(express.json({ limit: '200mb' }))
    })
    const server = createServer(guarded)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    // The body never ends: only an answer that does not wait for it can arrive.
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('[')),
    })
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } }
    const answer = await fetch(`http://127.0.0.1:${port}/mcp`, init as RequestInit)
    expect(answer.status).toBe(401)
    expect(seen).toEqual([])
    server.closeAllConnections()
    server.close()
  })
})

describe('wrong configuration', () => {
  it('throws when the guard is made, not when a request comes', () => {
    expect(() => sharkGuard('not a uri')).toThrow('audience')
    expect(() => sharkGuard(exchange.resource, { isuer: 'x' } as never)).toThrow('isuer: unknown option')
  })
})

import { sharkGuard } from '@sharkguard/hono'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Exchange } from '../../../test/support/exchange.ts'

const METADATA = '/.well-known/oauth-protected-resource'

let exchange: Exchange

beforeAll(async () => {
  exchange = await Exchange.start('https://mcp.example.com/mcp')
})
afterAll(() => exchange.close())

const guard = () => sharkGuard(exchange.resource, { issuer: exchange.issuer })
const whoCalls = (c: Context) => c.json({ client: c.get('auth')?.clientId ?? null })
const post = (app: Hono, path: string, headers: Record<string, string> = {}) =>
  app.request(path, { method: 'POST', headers })

/** A whole app behind the guard. */
const guarded = () => new Hono().use(guard()).all('/*', whoCalls) as unknown as Hono

describe('app.use(sharkGuard(audience))', () => {
  it("lets a bound token with its proof in and sets c.get('auth') and c.var.auth", async () => {
    const app = new Hono()
      .use(guard())
      .post('/mcp', (c) => c.json([c.get('auth').clientId, c.var.auth.scopes]))
    const answer = await app.request('/mcp', { method: 'POST', headers: exchange.headers() })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual(['agent-1', ['mcp:read', 'mcp:write']])
    expect(answer.headers.get('access-control-expose-headers')).toBe('WWW-Authenticate, DPoP-Nonce')
  })

  it('answers a request without credentials itself, with a challenge that has no error', async () => {
    const answer = await post(guarded(), '/mcp')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain(
      `resource_metadata="https://mcp.example.com${METADATA}/mcp"`,
    )
    expect(answer.headers.get('www-authenticate')).not.toContain('error')
  })

  it('refuses the second of two requests with one proof', async () => {
    const app = guarded()
    const headers = exchange.headers()
    expect((await post(app, '/mcp', headers)).status).toBe(200)
    expect((await post(app, '/mcp', headers)).headers.get('www-authenticate')).toContain(
      'error="invalid_dpop_proof"',
    )
  })

  it('serves the metadata at the inserted and the root form, to anyone', async () => {
    const app = guarded()
    for (const path of [`${METADATA}/mcp`, METADATA]) {
      const answer = await app.request(path)
      expect(await answer.json()).toMatchObject({
        resource: exchange.resource,
        authorization_servers: [exchange.issuer],
      })
    }
    expect((await app.request(`${METADATA}/other`)).status).toBe(401)
  })

  it('lets a CORS preflight through untouched, and no other OPTIONS request', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const app = guarded()
    expect(await (await app.request('/mcp', { method: 'OPTIONS', headers })).json()).toEqual({ client: null })
    expect((await app.request('/mcp', { method: 'OPTIONS' })).status).toBe(401)
  })

  it('adds its fields to responses of any making, also to errors', async () => {
    const app = new Hono().use(guard())
    app.post('/mcp', () => new Response('raw', { headers: { 'access-control-expose-headers': 'X-Mine' } }))
    const raw = await post(app as never, '/mcp', exchange.headers())
    expect(raw.headers.get('access-control-expose-headers')).toBe('X-Mine, WWW-Authenticate, DPoP-Nonce')
    const token = exchange.token()
    const proof = exchange.proof(token, { url: 'https://mcp.example.com/nowhere' })
    const missing = await post(app as never, '/nowhere', exchange.headers({ token, proof }))
    expect([missing.status, missing.headers.get('access-control-expose-headers')]).toEqual([
      404,
      'WWW-Authenticate, DPoP-Nonce',
    ])
  })
})

it('behind hono/cors, shows browsers what both expose, and the metadata to anyone', async () => {
  const app = new Hono()
    .use(cors({ origin: 'https://app.example', exposeHeaders: ['Mcp-Session-Id'] }))
    .use(guard())
    .all('/*', whoCalls) as unknown as Hono
  const exposed = 'Mcp-Session-Id, WWW-Authenticate, DPoP-Nonce'
  for (const [headers, status] of [
    [exchange.headers(), 200],
    [{}, 401],
  ] as const) {
    const answer = await post(app, '/mcp', { ...headers, origin: 'https://app.example' })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('access-control-expose-headers')).toBe(exposed)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
  }
  const metadata = await app.request(METADATA, { headers: { origin: 'https://other.example' } })
  expect(metadata.headers.get('access-control-allow-origin')).toBe('*')
  expect((await app.request(METADATA, { method: 'HEAD' })).headers.get('content-type')).toBe(
    'application/json',
  )
})

describe('under a path', () => {
  it('guards what is below it, and needs a line for the metadata', async () => {
    const middleware = guard()
    const app = new Hono()
      .use(middleware.metadata)
      .use('/mcp/*', middleware)
      .all('/*', whoCalls) as unknown as Hono
    expect((await post(app, '/mcp')).status).toBe(401)
    expect((await post(app, '/mcp', exchange.headers())).status).toBe(200)
    expect((await app.request('/health')).status).toBe(200)
    expect(await (await app.request(`${METADATA}/mcp`)).json()).toMatchObject({ resource: exchange.resource })
  })

  it('compares htu with the whole path under basePath and in route()', async () => {
    const below = new Hono().use(guard()).post('/tools', whoCalls)
    const byRoute = new Hono().route('/mcp', below as never)
    const byBasePath = new Hono().basePath('/mcp').use(guard()).post('/tools', whoCalls) as unknown as Hono
    const token = exchange.token()
    for (const app of [byRoute, byBasePath]) {
      const whole = exchange.proof(token, { url: 'https://mcp.example.com/mcp/tools' })
      expect((await post(app, '/mcp/tools', exchange.headers({ token, proof: whole }))).status).toBe(200)
      const cut = exchange.proof(token, { url: 'https://mcp.example.com/tools' })
      expect((await post(app, '/mcp/tools', exchange.headers({ token, proof: cut }))).status).toBe(401)
    }
  })

  it('asks for one proof where two patterns match, and for another from another guard', async () => {
    const middleware = guard()
    const below = () => new Hono().use('/mcp', middleware).use('/mcp/*', middleware)
    const app = below().all('/*', whoCalls) as unknown as Hono
    const headers = exchange.headers()
    expect(await (await post(app, '/mcp', headers)).json()).toEqual({ client: 'agent-1' })
    expect((await post(app, '/mcp', headers)).status).toBe(401)
    const stricter = sharkGuard(exchange.resource, { issuer: exchange.issuer, scopes: ['admin'] })
    const both = below().use(stricter).all('/*', whoCalls) as unknown as Hono
    expect((await post(both, '/mcp', exchange.headers())).status).toBe(403)
  })

  it('guards a single route', async () => {
    const app = new Hono().post('/mcp', guard(), whoCalls).post('/open', whoCalls) as unknown as Hono
    expect((await post(app, '/mcp', exchange.headers())).status).toBe(200)
    expect((await post(app, '/mcp')).status).toBe(401)
    expect((await post(app, '/open')).status).toBe(200)
  })
})

it('keeps the bytes of the target and takes nothing from the host', async () => {
  const app = guarded()
  const token = exchange.token()
  const proof = () => exchange.proof(token, { url: 'https://mcp.example.com/a%2Fb' })
  const request = (url: string) =>
    app.fetch(new Request(url, { method: 'POST', headers: exchange.headers({ token, proof: proof() }) }))
  expect((await request('http://internal:8080/a%2Fb?x=%20')).status).toBe(200)
  expect((await request('http://internal:8080/a/b')).status).toBe(401)
})

it('throws at a wrong configuration when the middleware is made', () => {
  expect(() => sharkGuard('not a uri')).toThrow('audience')
  expect(() => sharkGuard(exchange.resource, { isuer: 'x' } as never)).toThrow('isuer: unknown option')
})

import { describe, expect, it } from 'vitest'
import { createIssuer, type IssuerOptions, type IssuerStore, memoryStore, startIssuer } from '../src/index.ts'
import { RESOURCE } from './support/browser.ts'
import { IssuerUnderTest } from './support/issuer-under-test.ts'

describe('options that make no sense fail at start-up, by name:', () => {
  it.each<[string, unknown]>([
    ['issuer', 'not a url'],
    ['issuer', 'ftp://issuer.example'],
    ['issuer', 'https://issuer.example/?x'],
    ['issuer', 'https://issuer.example/#x'],
    ['adminKey', ''],
    ['adminKey', 'with spaces in it'],
    ['tokenLifetime', 0],
    ['tokenLifetime', 86_401],
    ['tokenLifetime', Number.NaN],
    ['refreshTokenLifetime', -1],
    ['refreshTokenLifetime', Number.POSITIVE_INFINITY],
    ['keyLifetime', 60],
    ['tokenType', 'jwt'],
    ['algorithms', []],
    ['algorithms', ['HS256']],
    ['algorithms', 'ES256'],
    ['resources', ['/mcp']],
    ['resources', 'https://mcp.example'],
    ['defaultResource', 'https://mcp.example#x'],
    ['nonce', 'yes'],
    ['clientMetadataDocuments', true],
    ['registration', 'on'],
    ['clock', 1_800_000_000],
    ['log', true],
    ['clientAddress', '127.0.0.1'],
    ['store', 'redis://127.0.0.1'],
    ['store', null],
    ['tokenLifeTime', 300],
  ])('%s: %j', (name, value) => {
    expect(() => createIssuer({ [name]: value } as IssuerOptions)).toThrow(new RegExp(`^issuer: ${name}`))
    expect(() => createIssuer({ [name]: value } as IssuerOptions)).toThrow(TypeError)
  })

  it('or are none', () => {
    expect(() => createIssuer('https://issuer.example' as IssuerOptions)).toThrow(
      'issuer: expected an object',
    )
  })

  it('and the port is free again', async () => {
    const { port } = await startIssuer().then(async (issuer) => {
      await issuer.close()
      return issuer
    })
    await expect(startIssuer({ port, tokenLifetime: 0 })).rejects.toThrow('tokenLifetime')
    await (await startIssuer({ port })).close()
  })
})

describe('an issuer', () => {
  it('under a path has everything there, and its metadata where RFC 8414 puts it [8414-3.1-issuer] [8414-3.3-issuer]', async () => {
    const issuer = createIssuer({ issuer: 'https://issuer.example/tenant/' })
    const get = async (url: string) => issuer.fetch(new Request(url))
    const metadata = await (
      await get('https://issuer.example/.well-known/oauth-authorization-server/tenant')
    ).json()
    expect(metadata).toMatchObject({
      issuer: 'https://issuer.example/tenant/',
      token_endpoint: 'https://issuer.example/tenant/oauth/token',
    })
    expect((await get('https://issuer.example/tenant/.well-known/jwks.json')).status).toBe(200)
    expect((await get('https://issuer.example/.well-known/jwks.json')).status).toBe(404)
    const { clientId } = await issuer.registerAgent()
    await issuer.revokeAgent(clientId)
    await issuer.revokePattern('x*')
  })

  it('advertises exactly what answers', async () => {
    const test = await new IssuerUnderTest().start()
    const { body } = await test.request('/.well-known/oauth-authorization-server')
    for (const [name, value] of Object.entries(body)) {
      if (!/_(endpoint|uri)$/.test(name)) continue
      const { status } = await test.request(new URL(value as string).pathname)
      expect([name, status]).not.toEqual([name, 404])
      expect([name, status]).not.toEqual([name, 500])
    }
    for (const grant_type of body.grant_types_supported) {
      const agent = await test.issuer.registerAgent({ grantTypes: [grant_type] })
      const answer = await test.token(agent, { grant_type })
      expect(['invalid_request', 'invalid_target']).toContain(answer.body.error)
    }
    expect(body.token_endpoint_auth_methods_supported).toContain('private_key_jwt')
    expect(body.introspection_endpoint_auth_methods_supported).not.toContain('none')
    await test.issuer.close()
  })

  it('issues tokens of SharkAuth’s type where it is told to', async () => {
    const issuer = createIssuer({ tokenType: 'JWT', defaultResource: RESOURCE })
    const [head = ''] = (await issuer.mintToken()).split('.')
    expect(JSON.parse(atob(head)).typ).toBe('JWT')
  })

  it('issues tokens for the resources it is told, and for the default where none is named [9068-3-aud] [MCP-A18]', async () => {
    const test = await new IssuerUnderTest().start({ resources: [RESOURCE], defaultResource: RESOURCE })
    const agent = await test.issuer.registerAgent()
    const request = { grant_type: 'client_credentials' }
    const { body } = await test.token(agent, request)
    expect((await test.introspect(body.access_token)).body.aud).toBe(RESOURCE)
    const other = await test.token(agent, { ...request, resource: 'https://other.example' })
    expect(other.body.error).toBe('invalid_target')
    await test.issuer.close()
  })

  it('counts requests by path, but not the paths of a flood', async () => {
    const issuer = createIssuer()
    const get = (path: string) => issuer.fetch(new Request(`http://localhost:8080${path}`))
    await get('/.well-known/jwks.json')
    for (let n = 0; n < 1500; n++) await get(`/flood/${n}`)
    await get('/.well-known/jwks.json')
    expect(issuer.requests('/.well-known/jwks.json')).toBe(2)
    expect(issuer.requests('/flood/1')).toBe(1)
    expect(issuer.requests('/flood/1400')).toBe(0)
  })

  it('fails where it is told to, and for as long', async () => {
    const issuer = createIssuer()
    const get = async () =>
      (await issuer.fetch(new Request('http://localhost:8080/.well-known/jwks.json'))).status
    const repair = issuer.fail('jwks')
    expect(await get()).toBe(503)
    repair()
    expect(await get()).toBe(200)
  })
})

describe('a store', () => {
  it('that is full is answered with 503, and what lives in it goes on', async () => {
    const test = new IssuerUnderTest()
    const limits = { client: 2, token: 3 }
    await test.start({ store: memoryStore({ clock: () => test.now, limits }), registration: 'open' })
    const agent = await test.issuer.registerAgent()
    const metadata = { name: 'x' }
    expect((await test.admin('POST', '/agents', metadata)).status).toBe(201)
    const full = await test.admin('POST', '/agents', metadata)
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1'])
    const tokens = []
    for (let n = 0; n < 3; n++) tokens.push(await test.accessToken(agent))
    await expect(test.accessToken(agent)).rejects.toThrow('temporarily_unavailable')
    for (const token of tokens) expect(await test.isActive(token)).toBe(true)
    test.now += 301
    expect(await test.isActive(await test.accessToken(agent))).toBe(true)
    await test.issuer.close()
  })

  it('that cannot be reached is answered with 503, and nothing of why', async () => {
    const broken = new Proxy(memoryStore(), {
      get: () => () =>
        Promise.reject(Object.assign(new Error('redis://secret@host'), { name: 'StoreUnavailable' })),
    }) as IssuerStore
    const events: unknown[] = []
    const test = await new IssuerUnderTest().start({ store: broken, log: (event) => events.push(event) })
    for (const path of ['/.well-known/jwks.json', '/healthz', '/oauth/revocations']) {
      const { status, body, headers } = await test.request(path)
      expect([path, status, headers.get('retry-after')]).toEqual([path, 503, '1'])
      expect(JSON.stringify(body)).not.toContain('redis')
    }
    const token = await test.post('/oauth/token', { client_id: 'x', client_secret: 'y' })
    expect([token.status, token.body.error]).toEqual([503, 'temporarily_unavailable'])
    expect((await test.admin('GET', '/agents')).status).toBe(503)
    expect(events.length).toBeGreaterThan(0)
    await test.issuer.close()
  })
})

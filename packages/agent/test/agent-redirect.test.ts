import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { Agent } from '../src/index.ts'
import { type FakeIssuer, startIssuer } from './support/authorization-server.ts'
import { listen, type TestServer } from './support/http.ts'
import { type FakeResource, startResource } from './support/resource-server.ts'

const servers: TestServer[] = []
let issuer: FakeIssuer
let server: FakeResource
let elsewhere: TestServer
let agent: Agent

beforeEach(async () => {
  issuer = await startIssuer()
  server = await startResource(issuer.url)
  elsewhere = await listen(({ body }) => ({ text: `elsewhere ${body}` }))
  servers.push(issuer, server, elsewhere)
  agent = await Agent.start({ resource: server.resource })
  server.seen.length = 0
})
afterAll(() => Promise.all(servers.map((each) => each.close())))

const redirect = (status: number, location: string) => () => ({ status, headers: { location } })
const admitted = () =>
  server.admitted.map(({ method, url, body }) => `${method} ${url.pathname} ${body}`.trim())

describe('a redirect within the origin', () => {
  it.each([
    [301, 'POST', 'GET /new'],
    [302, 'POST', 'GET /new'],
    [303, 'POST', 'GET /new'],
    [303, 'PUT', 'GET /new'],
    [301, 'PUT', 'PUT /new x'],
    [307, 'POST', 'POST /new x'],
    [308, 'POST', 'POST /new x'],
  ])('of %i turns a %s into %s, with a proof for the new URL', async (status, method, followed) => {
    server.routes = { '/mcp': redirect(status, '/new') }
    const response = await agent.fetch(server.resource, { method, body: 'x', headers: { accept: 'a/b' } })
    expect(response.status).toBe(200)
    expect(admitted()).toEqual([`${method} /mcp x`, followed])
    const [before, after] = server.admitted
    expect(after?.proof.jti).not.toBe(before?.proof.jti)
    expect(after?.headers.get('accept')).toBe('a/b')
    expect(after?.headers.has('content-type')).toBe(followed.endsWith('x'))
  })

  it('is followed five times and no more', async () => {
    server.routes = Object.fromEntries(
      [1, 2, 3, 4, 5].map((step) => [`/${step}`, redirect(307, `/${step + 1}`)]),
    )
    expect((await agent.fetch(`${server.url}/1`)).status).toBe(200)
    server.routes['/6'] = redirect(307, '/7')
    await expect(agent.fetch(`${server.url}/1`)).rejects.toThrow(/more than 5 redirects/)
    expect(server.admitted.at(-1)?.url.pathname).toBe('/6')
  })

  it('answers a nonce challenge at each place', async () => {
    server.nonce = 'n1'
    server.routes = {
      '/mcp': () => {
        server.nonce = 'n2'
        return { status: 307, headers: { location: '/new' } }
      },
    }
    expect((await agent.fetch(server.resource, { method: 'POST', body: 'x' })).status).toBe(200)
    expect(server.refused).toEqual(['use_dpop_nonce', 'use_dpop_nonce'])
  })

  it('is left to a caller who wants to see it, and refused for one who wants none', async () => {
    server.routes = { '/mcp': redirect(307, '/new') }
    const manual = await agent.fetch(server.resource, { redirect: 'manual' })
    expect([manual.status, manual.headers.get('location')]).toEqual([307, '/new'])
    await expect(agent.fetch(new Request(server.resource, { redirect: 'error' }))).rejects.toMatchObject({
      code: 'redirect',
    })
    expect(admitted()).toEqual(['GET /mcp', 'GET /mcp'])
  })

  it('repeats a stream that was kept, and refuses one that was not', async () => {
    server.routes = { '/mcp': redirect(307, '/new') }
    const post = (text: string) =>
      agent.fetch(server.resource, { method: 'POST', body: new Blob([text]).stream(), duplex: 'half' })
    expect(await (await post('short')).text()).toBe('short')
    await expect(post('x'.repeat(2_000_000))).rejects.toThrow(/too long to send again/)
  })

  it.each(['http://', 'ftp://127.0.0.1/x', 'http://user:pw@127.0.0.1/'])(
    'to %s is refused',
    async (location) => {
      server.routes = { '/mcp': redirect(307, location) }
      await expect(agent.fetch(server.resource)).rejects.toMatchObject({ code: 'redirect' })
    },
  )
})

describe('a redirect to another origin', () => {
  it.each([301, 302, 303, 307, 308])('of %i is followed without token, proof and cookies', async (status) => {
    server.routes = { '/mcp': redirect(status, `${elsewhere.url}/x`) }
    const response = await agent.fetch(server.resource, {
      method: 'POST',
      body: 'x',
      headers: { cookie: 'a=b', accept: 'a/b' },
    })
    expect(await response.text()).toBe(status < 304 ? 'elsewhere ' : 'elsewhere x')
    const headers = elsewhere.seen[0]?.headers
    expect(['authorization', 'dpop', 'cookie'].map((name) => headers?.get(name) ?? null)).toEqual([
      null,
      null,
      null,
    ])
    expect(headers?.get('accept')).toBe('a/b')
    expect(elsewhere.seen.length).toBe(1)
  })

  it('cannot be used to come back with credentials', async () => {
    const back = await listen(() => ({ status: 307, headers: { location: `${server.url}/back` } }))
    servers.push(back)
    server.routes = { '/mcp': redirect(307, back.url) }
    expect((await agent.fetch(server.resource)).status).toBe(401)
    expect(server.seen.at(-1)?.headers.has('authorization')).toBe(false)
  })
})

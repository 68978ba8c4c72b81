import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Agent, type AgentOptions } from '../src/index.ts'
import { type FakeIssuer, readToken, startIssuer } from './support/authorization-server.ts'
import type { TestServer } from './support/http.ts'
import { type FakeResource, startResource } from './support/resource-server.ts'

const servers: TestServer[] = []
let issuer: FakeIssuer
let server: FakeResource
let agent: Agent
let now: number

beforeEach(async () => {
  issuer = await startIssuer()
  server = await startResource(issuer.url)
  servers.push(issuer, server)
  now = Math.floor(Date.now() / 1000)
  agent = await start()
  server.seen.length = issuer.tokenRequests.length = 0
})
afterAll(() => Promise.all(servers.map((each) => each.close())))

const start = (options: Partial<AgentOptions> = {}) =>
  Agent.start({ resource: server.resource, clock: () => now, ...options })
const last = () => server.admitted.at(-1)!
const stream = (...parts: string[]) =>
  ReadableStream.from(parts.map((part) => new TextEncoder().encode(part)))

describe('a call to the resource', () => {
  it('carries token and proof, and everything the caller set', async () => {
    const { fetch } = agent
    const headers = {
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer other',
      'x-a': 'b',
    }
    const response = await fetch(new URL(`${server.resource}?q#f`), {
      method: 'POST',
      headers,
      body: '{"a":1}',
    })
    expect(await response.text()).toBe('{"a":1}')
    const sent = last().headers
    expect(sent.get('accept')).toBe('application/json, text/event-stream')
    expect(sent.get('x-a')).toBe('b')
    expect(sent.get('authorization')).toBe(`DPoP ${(await agent.token()).accessToken}`)
    expect(last().proof).toMatchObject({ jkt: agent.jkt, iat: now })
  })

  it('understands Request inputs: method, headers, body', async () => {
    const request = new Request(server.resource, { method: 'PUT', headers: { 'x-a': 'b' }, body: 'text' })
    expect(await (await agent.fetch(request)).text()).toBe('text')
    expect([last().method, last().headers.get('x-a'), last().headers.get('content-type')]).toEqual([
      'PUT',
      'b',
      'text/plain;charset=UTF-8',
    ])
    await agent.fetch(new Request(server.resource, { headers: { 'x-a': 'b' } }), {
      method: 'DELETE',
      headers: { 'x-c': 'd' },
    })
    expect([last().method, last().headers.get('x-a'), last().headers.get('x-c')]).toEqual([
      'DELETE',
      null,
      'd',
    ])
  })

  it.each<[string, () => RequestInit, string]>([
    ['text', () => ({ body: 'é' }), 'é'],
    ['bytes', () => ({ body: new TextEncoder().encode('bytes') }), 'bytes'],
    ['a form', () => ({ body: new URLSearchParams({ a: 'b c' }) }), 'a=b+c'],
    ['a blob', () => ({ body: new Blob(['blob']) }), 'blob'],
    ['a stream', () => ({ body: stream('one ', 'two'), duplex: 'half' }), 'one two'],
  ])('sends %s again after a refusal', async (_, init, text) => {
    server.nonce = 'n1'
    expect(await (await agent.fetch(server.resource, { method: 'POST', ...init() })).text()).toBe(text)
    expect(server.refused).toEqual(['use_dpop_nonce'])
  })

  it('sends a stream that is too long to keep once, and resolves with the refusal', async () => {
    server.nonce = 'n1'
    const body = stream('x'.repeat(700_000), 'y'.repeat(700_000))
    const response = await agent.fetch(server.resource, { method: 'POST', body, duplex: 'half' })
    expect([response.status, server.seen.length, server.seen[0]?.body.length]).toEqual([401, 1, 1_400_000])
    const again = stream('x'.repeat(700_000), 'y'.repeat(700_000))
    expect((await agent.fetch(server.resource, { method: 'POST', body: again, duplex: 'half' })).status).toBe(
      200,
    )
    expect(last().body.length).toBe(1_400_000)
  })

  it('is aborted by the caller, with init or with a Request', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(agent.fetch(server.resource, { signal })).rejects.toThrow(/enough/)
    await expect(agent.fetch(new Request(server.resource, { signal }))).rejects.toThrow()
    expect(server.seen).toEqual([])
  })

  it('is aborted by the caller while a token is fetched for it, and for others', async () => {
    let isSilent = false
    agent = await start({
      fetch: (url, init) =>
        isSilent && String(url).endsWith('/token') ? new Promise(() => undefined) : fetch(url, init),
    })
    const call = () => agent.fetch(server.resource, { signal: AbortSignal.timeout(500) })
    expect((await call()).status).toBe(200)
    isSilent = true
    now += issuer.lifetime
    await expect(call()).rejects.toThrow('timeout')
    now -= issuer.lifetime
    server.revoked.add((await agent.token()).accessToken)
    await expect(call()).rejects.toThrow('timeout')
  })

  it('rejects as fetch does for what fetch refuses', async () => {
    await expect(agent.fetch(server.resource, { body: 'x' })).rejects.toThrow(TypeError)
    await expect(agent.fetch('/relative')).rejects.toThrow(TypeError)
  })
})

describe('a call elsewhere', () => {
  it('is passed on untouched, without token and proof', async () => {
    const elsewhere = await startResource(issuer.url)
    servers.push(elsewhere)
    elsewhere.challenge = 'algs="ES256"'
    const headers = { authorization: 'Bearer own' }
    await agent.fetch(elsewhere.url, { headers })
    await agent.fetch(new Request(elsewhere.url))
    await agent.fetch(elsewhere.url, { method: 'POST', body: 'x' })
    expect(
      elsewhere.seen.map((each) => [each.headers.get('authorization'), each.headers.get('dpop')]),
    ).toEqual([
      ['Bearer own', null],
      [null, null],
      [null, null],
    ])
    const passed = vi.fn(async () => new Response())
    const other = await start({
      fetch: (input, init) => (String(input).startsWith('https:') ? passed() : fetch(input, init)),
    })
    await other.fetch(server.resource.replace('http:', 'https:'))
    expect(passed).toHaveBeenCalledOnce()
  })
})

describe('nonces', () => {
  it('are answered once, with another jti, and kept; a newer one on a success wins', async () => {
    server.nonce = 'n1'
    await agent.fetch(server.resource)
    server.nextNonce = 'n2'
    await agent.fetch(server.resource)
    server.nonce = 'n2'
    await agent.fetch(server.resource)
    expect(server.admitted.map(({ proof }) => proof.nonce)).toEqual(['n1', 'n1', 'n2'])
    expect(server.refused).toEqual(['use_dpop_nonce'])
    expect(new Set(server.admitted.map(({ proof }) => proof.jti)).size).toBe(3)
  })

  it('of the issuer are never sent to the resource, nor the other way round', async () => {
    issuer.nonce = 'as'
    server.nonce = 'rs'
    now += 290
    expect((await agent.fetch(server.resource)).status).toBe(200)
    expect(issuer.tokenRequests.map(({ proof }) => proof?.nonce)).toEqual([undefined, 'as'])
    expect(last().proof.nonce).toBe('rs')
  })

  it('are known from the first answer of the resource', async () => {
    server.nonce = 'n1'
    const another = await start()
    expect((await another.fetch(server.resource)).status).toBe(200)
    expect(server.refused).toEqual([])
  })

  it('that never satisfy the server end in its 401', async () => {
    server.nonce = 'wanted'
    server.nextNonce = 'wrong'
    const response = await agent.fetch(server.resource)
    expect([response.status, server.refused.length]).toEqual([401, 2])
  })
})

describe('tokens', () => {
  it('are renewed before they end, once for all who wait', async () => {
    await Promise.all([1, 2, 3].map(() => agent.fetch(server.resource)))
    expect(issuer.tokenRequests.length).toBe(0)
    now += 275
    const responses = await Promise.all([1, 2, 3].map(() => agent.fetch(server.resource)))
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(issuer.tokenRequests.length).toBe(1)
  })

  it('are kept by a clock that counts milliseconds as well', async () => {
    agent = await start({ clock: () => now * 1000 })
    expect((await agent.token()).expiresAt).toBe(now + 300)
    await agent.fetch(server.resource)
    expect(last().proof.iat).toBe(now)
  })

  it('are used to their end when the issuer is away, and not longer', async () => {
    issuer.override = () => ({ status: 503, json: { error: 'temporarily_unavailable' } })
    now += 299
    expect((await agent.fetch(server.resource)).status).toBe(200)
    now += 2
    await expect(agent.fetch(server.resource)).rejects.toMatchObject({ error: 'temporarily_unavailable' })
  })

  it('are replaced once when the server calls them invalid, once for all who were refused', async () => {
    const { accessToken } = await agent.token()
    server.revoked.add(accessToken)
    const responses = await Promise.all(
      [1, 2, 3].map(() => agent.fetch(server.resource, { method: 'POST', body: 'x' })),
    )
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(issuer.tokenRequests.length).toBe(1)
    expect(last().token).not.toBe(accessToken)
  })

  it('are replaced no more than once for one call', async () => {
    server.revoked.has = () => true
    const response = await agent.fetch(server.resource)
    expect([response.status, await response.text(), issuer.tokenRequests.length]).toEqual([401, 'refused', 1])
  })

  it('of an agent that was shut out stay refused: it does not register again', async () => {
    server.revoked.add((await agent.token()).accessToken)
    issuer.clients.clear()
    expect((await agent.fetch(server.resource)).status).toBe(401)
    await expect(agent.fetch(server.resource)).rejects.toMatchObject({ error: 'invalid_client' })
    expect(issuer.clients.size).toBe(0)
  })

  it('are gone when the agent is closed', async () => {
    agent.close()
    await expect(agent.fetch(server.resource)).rejects.toMatchObject({ code: 'closed' })
    await expect(agent.token()).rejects.toThrow(/closed/)
  })
})

describe('scopes', () => {
  const tool = () => `${server.url}/tool`

  it('are widened to the union with what a 403 asks for, and stay so', async () => {
    agent = await start({ scopes: 'base' })
    server.needs = { '/tool': 'extra' }
    expect((await agent.fetch(tool(), { method: 'POST', body: 'x' })).status).toBe(200)
    expect(readToken(last().token).scope).toBe('base extra')
    now += 275
    expect((await agent.fetch(tool())).status).toBe(200)
    expect(server.refused).toEqual(['insufficient_scope'])
  })

  it('are widened by calls at once without losing one another', async () => {
    server.needs = { '/a': 'a', '/b': 'b' }
    const both = ['/a', '/b'].map((path) => agent.fetch(server.url + path))
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200])
  })

  it('the issuer refuses leave the 403, and are not asked for again when the token is renewed', async () => {
    const given = { client_secret: 's', token_endpoint_auth_method: 'client_secret_basic', scope: 'base' }
    issuer.clients.set('c', given)
    agent = await start({ credentials: { clientId: 'c', clientSecret: 's' }, scopes: 'base' })
    server.needs = { '/tool': 'admin' }
    const response = await agent.fetch(tool())
    expect([response.status, await response.text()]).toEqual([403, 'refused'])
    now += 275
    expect((await agent.fetch(server.resource)).status).toBe(200)
    expect(readToken(last().token).scope).toBe('base')
  })

  it('that were asked for already end in the 403', async () => {
    agent = await start({ scopes: 'base' })
    const headers = { 'www-authenticate': 'DPoP error="insufficient_scope", scope="base"' }
    server.routes = { '/tool': () => ({ status: 403, headers }) }
    issuer.tokenRequests.length = 0
    expect((await agent.fetch(tool())).status).toBe(403)
    expect([server.admitted.length, issuer.tokenRequests.length]).toEqual([1, 0])
  })

  it('of a server that always wants another one are followed twice', async () => {
    let wanted = 0
    Object.defineProperty(server.needs, '/tool', { get: () => `s${wanted++}` })
    expect((await agent.fetch(tool())).status).toBe(403)
    expect(server.refused.length).toBe(3)
  })
})

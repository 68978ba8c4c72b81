import { ConfigurationError } from '@sharkguard/core'
import { sharkGuard } from '@sharkguard/mcp'
import { afterEach, describe, expect, it } from 'vitest'
import { callTool, Endpoint, rpc } from './endpoint.ts'

const METADATA = '/.well-known/oauth-protected-resource'

let endpoint: Endpoint
afterEach(() => endpoint?.close())

describe('sharkGuard(handler, audience)', () => {
  it('hands the caller on as authInfo', async () => {
    endpoint = await Endpoint.start()
    const answer = await endpoint.send(rpc('ping'))
    expect([answer.status, await answer.json()]).toEqual([200, { client: 'agent-1' }])
    expect(answer.headers.get('access-control-expose-headers')).toBe('WWW-Authenticate, DPoP-Nonce')
  })

  it('takes an object with fetch, and calls it as its method', async () => {
    endpoint = await Endpoint.start()
    const handler = {
      greeting: 'hello',
      fetch(_request: Request, given?: { authInfo?: { clientId: string } }) {
        return new Response(`${this.greeting} ${given?.authInfo?.clientId}`)
      },
    }
    const { exchange } = endpoint
    const guarded = sharkGuard(handler, exchange.resource, { issuer: exchange.issuer })
    const request = new Request(exchange.resource, { method: 'POST', headers: exchange.headers() })
    expect(await (await guarded.fetch(request)).text()).toBe('hello agent-1')
    await guarded.close()
  })

  it('answers requests without credentials and replays itself', async () => {
    endpoint = await Endpoint.start()
    const refused = await endpoint.sendAnonymously(rpc('ping'))
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain(`https://mcp.example.com${METADATA}/mcp`)
    const headers = endpoint.exchange.headers()
    expect((await endpoint.sendAnonymously(rpc('ping'), { headers })).status).toBe(200)
    expect((await endpoint.sendAnonymously(rpc('ping'), { headers })).status).toBe(401)
    expect(endpoint.seen).toHaveLength(1)
  })

  it('serves the metadata at both forms', async () => {
    endpoint = await Endpoint.start()
    for (const path of endpoint.guarded.guard.metadataPaths) {
      const answer = await endpoint.guarded.fetch(new Request(`http://internal${path}`))
      expect(((await answer.json()) as { resource: string }).resource).toBe(endpoint.exchange.resource)
    }
    expect(endpoint.guarded.guard.metadataPaths).toEqual([`${METADATA}/mcp`, METADATA])
  })

  it('lets preflights through, with nobody as authInfo whatever the host claims', async () => {
    endpoint = await Endpoint.start()
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const request = new Request(endpoint.exchange.resource, { method: 'OPTIONS', headers })
    const claimed = { authInfo: { clientId: 'admin' } } as never
    expect(await (await endpoint.guarded.fetch(request, claimed)).json()).toEqual({ client: null })
  })

  it("takes no host's word for who calls", async () => {
    endpoint = await Endpoint.start({ tools: { x: ['x'] }, public: ['open'] })
    const claimed = { authInfo: { clientId: 'admin', scopes: ['x'] }, parsedBody: callTool('open') } as never
    const post = () => new Request(endpoint.exchange.resource, { method: 'POST', body: '{}' })
    expect(await (await endpoint.guarded.fetch(post(), claimed)).json()).toEqual({ client: null })
    expect(
      (await endpoint.guarded.fetch(post(), { ...(claimed as object), parsedBody: callTool('x') } as never))
        .status,
    ).toBe(401)
  })

  it('adds a nonce to whatever the handler answers', async () => {
    endpoint = await Endpoint.start({ nonce: true, tools: { delete_file: ['files:write'] } })
    const challenged = await endpoint.send(callTool('delete_file'))
    const nonce = challenged.headers.get('dpop-nonce')
    const answer = async (name: string) => {
      const { exchange } = endpoint
      const token = exchange.token()
      const proof = exchange.proof(token, { claims: { nonce } })
      return endpoint.sendAnonymously(callTool(name), { headers: exchange.headers({ token, proof }) })
    }
    for (const [name, status] of [
      ['whoami', 200],
      ['delete_file', 403],
    ] as const) {
      const { headers, status: answered } = await answer(name)
      expect([answered, headers.get('dpop-nonce')]).toEqual([status, expect.stringMatching(/.{20,}/)])
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('access-control-expose-headers')).toBe('WWW-Authenticate, DPoP-Nonce')
    }
  })

  it('hands a stream on as it comes, piece by piece', async () => {
    let push!: (text: string) => void
    const stream = new ReadableStream({
      start(controller) {
        push = (text) => controller.enqueue(new TextEncoder().encode(text))
      },
    })
    endpoint = await Endpoint.start(
      {},
      () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } }),
    )
    const answer = await endpoint.send(rpc('ping'))
    const reader = answer.body!.getReader()
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      push(text)
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(text)
    }
    await reader.cancel()
  })
})

describe('bodies, where scopes are told apart by them', () => {
  const options = { tools: { delete_file: ['files:write'] } }
  const MEGABYTE = 1024 * 1024

  it('hands on what was checked, as parsedBody and as a request that can be read', async () => {
    let text = ''
    endpoint = await Endpoint.start(options, async (request) => {
      text = await request.text()
      return new Response()
    })
    await endpoint.send(callTool('whoami'))
    expect(JSON.parse(text)).toEqual(callTool('whoami'))
    expect(endpoint.seen[0]!.body).toEqual(callTool('whoami'))
  })

  it('takes the body that the host has parsed, and does not read it again', async () => {
    endpoint = await Endpoint.start(options)
    const { exchange } = endpoint
    const request = () => new Request(exchange.resource, { method: 'POST', headers: exchange.headers() })
    const answer = (parsedBody: unknown) => endpoint.guarded.fetch(request(), { parsedBody })
    expect((await answer(callTool('delete_file'))).status).toBe(403)
    expect((await answer(callTool('whoami'))).status).toBe(200)
  })

  it.each([
    ['no JSON', '{', 400],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400],
    ['4 MB', JSON.stringify({ ...callTool('whoami'), x: 'x'.repeat(4 * MEGABYTE - 200) }), 200],
    ['more than 4 MB', JSON.stringify({ ...callTool('whoami'), x: 'x'.repeat(4 * MEGABYTE) }), 413],
  ])('answers a body of %s', async (_title, body, status) => {
    endpoint = await Endpoint.start(options)
    const { exchange } = endpoint
    const headers = exchange.headers()
    const answer = await endpoint.guarded.fetch(
      new Request(exchange.resource, { method: 'POST', headers, body }),
    )
    expect(answer.status).toBe(status)
    expect(endpoint.seen).toHaveLength(status === 200 ? 1 : 0)
    expect((await answer.text()).length).toBeLessThan(200)
  })

  it('stops reading a body without end', async () => {
    endpoint = await Endpoint.start(options)
    const { exchange } = endpoint
    let pulled = 0
    let cancelled = false
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(MEGABYTE).fill(++pulled && 0x20)),
      cancel: () => {
        cancelled = true
      },
    })
    const init = { method: 'POST', headers: exchange.headers(), body, duplex: 'half' }
    expect((await endpoint.guarded.fetch(new Request(exchange.resource, init as RequestInit))).status).toBe(
      413,
    )
    expect(pulled).toBeLessThan(8)
    expect(cancelled).toBe(true)
  })

  it('reads no body of a request that is refused', async () => {
    endpoint = await Endpoint.start(options)
    const body = new ReadableStream({ pull: () => expect.unreachable() }, { highWaterMark: 0 })
    const init = { method: 'POST', body, duplex: 'half' }
    expect(
      (await endpoint.guarded.fetch(new Request(endpoint.exchange.resource, init as RequestInit))).status,
    ).toBe(401)
  })
})

describe('wrong configuration', () => {
  it.each([
    ['isuer', { isuer: 'x' }],
    ['tools', { tools: ['delete_file'] }],
    ['tools.delete_file', { tools: { delete_file: 'files:write' } }],
    ['resources.x', { resources: { x: ['two words'] } }],
    ['prompts.x', { prompts: { x: [''] } }],
    ['public', { public: 'ping' }],
    ['impliesScope', { impliesScope: true }],
  ])('of %s throws when the guard is made', (option, options) => {
    const make = () => sharkGuard(() => new Response(), 'https://mcp.example.com/mcp', options as never)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(`sharkGuard: ${option}: `)
  })

  it.each([undefined, null, {}, 'handler'])('of a handler that is %j throws, too', (handler) => {
    expect(() => sharkGuard(handler as never, 'https://mcp.example.com/mcp')).toThrow('sharkGuard: handler: ')
  })
})

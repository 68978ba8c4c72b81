import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callTool, Endpoint, rpc } from './endpoint.ts'

let endpoint: Endpoint
afterEach(() => endpoint?.close())

describe("public: ['ping', 'docs_*', 'file:///public/*']", () => {
  beforeEach(async () => {
    const scopes = { ping: ['admin'], secret: ['admin'] }
    endpoint = await Endpoint.start({ public: ['ping', 'docs_*', 'file:///public/*'], tools: scopes })
  })

  it.each([
    ['a public tool', callTool('ping'), 200],
    ['a public tool by prefix', callTool('docs_search'), 200],
    ['a public resource', rpc('resources/read', { uri: 'file:///public/a' }), 200],
    ['a resource that only looks public', rpc('resources/read', { uri: 'file:///public/../secret' }), 401],
    [
      'a resource that is public but for its escapes',
      rpc('resources/read', { uri: 'file:///public/%2e%2e%2fx' }),
      401,
    ],
    ['another tool', callTool('secret'), 401],
    ['a tool without a name', callTool(undefined), 401],
    ['connecting', rpc('initialize'), 200],
    ['connecting, 2026-07-28', rpc('server/discover'), 200],
    ['the notification that follows', { jsonrpc: '2.0', method: 'notifications/initialized' }, 200],
    ['listing tools', rpc('tools/list'), 200],
    ['a batch of what is public', [callTool('ping'), rpc('tools/list')], 200],
    ['a batch of both', [callTool('ping'), callTool('secret')], 401],
    ['an empty batch', [], 401],
    ['a method nobody knows', rpc('tasks/result', { taskId: 'x' }), 401],
    ["an answer to a server's question", { jsonrpc: '2.0', id: 1, result: {} }, 401],
    ['no object', 5, 401],
    ['no JSON', '{', 400],
    ['nothing', undefined, 401],
  ])('anonymously: %s', async (_title, body, status) => {
    const answer = await endpoint.sendAnonymously(body)
    expect(answer.status).toBe(status)
    expect(endpoint.seen.map(({ client }) => client)).toEqual(status === 200 ? [undefined] : [])
    if (status === 401) expect(answer.headers.get('www-authenticate')).not.toContain('error')
  })

  it('lets nobody open a stream of the server anonymously', async () => {
    expect((await endpoint.sendAnonymously(undefined, { method: 'GET' })).status).toBe(401)
  })

  it('refuses bad credentials also where none are needed', async () => {
    const { exchange } = endpoint
    const expired = exchange.headers({ token: exchange.token({ claims: { exp: 1 } }) })
    for (const headers of [
      expired,
      { authorization: 'DPoP x' },
      { authorization: 'Basic eDp5' },
      { authorization: '' },
    ]) {
      const { status } = await endpoint.sendAnonymously(callTool('ping'), { headers: headers as never })
      expect([400, 401]).toContain(status)
    }
    expect(endpoint.seen).toEqual([])
  })

  it('tells the handler who calls where somebody does, and asks no scopes of them either', async () => {
    expect(await (await endpoint.send(callTool('ping'))).json()).toEqual({ client: 'agent-1' })
    expect((await endpoint.send(callTool('secret'))).status).toBe(403)
  })

  it('compares Mcp-Name with the body here too', async () => {
    const headers = { 'mcp-method': 'tools/call', 'mcp-name': 'secret' }
    expect((await endpoint.sendAnonymously(callTool('ping'), { headers })).status).toBe(400)
  })
})

it('without public, nobody is anonymous', async () => {
  endpoint = await Endpoint.start({ tools: {} })
  for (const body of [rpc('initialize'), rpc('tools/list'), callTool('ping')]) {
    expect((await endpoint.sendAnonymously(body)).status).toBe(401)
  }
})

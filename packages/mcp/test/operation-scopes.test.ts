import { operationScopes } from '@sharkguard/mcp'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { callTool, Endpoint, rpc } from './endpoint.ts'

let endpoint: Endpoint
afterEach(() => endpoint?.close())

const TABLES = {
  tools: { delete_file: ['files:write'], 'admin_*': ['admin'], admin_delete: ['files:write'] },
  resources: { 'file:///secret/*': ['secrets'], 'file:///notes.md': ['notes'] },
  prompts: { 'internal_*': ['internal'] },
}
const read = (uri: unknown) => rpc('resources/read', { uri })
const ref = (type: string, target: object) => rpc('completion/complete', { ref: { type, ...target } })

/** The scopes that a 403 asks for; `undefined` where the handler ran. */
async function needed(body: unknown, granted = 'mcp:read', headers = {}): Promise<string[] | undefined> {
  const answer = await endpoint.send(body, { claims: { scope: granted }, headers })
  if (answer.status === 200) return undefined
  expect(answer.status).toBe(403)
  const challenge = answer.headers.get('www-authenticate') as string
  expect(challenge).toMatch(/^DPoP .*error="insufficient_scope"/)
  expect(challenge).toContain(
    'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
  )
  return /scope="([^"]*)"/.exec(challenge)?.[1]?.split(' ')
}

describe('an operation', () => {
  it.each([
    ['a tool that needs nothing', callTool('whoami'), undefined],
    ['a tool that needs a scope', callTool('delete_file'), ['files:write']],
    ['a tool by prefix', callTool('admin_list'), ['admin']],
    ['a tool by name and prefix: all scopes of both', callTool('admin_delete'), ['admin', 'files:write']],
    ['a tool whose name only contains the prefix', callTool('my_admin_list'), undefined],
    ['a tool in another case', callTool('Delete_File'), undefined],
    ['a tool called as a property of objects', callTool('__proto__'), undefined],
    ['a resource', read('file:///secret/a'), ['secrets']],
    ['a resource, not normalized', read('file:///x/../secret/a'), ['secrets']],
    ['a resource, scheme in upper case', read('FILE:///secret/a'), ['secrets']],
    ['a resource, percent-encoded', read('file:///%73ecret/a'), ['secrets']],
    ['a resource with a bad escape', read('file:///secret/%zz'), ['secrets']],
    ['another resource', read('file:///public/a'), undefined],
    ['a subscription', rpc('resources/subscribe', { uri: 'file:///secret/a' }), ['secrets']],
    ['a directory', rpc('resources/directory/read', { uri: 'file:///secret/' }), ['secrets']],
    ['a list', rpc('resources/list'), undefined],
    [
      'what a stream listens to',
      rpc('subscriptions/listen', { notifications: { resourceSubscriptions: ['a:b', 'file:///notes.md'] } }),
      ['notes'],
    ],
    ['a prompt', rpc('prompts/get', { name: 'internal_a' }), ['internal']],
    ["a completion of a prompt's argument", ref('ref/prompt', { name: 'internal_a' }), ['internal']],
    [
      "a completion of a resource's argument",
      ref('ref/resource', { uri: 'file:///secret/{x}' }),
      ['secrets'],
    ],
    ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }, undefined],
    ['a tool, with the prompts of the same name in mind', callTool('internal_a'), undefined],
  ])('%s', async (_title, body, scopes) => {
    endpoint = await Endpoint.start(TABLES)
    expect(await needed(body)).toEqual(scopes)
    expect(endpoint.seen).toHaveLength(scopes === undefined ? 1 : 0)
    if (scopes !== undefined) expect(await needed(body, scopes.join(' '))).toBeUndefined()
    if (scopes?.[1] !== undefined) expect(await needed(body, scopes[1])).toEqual(scopes)
  })

  it.each([
    ['an object', { toString: 1 }],
    ['a list that would be coerced', ['delete_file']],
    ['a number', 1],
    ['missing', undefined],
  ])('whose name is %s may be any, and needs everything', async (_title, name) => {
    endpoint = await Endpoint.start(TABLES)
    expect(await needed(callTool(name))).toEqual(['files:write', 'admin'])
    expect(await needed(read(name))).toEqual(['secrets', 'notes'])
  })

  it('in a batch needs what each of its messages needs', async () => {
    endpoint = await Endpoint.start(TABLES)
    const batch = [callTool('whoami'), callTool('delete_file'), read('file:///notes.md')]
    expect(await needed(batch)).toEqual(['files:write', 'notes'])
    expect(await needed(batch, 'files:write')).toEqual(['files:write', 'notes'])
    expect(await needed(batch, 'notes files:write')).toBeUndefined()
  })

  it('is refused in the scheme of the caller', async () => {
    endpoint = await Endpoint.start({ ...TABLES, dpop: 'when-bound' })
    const token = endpoint.exchange.token({ claims: { cnf: undefined } })
    const headers = { authorization: `Bearer ${token}` }
    const answer = await endpoint.sendAnonymously(callTool('delete_file'), { headers })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer [^,]*error="insufficient_scope"|^Bearer .*scope="files:write"/,
    )
  })

  it('is checked whatever the method of the request is', async () => {
    endpoint = await Endpoint.start(TABLES)
    const answer = await endpoint.send(callTool('delete_file'), { method: 'PUT' })
    expect(answer.status).toBe(403)
  })
})

describe('impliesScope(granted, needed)', () => {
  it('says which scopes cover others [MCP-R21]', async () => {
    const impliesScope = (granted: string, scope: string) =>
      granted === scope || scope.startsWith(`${granted}:`)
    endpoint = await Endpoint.start({ ...TABLES, impliesScope })
    expect(await needed(callTool('delete_file'), 'files')).toBeUndefined()
    expect(await needed(callTool('delete_file'), 'files:write')).toBeUndefined()
    expect(await needed(callTool('delete_file'), 'file')).toEqual(['files:write'])
  })

  it('covers the scopes of every request too', async () => {
    const impliesScope = (granted: string, scope: string) => scope.startsWith(granted)
    endpoint = await Endpoint.start({ scopes: ['mcp:read'], impliesScope })
    expect(await needed(callTool('whoami'), 'mcp')).toBeUndefined()
    expect(await needed(callTool('whoami'), 'files')).toEqual(['mcp:read'])
  })
})

describe('Mcp-Method and Mcp-Name', () => {
  const method = { 'mcp-method': 'tools/call' }
  it.each([
    ['that say what the body says', { ...method, 'mcp-name': 'whoami' }, callTool('whoami'), 200],
    ['that are absent', {}, callTool('whoami'), 200],
    ['in base64', { ...method, 'mcp-name': `=?base64?${btoa('whoami')}?=` }, callTool('whoami'), 200],
    ['for a method without a name', { 'mcp-method': 'tools/list' }, rpc('tools/list'), 200],
    ['that name another tool', { ...method, 'mcp-name': 'whoami' }, callTool('delete_file'), 400],
    ['that name another method', { 'mcp-method': 'tools/list' }, callTool('whoami'), 400],
    ['that name another resource', { 'mcp-name': 'a:b' }, read('a:c'), 400],
    ['in bad base64', { ...method, 'mcp-name': '=?base64?*?=' }, callTool('whoami'), 400],
    ['before a batch', method, [callTool('whoami')], 400],
  ])('%s', async (_title, headers, body, status) => {
    endpoint = await Endpoint.start(TABLES)
    const answer = await endpoint.send(body, { headers, claims: { scope: 'files:write' } })
    expect(answer.status).toBe(status)
    expect(endpoint.seen).toHaveLength(status === 200 ? 1 : 0)
    if (status === 400) expect(await answer.json()).toMatchObject({ error: { code: -32020 }, id: null })
  })

  it('cannot talk a caller past the scopes of what the body asks for [MCP-R30]', async () => {
    endpoint = await Endpoint.start(TABLES)
    const answer = await endpoint.send(callTool('delete_file'), {
      headers: { ...method, 'mcp-name': 'whoami' },
    })
    expect(answer.status).toBe(400)
    expect(
      await needed(callTool('delete_file'), 'mcp:read', { ...method, 'mcp-name': 'delete_file' }),
    ).toEqual(['files:write'])
  })
})

describe('operationScopes, for hosts that parse the body themselves', () => {
  const guard = { insufficientScope: (_auth: unknown, scopes: readonly string[]) => scopes as never }
  const check = operationScopes(guard, TABLES)
  const auth = { scopes: ['files:write'] } as never

  it('answers the refusal, or nothing', () => {
    expect(check(auth, callTool('delete_file'))).toBeUndefined()
    expect(check(auth, callTool('admin_delete'))).toEqual(['admin', 'files:write'])
  })

  it('never throws, whatever the body is', () => {
    const methods = fc.constantFrom(
      'tools/call',
      'resources/read',
      'prompts/get',
      'completion/complete',
      'subscriptions/listen',
    )
    const message = fc.record({ method: fc.oneof(methods, fc.jsonValue()), params: fc.jsonValue() })
    const nested = fc.record({
      method: methods,
      params: fc.record({
        name: fc.jsonValue(),
        uri: fc.oneof(fc.webUrl(), fc.jsonValue()),
        ref: fc.jsonValue(),
        notifications: fc.jsonValue(),
      }),
    })
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), message, nested, fc.array(nested)), (body) => {
        check(auth, body)
      }),
      { numRuns: 2000 },
    )
  })
})

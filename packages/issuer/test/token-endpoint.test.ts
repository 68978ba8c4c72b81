import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RESOURCE } from './support/browser.ts'
import { type Agent, type Fields, IssuerUnderTest } from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
let agent: Agent

beforeAll(async () => {
  await test.start()
  agent = await test.issuer.registerAgent({ scopes: ['mcp:read', 'files.*'] })
})
afterAll(() => test.issuer.close())

const VALID: Fields = { grant_type: 'client_credentials', scope: 'mcp:read', resource: RESOURCE }
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`,
})

describe('a client credentials request', () => {
  it('that is as it should be is answered with a token for the resource, and kept by nobody [6749-5.1-store] [9449-11.2-lifetime] [MCP-A14] [8707-2-aud]', async () => {
    const { status, headers, body } = await test.token(agent, VALID)
    expect(status).toBe(200)
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'mcp:read',
    })
    expect(headers.get('cache-control')).toBe('no-store')
    expect((await test.introspect(body.access_token)).body).toMatchObject({
      active: true,
      iss: test.url,
      aud: RESOURCE,
      sub: agent.clientId,
      client_id: agent.clientId,
      exp: test.now + 300,
      token_type: 'Bearer',
    })
  })

  it.each<[string, Fields, string]>([
    ['no grant type', { grant_type: undefined }, 'invalid_request'],
    ['an empty grant type', { grant_type: '' }, 'invalid_request'],
    ['two grant types', { grant_type: ['client_credentials', 'client_credentials'] }, 'invalid_request'],
    ['two scopes', { scope: ['mcp:read', 'mcp:read'] }, 'invalid_request'],
    ['a grant type that nobody knows', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['a grant type of every object', { grant_type: 'constructor' }, 'unsupported_grant_type'],
    ['a grant type it is not registered for', { grant_type: 'authorization_code' }, 'unauthorized_client'],
    ['a scope it is not registered for', { scope: 'mcp:write' }, 'invalid_scope'],
    ['a wildcard of its own', { scope: 'files.*.x *' }, 'invalid_scope'],
    ['a malformed scope', { scope: 'mcp:read "x"' }, 'invalid_scope'],
    ['no resource', { resource: undefined }, 'invalid_target'],
    ['a relative resource', { resource: '/mcp' }, 'invalid_target'],
    ['a resource with a fragment', { resource: `${RESOURCE}#x` }, 'invalid_target'],
    ['a resource that is no address', { resource: 'urn:x:y' }, 'invalid_target'],
  ])(
    'with %s is refused by name, and nothing of it is echoed [6749-3.2-params] [8707-2-target] [9700-2.4]',
    async (_what, change, error) => {
      expect((await test.token(agent, VALID)).status).toBe(200)
      const { status, body, headers } = await test.token(agent, { ...VALID, ...change })
      expect([status, body.error]).toEqual([400, error])
      expect(headers.get('cache-control')).toBe('no-store')
      for (const value of Object.values(change).flat()) {
        if (value && value.length > 3) expect(body.error_description).not.toContain(value)
      }
    },
  )

  it('may ask for what its wildcard covers, for several resources, and by SharkAuth’s audience [9068-2.2.3-scope]', async () => {
    const both = { resource: RESOURCE, audience: ['https://a.example', 'https://b.example'] }
    const { body } = await test.token(agent, { ...VALID, scope: 'files.read', ...both })
    expect(body.scope).toBe('files.read')
    const { aud } = (await test.introspect(body.access_token)).body
    expect(aud).toEqual([RESOURCE, 'https://a.example', 'https://b.example'])
  })

  it('without a scope gets what is registered', async () => {
    const { body } = await test.token(agent, { ...VALID, scope: undefined })
    expect(body.scope).toBe('mcp:read files.*')
  })
})

describe('a body', () => {
  const send = (body: string, type: string) =>
    test.request('/oauth/token', { method: 'POST', body, headers: { 'content-type': type } })

  it.each([
    ['in JSON', '{"grant_type":"client_credentials"}', 'application/json', 400],
    ['of no type', 'grant_type=client_credentials', '', 400],
    [
      'of 100 KB',
      `grant_type=client_credentials&x=${'y'.repeat(100_000)}`,
      'application/x-www-form-urlencoded',
      413,
    ],
    ['that is empty', '', 'application/x-www-form-urlencoded', 401],
    ['of bytes that are no text', '%ff%fe=%00', 'application/x-www-form-urlencoded', 401],
  ])('%s is refused', async (_what, body, type, status) => {
    const answer = await send(body, type)
    expect(answer.status).toBe(status)
    expect(answer.body.error).toMatch(/^invalid_(request|client)$/)
  })

  it('comes by POST', async () => {
    const { status, headers } = await test.request('/oauth/token?grant_type=client_credentials')
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
  })
})

describe('client authentication', () => {
  const request = { grant_type: 'client_credentials', resource: RESOURCE }
  const inBody = ({ clientId, clientSecret }: Agent) => ({ client_id: clientId, client_secret: clientSecret })

  it.each(['client_secret_basic', 'client_secret_post'])(
    '%s: in the header and in the body',
    async (authMethod) => {
      const client = await test.issuer.registerAgent({ authMethod })
      const { clientId, clientSecret } = client
      expect((await test.post('/oauth/token', { ...request, ...inBody(client) })).status).toBe(200)
      const header = basic(clientId, clientSecret)
      expect((await test.post('/oauth/token', request, header)).status).toBe(200)
      expect((await test.post('/oauth/token', { ...request, client_id: clientId }, header)).status).toBe(200)
    },
  )

  it('in both at once, or for another client in the body, is ambiguous', async () => {
    const header = basic(agent.clientId, agent.clientSecret)
    for (const more of [inBody(agent), { client_secret: 'x' }, { client_id: 'another' }]) {
      const { status, body } = await test.post('/oauth/token', { ...request, ...more }, header)
      expect([status, body.error]).toEqual([400, 'invalid_request'])
    }
  })

  it.each<[string, () => [Fields, Record<string, string>]]>([
    ['nothing', () => [{}, {}]],
    ['the id alone', () => [{ client_id: agent.clientId }, {}]],
    ['an unknown id', () => [{ client_id: 'nobody', client_secret: agent.clientSecret }, {}]],
    ['another secret', () => [{ client_id: agent.clientId, client_secret: 'x'.repeat(64) }, {}]],
    ['an empty secret', () => [{ client_id: agent.clientId, client_secret: '' }, {}]],
    ['the secret of another', () => [{}, basic(agent.clientId, `${agent.clientSecret}x`)]],
    ['Basic without a colon', () => [{}, { authorization: `Basic ${btoa(agent.clientId)}` }]],
    ['Basic that is no base64', () => [{}, { authorization: 'Basic %%%' }]],
    ['Basic with a broken escape', () => [{}, { authorization: `Basic ${btoa('%zz:%zz')}` }]],
    ['Basic and nothing more', () => [{}, { authorization: 'Basic' }]],
    ['the admin key', () => [{}, { authorization: `Bearer ${test.issuer.adminKey}` }]],
  ])('with %s is invalid_client, with a challenge [6749-5.2-401]', async (_what, credentials) => {
    const [fields, header] = credentials()
    const { status, body, headers } = await test.post('/oauth/token', { ...request, ...fields }, header)
    expect([status, body.error]).toEqual([401, 'invalid_client'])
    expect(headers.get('www-authenticate')).toBe('Basic realm="oauth"')
  })

  it('a public client has no secret to show, and no client_credentials', async () => {
    const client = await test.publicClient({ grant_types: ['client_credentials'] })
    const fields = { ...request, client_id: client.clientId }
    expect((await test.post('/oauth/token', fields)).body.error).toBe('unauthorized_client')
    const withSecret = { ...fields, client_secret: 'guessed' }
    expect((await test.post('/oauth/token', withSecret)).body.error).toBe('invalid_client')
  })

  it('ends with the client', async () => {
    const client = await test.issuer.registerAgent()
    expect((await test.token(client, VALID)).status).toBe(200)
    expect((await test.admin('PATCH', `/agents/${client.agentId}`, { active: false })).status).toBe(200)
    expect((await test.token(client, VALID)).body.error).toBe('invalid_client')
  })

  it('a secret that was replaced by its client works for an hour more, here only', async () => {
    const registered = await test.request('/oauth/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'rotating', grant_types: ['client_credentials'] }),
    })
    const { client_id, client_secret, registration_access_token } = registered.body
    const rotate = () =>
      test.request(`/oauth/register/${client_id}/secret`, {
        method: 'POST',
        headers: { authorization: `Bearer ${registration_access_token}` },
      })
    const fields = { client_id, client_secret }
    const old = (path: string) => test.post(path, { ...request, ...fields, token: 'x' })
    expect((await old('/oauth/introspect')).status).toBe(200)
    const { client_secret: fresh } = (await rotate()).body
    expect((await old('/oauth/token')).status).toBe(200)
    expect((await old('/oauth/introspect')).status).toBe(401)
    expect((await old('/oauth/revoke')).status).toBe(401)
    expect(
      (await test.post('/oauth/introspect', { client_id, client_secret: fresh, token: 'x' })).status,
    ).toBe(200)
    test.now += 3599
    expect((await old('/oauth/token')).status).toBe(200)
    test.now += 2
    expect((await old('/oauth/token')).status).toBe(401)
    expect((await test.post('/oauth/token', { ...request, client_id, client_secret: fresh })).status).toBe(
      200,
    )
  })
})

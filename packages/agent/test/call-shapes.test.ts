import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  AdminClient,
  Agent,
  AgentError,
  DcrClient,
  DPoPHttpClient,
  DPoPProver,
  OAuthClient,
} from '../src/index.ts'
import { type Answer, listen, type TestServer } from './support/http.ts'

const prover = await DPoPProver.generate()
const TOKEN = { access_token: 'at', token_type: 'DPoP' }
let server: TestServer
let answer: Answer
beforeAll(async () => {
  server = await listen(({ method }) => (method === 'GET' ? undefined : answer))
})
beforeEach(() => {
  server.seen.length = 0
  answer = { json: TOKEN }
})
afterAll(() => server.close())

const sent = () => server.seen.findLast(({ method }) => method !== 'GET')
const form = () => Object.fromEntries(new URLSearchParams(sent()?.body))
const client = { clientId: 'c', clientSecret: 'secret' }

describe('every client', () => {
  it('takes where its server is as a text, as a URL, and among its options', async () => {
    for (const url of [server.url, new URL(server.url)]) {
      for (const oauth of [new OAuthClient(url), new OAuthClient({ baseUrl: url })]) {
        expect((await oauth.getTokenWithDpop({ ...client, prover })).accessToken).toBe('at')
      }
      for (const http of [new DPoPHttpClient(url), new DPoPHttpClient({ baseUrl: url, timeout: 1 })]) {
        expect((await http.post('/', { token: 'at', prover })).status).toBe(200)
      }
      for (const admin of [
        new AdminClient(url, 'sk_1'),
        new AdminClient({ baseUrl: url, adminKey: 'sk_1' }),
      ]) {
        await admin.revokeToken('at')
        expect(sent()?.headers.get('authorization')).toBe('Bearer sk_1')
      }
      answer = { json: { client_id: 'c' } }
      for (const dcr of [new DcrClient(url), new DcrClient({ baseUrl: url })]) {
        expect((await dcr.register({ client_name: 'n' })).client_id).toBe('c')
      }
      answer = { json: TOKEN }
    }
  })

  it.each<[string, new (...args: never[]) => unknown, RegExp]>([
    ['OAuthClient', OAuthClient, /baseUrl, issuer/],
    ['DPoPHttpClient', DPoPHttpClient, /baseUrl, timeout/],
    ['AdminClient', AdminClient, /baseUrl, adminKey/],
    ['DcrClient', DcrClient, /baseUrl, registrationEndpoint/],
  ])('%s says which options there are when it is given another, or none', (name, Client, options) => {
    const make =
      (...args: unknown[]) =>
      () =>
        new (Client as new (...args: unknown[]) => unknown)(...args)
    expect(make({ url: server.url })).toThrow(AgentError)
    expect(make({ url: server.url })).toThrow(`${name}: url is unknown; known are`)
    expect(make({ url: server.url })).toThrow(options)
    expect(make()).toThrow(AgentError)
    expect(make()).toThrow(options)
  })

  it('and so does an agent', async () => {
    const start = (options: unknown) => Agent.start(options as never)
    await expect(start({ resource: server.url, scope: 'read' })).rejects.toThrow(
      /scope is unknown; known are .*scopes/,
    )
    await expect(start(server.url)).rejects.toThrow('Agent.start takes { resource,')
    await expect(start({ resource: server.url, credentialsFile: new URL('file:///x') })).rejects.toThrow(
      'a path',
    )
    expect(server.seen).toEqual([])
  })
})

describe('metadata of a client', () => {
  it('is written in camel case or as on the wire', async () => {
    answer = { json: { client_id: 'c' } }
    const members = () => JSON.parse(sent()?.body ?? '')
    const dcr = new DcrClient(server.url)
    await dcr.register({ clientName: 'n', redirectUris: ['https://a.example/cb'], 'client_name#deCH': 'm' })
    expect(members()).toEqual({
      client_name: 'n',
      redirect_uris: ['https://a.example/cb'],
      'client_name#deCH': 'm',
    })
    await dcr.update('c', 'rat', { client_name: 'n' })
    expect(members()).toEqual({ client_id: 'c', client_name: 'n' })
  })
})

describe('a token request', () => {
  it('takes scopes under either name, and tokens as they were got', async () => {
    const oauth = new OAuthClient(server.url)
    await oauth.getTokenWithDpop({ ...client, prover, scopes: ['a', 'b'] })
    expect(form()).toMatchObject({ scope: 'a b' })
    expect(form()).not.toHaveProperty('scopes')
    const token = await oauth.getTokenWithDpop({ ...client, prover })
    await oauth.exchangeToken({ ...client, prover, subjectToken: token, actorToken: token })
    expect(form()).toMatchObject({ subject_token: 'at', actor_token: 'at' })
  })

  it.each([
    ['getTokenWithDpop', '{ prover, clientId'],
    ['refreshToken', '{ refreshToken, clientId'],
    ['exchangeToken', '{ subjectToken, clientId'],
    ['getTokenAuthorizationCode', '{ code, redirectUri'],
  ] as const)('%s says what it takes when it is given a text', async (call, shape) => {
    await expect(new OAuthClient(server.url)[call]('rt' as never)).rejects.toThrow(`${call} takes ${shape}`)
  })

  it('cuts a secret out of an error, but not one that is in every text', async () => {
    answer = { status: 400, json: { error: 'invalid_request', error_description: 'not secret' } }
    const ask = (clientSecret: string) =>
      new OAuthClient(server.url).getTokenWithDpop({ clientId: 'c', clientSecret, prover })
    await expect(ask('secret')).rejects.toThrow('invalid_request (HTTP 400): not [secret]')
    await expect(ask('s')).rejects.toThrow('invalid_request (HTTP 400): not secret')
  })
})

describe('a request with a token', () => {
  const http = () => new DPoPHttpClient(server.url)

  it('has any method, and any body', async () => {
    await http().request('PUT', '/x', { token: 'at', prover, body: 'as it is' })
    expect([sent()?.method, sent()?.url.pathname, sent()?.body]).toEqual(['PUT', '/x', 'as it is'])
    const stream = new Blob(['in pieces']).stream()
    await http().post('/x', { token: 'at', prover, body: stream })
    expect(sent()?.body).toBe('in pieces')
  })

  it('ends when its caller says so', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(http().post('/x', { token: 'at', prover, signal })).rejects.toThrow('enough')
  })

  it.each([
    ['nothing', undefined, /a request takes { token, prover, json, body/],
    ['an option that is none', { token: 'at', prover, data: 'x' }, /data is unknown; known are token/],
    ['two bodies', { token: 'at', prover, json: 1, body: '1' }, /json or body, not both/],
  ])('says what is wrong with %s', async (_what, request, message) => {
    await expect(http().post('/x', request as never)).rejects.toThrow(message)
    expect(server.seen).toEqual([])
  })
})

describe('the admin API', () => {
  const admin = () => new AdminClient({ baseUrl: server.url, adminKey: 'sk_1' })
  const body = () => JSON.parse(sent()?.body ?? '')

  it("takes a pattern and a reason as they are, as SharkAuth's SDK does", async () => {
    await admin().revokeByPattern('shark_*')
    expect(body()).toEqual({ client_id_pattern: 'shark_*' })
    await admin().agents.rotateDpopKey('a', prover.publicJwk, 'lost')
    expect(body()).toEqual({ new_public_jwk: prover.publicJwk, reason: 'lost' })
  })

  it.each<[string, (admin: AdminClient) => Promise<unknown>, (admin: AdminClient) => Promise<unknown>]>([
    [
      'users.revokeAgents',
      (a) => a.users.revokeAgents('u', { agentIds: ['a'] }),
      (a) => a.users.revokeAgents('u', { agent_ids: ['a'] } as never),
    ],
    [
      'revokeByPattern',
      (a) => a.revokeByPattern({ clientIdPattern: 'x', reason: 'r' }),
      (a) => a.revokeByPattern({ client_id_pattern: 'x', reason: 'r' } as never),
    ],
    [
      'vault.connect',
      (a) => a.vault.connect({ provider: 'p', userId: 'u' }),
      (a) => a.vault.connect({ provider: 'p', user_id: 'u' } as never),
    ],
    [
      'mayAct.create',
      (a) => a.mayAct.create({ fromId: 'a', toId: 'b' }),
      (a) => a.mayAct.create({ from_id: 'a', to_id: 'b' } as never),
    ],
    [
      'agents.register',
      (a) => a.agents.register({ name: 'n', createdBy: 'u' }),
      (a) => a.agents.register({ name: 'n', created_by: 'u' }),
    ],
    [
      'agents.update',
      (a) => a.agents.update('a', { tokenLifetime: 1 }),
      (a) => a.agents.update('a', { token_lifetime: 1 }),
    ],
  ])('%s is written in camel case or as on the wire', async (_name, camel, wire) => {
    await wire(admin())
    const expected = body()
    expect(Object.keys(expected).join()).not.toMatch(/[A-Z]/)
    await camel(admin())
    expect(body()).toEqual(expected)
  })

  it.each<[string, (admin: AdminClient) => Promise<unknown>, RegExp]>([
    ['users.revokeAgents', (a) => a.users.revokeAgents('u', { only: ['a'] } as never), /only.*agent_ids/],
    ['agents.revokeAll', (a) => a.agents.revokeAll('a', { cascade: false } as never), /cascade.*chain/],
    ['revokeByPattern, of nothing,', (a) => a.revokeByPattern(undefined as never), /takes an object/],
    ['revokeByPattern', (a) => a.revokeByPattern({ glob: 'x' } as never), /glob.*client_id_pattern/],
    ['agents.rotateDpopKey', (a) => a.agents.rotateDpopKey('a', {}, { why: 'x' } as never), /why.*reason/],
    ['vault.connect', (a) => a.vault.connect({ provider: 'p', owner: 'u' } as never), /owner.*user_id/],
    ['mayAct.create', (a) => a.mayAct.create({ from: 'a', to: 'b' } as never), /from.*from_id/],
  ])(
    '%s sends nothing that it does not understand: it might do more than was meant',
    async (_name, call, message) => {
      await expect(call(admin())).rejects.toThrow(message)
      expect(server.seen).toEqual([])
    },
  )
})

describe('a proof', () => {
  it('is for a method and a URL, by these names', async () => {
    await expect(prover.createProof({ htm: 'POST', htu: server.url } as never)).rejects.toThrow(
      'method must be',
    )
    await expect(prover.createProof('POST' as never)).rejects.toThrow('method must be')
  })
})

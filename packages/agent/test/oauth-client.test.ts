import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { DPoPProver, OAuthClient, OAuthError } from '../src/index.ts'
import { type FakeIssuer, mint, startIssuer } from './support/authorization-server.ts'
import { type Answer, listen, type TestServer } from './support/http.ts'

const prover = await DPoPProver.generate()
const CLIENT = { client_secret: 's: %+ü', token_endpoint_auth_method: 'client_secret_basic', scope: 'a b' }
const request = { clientId: 'id:1', clientSecret: CLIENT.client_secret, prover }
let issuer: FakeIssuer
const servers: TestServer[] = []

beforeEach(async () => {
  issuer = await startIssuer()
  servers.push(issuer)
  issuer.clients.set('id:1', CLIENT)
})
afterAll(() => Promise.all(servers.map((server) => server.close())))

const lastRequest = () => issuer.tokenRequests.at(-1)!

describe('getTokenWithDpop', () => {
  it('gets a token bound to the key, for the resource, with the secret form-encoded in Basic', async () => {
    const client = new OAuthClient({ baseUrl: issuer.url, clock: () => 1000 })
    const token = await client.getTokenWithDpop({
      ...request,
      scope: ['a', 'b'],
      resource: 'https://r.example/mcp',
    })
    expect(token).toMatchObject({
      tokenType: 'DPoP',
      expiresIn: 300,
      expiresAt: 1300,
      scope: 'a b',
      cnfJkt: prover.jkt,
      raw: { token_type: 'DPoP' },
    })
    expect([...lastRequest().form]).toEqual([
      ['resource', 'https://r.example/mcp'],
      ['grant_type', 'client_credentials'],
      ['scope', 'a b'],
    ])
    expect(lastRequest().proof?.jkt).toBe(prover.jkt)
    expect(lastRequest().authorization).toBe(`Basic ${btoa('id%3A1:s%3A+%25%2B%C3%BC')}`)
  })

  it('sends the secret in the body when asked to', async () => {
    issuer.clients.set('id:1', { ...CLIENT, token_endpoint_auth_method: 'client_secret_post' })
    const client = new OAuthClient(issuer.url)
    await client.getTokenWithDpop({ ...request, authMethod: 'client_secret_post' })
    expect(lastRequest().authorization).toBeNull()
    expect(lastRequest().form.get('client_secret')).toBe(CLIENT.client_secret)
  })

  it('takes dpopProver, lists and further parameters, as the SharkAuth SDK does', async () => {
    const client = new OAuthClient({ baseUrl: `${issuer.url}/` })
    await client.getTokenWithDpop({
      grantType: 'client_credentials',
      dpopProver: prover,
      clientId: 'id:1',
      clientSecret: CLIENT.client_secret,
      resource: ['https://a.example', 'https://b.example'],
      audience: 'https://c.example',
      purpose: 'test',
    })
    const { form } = lastRequest()
    expect(form.getAll('resource')).toEqual(['https://a.example', 'https://b.example'])
    expect([form.get('audience'), form.get('purpose')]).toEqual(['https://c.example', 'test'])
    expect(form.has('prover') || form.has('dpopProver')).toBe(false)
  })

  it('answers use_dpop_nonce once with a fresh proof, and uses the newest nonce from then on', async () => {
    issuer.nonce = 'n1'
    const client = new OAuthClient({ issuer: issuer.url })
    await client.getTokenWithDpop(request)
    await client.getTokenWithDpop(request)
    expect(issuer.tokenRequests.map(({ proof }) => proof?.nonce)).toEqual([undefined, 'n1', 'n1'])
    expect(new Set(issuer.tokenRequests.map(({ proof }) => proof?.jti)).size).toBe(3)
  })

  it('gives up when a second nonce is asked for', async () => {
    let count = 0
    issuer.override = () => ({
      status: 400,
      json: { error: 'use_dpop_nonce' },
      headers: { 'dpop-nonce': `n${count++}` },
    })
    await expect(new OAuthClient(issuer.url).getTokenWithDpop(request)).rejects.toMatchObject({
      error: 'use_dpop_nonce',
    })
    expect(count).toBe(2)
  })

  it('reports the server: error, description, status', async () => {
    const client = new OAuthClient(issuer.url)
    const failure = await client
      .getTokenWithDpop({ ...request, clientSecret: 'wrong' })
      .catch((error) => error)
    expect(failure).toBeInstanceOf(OAuthError)
    expect(failure).toMatchObject({ name: 'OAuthError', error: 'invalid_client', status: 401 })
    expect(failure.message).toMatch(/check the client id and secret/)
  })

  it('never repeats a secret that the server echoes', async () => {
    issuer.override = () => ({
      status: 400,
      json: { error: 'invalid_grant', error_description: `no: ${CLIENT.client_secret}, rt-1\n` },
    })
    const client = new OAuthClient(issuer.url)
    const failure = await client.refreshToken({ ...request, refreshToken: 'rt-1' }).catch((error) => error)
    expect(failure.errorDescription).toBe('no: [secret], [secret] ')
    expect(JSON.stringify([failure.message, failure])).not.toMatch(/rt-1|s: /)
  })

  it.each<[string, Answer, RegExp]>([
    ['HTML', { text: '<html>' }, /without a usable access_token/],
    ['no token', { json: { token_type: 'DPoP' } }, /without a usable access_token/],
    [
      'a token with a line break',
      { json: { access_token: 'a\nb', token_type: 'DPoP' } },
      /usable access_token/,
    ],
    ['no type', { json: { access_token: 'a' } }, /without a token_type/],
    ['an unbound token', { json: { access_token: 'a', token_type: 'Bearer' } }, /ignored the DPoP proof/],
    ['a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, /redirects/],
    ['an HTML error', { status: 502, text: '<html>' }, /invalid_response \(HTTP 502\)/],
    ['a token without end', { text: `"${'x'.repeat(1_100_000)}"` }, /more than 1 MiB/],
  ])('refuses %s', async (_, answer, message) => {
    issuer.override = () => answer
    await expect(new OAuthClient(issuer.url).getTokenWithDpop(request)).rejects.toThrow(message)
  })

  it('refuses a token bound to another key', async () => {
    const access_token = await mint({ cnf: { jkt: 'another' } })
    issuer.override = () => ({ json: { access_token, token_type: 'DPoP' } })
    await expect(new OAuthClient(issuer.url).getTokenWithDpop(request)).rejects.toThrow(/another key/)
  })

  it('goes by the binding where SharkAuth calls a bound token a bearer token', async () => {
    issuer.tokenType = 'bearer'
    const token = await new OAuthClient(issuer.url).getTokenWithDpop(request)
    expect(token).toMatchObject({ tokenType: 'DPoP', cnfJkt: prover.jkt, raw: { token_type: 'bearer' } })
  })

  it('needs a prover and a client', async () => {
    const client = new OAuthClient(issuer.url)
    const { prover: _, ...without } = request
    await expect(client.getTokenWithDpop(without)).rejects.toThrow(/prover must be/)
    await expect(client.getTokenWithDpop({ ...request, clientId: '' })).rejects.toThrow(/clientId must be/)
    expect(() => new OAuthClient({})).toThrow(/baseUrl or issuer must be/)
    expect(issuer.tokenRequests).toEqual([])
  })
})

describe('the token endpoint', () => {
  const answers: Record<string, Answer> = {}
  async function serve() {
    const server = await listen(({ url }) => answers[url.pathname])
    servers.push(server)
    answers['/oauth/token'] = { json: { access_token: 'fallback', token_type: 'DPoP' } }
    return server
  }

  it('is /oauth/token where there is no metadata, or metadata of another issuer', async () => {
    const server = await serve()
    const client = new OAuthClient({ baseUrl: server.url })
    expect((await client.getTokenWithDpop(request)).accessToken).toBe('fallback')
    expect((await client.getTokenWithDpop(request)).accessToken).toBe('fallback')
    expect(server.seen.filter(({ url }) => url.pathname.startsWith('/.well-known')).length).toBe(2)

    answers['/.well-known/oauth-authorization-server'] = {
      json: { issuer: 'https://evil.example', token_endpoint: `${server.url}/elsewhere` },
    }
    const another = new OAuthClient({ baseUrl: server.url })
    expect((await another.getTokenWithDpop(request)).accessToken).toBe('fallback')
  })

  it('is never guessed when an issuer is named', async () => {
    const server = await serve()
    const client = new OAuthClient({ issuer: server.url })
    await expect(client.getTokenWithDpop(request)).rejects.toMatchObject({ code: 'discovery' })
    expect(server.seen.some(({ method }) => method === 'POST')).toBe(false)
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DPoPProver, OAuthClient } from '../src/index.ts'
import { type Answer, type Exchange, listen, type TestServer } from './support/http.ts'

let server: TestServer
let answer: Answer
beforeAll(async () => {
  server = await listen(({ method }) => (method === 'POST' ? answer : undefined))
})
beforeEach(() => {
  server.seen.length = 0
  answer = { json: { access_token: 'at', token_type: 'Bearer', expires_in: '60', refresh_token: 'rt2' } }
})
afterAll(() => server.close())

const posted = (): Exchange => server.seen.findLast(({ method }) => method === 'POST')!
const form = () => Object.fromEntries(new URLSearchParams(posted().body))
const client = { clientId: 'c', clientSecret: 's' }
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

describe('the other grants', () => {
  it('exchange a token for one of another audience', async () => {
    const token = await new OAuthClient(server.url).exchangeToken({
      ...client,
      subjectToken: 'st',
      actorToken: 'at0',
      audience: 'https://b.example',
      scope: 'x',
    })
    expect(token).toMatchObject({
      accessToken: 'at',
      tokenType: 'Bearer',
      expiresIn: 60,
      scope: 'x',
      refreshToken: 'rt2',
    })
    expect(posted().headers.has('dpop')).toBe(false)
    expect(form()).toEqual({
      grant_type: EXCHANGE,
      subject_token: 'st',
      subject_token_type: ACCESS_TOKEN,
      actor_token: 'at0',
      actor_token_type: ACCESS_TOKEN,
      audience: 'https://b.example',
      scope: 'x',
    })
  })

  it('refresh, with a proof when there is a prover', async () => {
    const prover = await DPoPProver.generate()
    answer = { json: { access_token: 'at', token_type: 'DPoP', cnf: { jkt: prover.jkt } } }
    const token = await new OAuthClient(server.url).refreshToken({ ...client, refreshToken: 'rt', prover })
    expect(token).toMatchObject({
      tokenType: 'DPoP',
      cnfJkt: prover.jkt,
      expiresIn: undefined,
      expiresAt: undefined,
    })
    expect(posted().headers.has('dpop')).toBe(true)
    expect(form()).toEqual({ grant_type: 'refresh_token', refresh_token: 'rt' })
  })

  it('redeem a code; a public client names itself', async () => {
    const request = { clientId: 'public', code: 'c1', redirectUri: 'http://localhost/cb', codeVerifier: 'v' }
    await new OAuthClient(server.url).getTokenAuthorizationCode(request)
    expect(posted().headers.has('authorization')).toBe(false)
    expect(form()).toEqual({
      grant_type: 'authorization_code',
      code: 'c1',
      redirect_uri: 'http://localhost/cb',
      code_verifier: 'v',
      client_id: 'public',
    })
  })
})

describe('revoke and introspect', () => {
  it('use the admin key, or the client, at their own endpoints', async () => {
    answer = { status: 200, text: '' }
    const admin = new OAuthClient({ baseUrl: server.url, adminKey: 'sk_live_1' })
    await admin.revokeToken('t', 'refresh_token')
    expect(posted().url.pathname).toBe('/oauth/revoke')
    expect(posted().headers.get('authorization')).toBe('Bearer sk_live_1')
    expect(form()).toEqual({ token: 't', token_type_hint: 'refresh_token' })

    answer = { json: { active: true, sub: 'u' } }
    expect(await new OAuthClient(server.url).introspectToken('t', client)).toEqual({ active: true, sub: 'u' })
    expect(posted().url.pathname).toBe('/oauth/introspect')
    expect(posted().headers.get('authorization')).toBe(`Basic ${btoa('c:s')}`)
  })

  it('refuse an answer that does not say whether the token is active', async () => {
    answer = { json: { active: 'true' } }
    await expect(new OAuthClient(server.url).introspectToken('t', client)).rejects.toThrow(/"active"/)
  })

  it('say what is missing when nobody asks', async () => {
    await expect(new OAuthClient(server.url).revokeToken('t')).rejects.toThrow(/adminKey/)
  })

  it('send the admin key to no other origin', async () => {
    const metadata = {
      issuer: server.url,
      token_endpoint: `${server.url}/t`,
      revocation_endpoint: 'http://127.0.0.1:1/revoke',
    }
    const admin = new OAuthClient({ metadata, adminKey: 'sk_live_1' })
    await expect(admin.revokeToken('t')).rejects.toThrow(/another origin/)
    expect(server.seen).toEqual([])
  })
})

describe('buildAuthorizeUrl', () => {
  const request = { clientId: 'c', redirectUri: 'http://localhost/cb', state: 'st', codeChallenge: 'ch' }

  it('asks for a code with PKCE', () => {
    const url = new URL(
      OAuthClient.buildAuthorizeUrl({
        ...request,
        baseUrl: 'https://as.example/t/',
        scope: ['a', 'b'],
        dpopJkt: 'j',
      }),
    )
    expect(url.origin + url.pathname).toBe('https://as.example/t/oauth/authorize')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'c',
      redirect_uri: 'http://localhost/cb',
      state: 'st',
      code_challenge: 'ch',
      code_challenge_method: 'S256',
      scope: 'a b',
      dpop_jkt: 'j',
    })
  })

  it('keeps the query of an authorization endpoint', () => {
    const authorizationEndpoint = 'https://as.example/authorize?tenant=1'
    const url = new URL(OAuthClient.buildAuthorizeUrl({ ...request, authorizationEndpoint }))
    expect(url.searchParams.get('tenant')).toBe('1')
  })
})

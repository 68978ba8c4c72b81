import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningIssuer, startIssuer } from '../src/index.ts'
import { authorizeUrl, Browser, RESOURCE, register } from './support/browser.ts'

let issuer: RunningIssuer
let clientId: string
const THUMBPRINT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'

beforeAll(async () => {
  issuer = await startIssuer({
    autoApprove: true,
    resources: [RESOURCE, 'https://other.example'],
    registration: { scopes: ['notes.*', 'notes:read', 'notes:write'] },
  })
  clientId = (await register(issuer)).client_id
})
afterAll(() => issuer.close())

const ask = (changes = {}, id = clientId) => new Browser().open(authorizeUrl(issuer, id, changes))

describe('an authorization request', () => {
  it('that is as it should be is answered with a code, the state and the issuer, by 303 [9207-2] [9700-4.12]', async () => {
    const { status, location, parameters, headers } = await ask()
    expect(status).toBe(303)
    expect(location).toMatch(/^https:\/\/client\.example\/callback\?/)
    expect(parameters).toEqual({
      code: expect.stringMatching(/^[\w-]{43,}$/),
      state: 'st<a>te&1',
      iss: issuer.url,
    })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('may name several resources, a key to bind to, no scope, no state', async () => {
    const answer = await ask({
      resource: [RESOURCE, 'https://other.example'],
      dpop_jkt: THUMBPRINT,
      scope: undefined,
      state: undefined,
    })
    expect(Object.keys(answer.parameters).sort()).toEqual(['code', 'iss'])
  })

  it('may leave out the redirect URI when the client has but one', async () => {
    expect((await ask({ redirect_uri: undefined })).parameters.code).toBeDefined()
  })

  it('keeps the query that the redirect URI was registered with, byte for byte', async () => {
    const uri = 'https://client.example/callback?tenant=a%2Fb+c'
    const client = await register(issuer, { redirect_uris: [uri] })
    expect((await ask({ redirect_uri: uri }, client.client_id)).location).toMatch(
      /^https:\/\/client\.example\/callback\?tenant=a%2Fb\+c&code=/,
    )
  })
})

describe('before the redirect URI is known to be right, the user sees a page and nobody is redirected to: [9700-2.1-redirect] [9700-2.1-open] [MCP-A17]', () => {
  it.each([
    ['no client', { client_id: undefined }],
    ['an unknown client', { client_id: 'nobody' }],
    ['two clients', { client_id: ['a', 'b'] }],
    ['another redirect URI', { redirect_uri: 'https://evil.example/callback' }],
    [
      'two redirect URIs',
      { redirect_uri: ['https://client.example/callback', 'https://client.example/callback'] },
    ],
    ['a longer path', { redirect_uri: 'https://client.example/callback/..' }],
    ['a query that was not registered', { redirect_uri: 'https://client.example/callback?x=1' }],
    ['a fragment', { redirect_uri: 'https://client.example/callback#x' }],
    ['another case', { redirect_uri: 'https://client.example/Callback' }],
    ['a user in front of the host', { redirect_uri: 'https://client.example@evil.example/callback' }],
    ['a port', { redirect_uri: 'https://client.example:444/callback' }],
    ['a script', { redirect_uri: 'javascript:alert(1)' }],
  ])('%s', async (_name, changes) => {
    const answer = await ask(changes)
    expect(answer).toMatchObject({ status: 400, location: undefined })
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(answer.text).not.toContain('evil')
  })
})

describe('once the redirect URI is known to be right, the client is told:', () => {
  it.each([
    ['invalid_request', 'no response_type', { response_type: undefined }],
    ['unsupported_response_type', 'the implicit flow', { response_type: 'token' }],
    ['unsupported_response_type', 'a hybrid flow', { response_type: 'code id_token' }],
    ['invalid_request', 'another response_mode', { response_mode: 'fragment' }],
    ['invalid_request', 'no code_challenge', { code_challenge: undefined }],
    ['invalid_request', 'no code_challenge_method, which means plain', { code_challenge_method: undefined }],
    ['invalid_request', 'code_challenge_method plain', { code_challenge_method: 'plain' }],
    ['invalid_request', 'a code_challenge that is no digest', { code_challenge: 'short' }],
    ['invalid_request', 'an alias of a code_challenge', { code_challenge: `${'A'.repeat(42)}B` }],
    ['invalid_request', 'a parameter twice', { scope: ['notes:read', 'notes:write'] }],
    ['invalid_scope', 'a scope beyond the policy', { scope: 'notes:read admin' }],
    ['invalid_scope', 'a malformed scope', { scope: 'notes"read' }],
    ['invalid_target', 'no resource', { resource: undefined }],
    ['invalid_target', 'a resource that no tokens are issued for', { resource: 'https://evil.example' }],
    ['invalid_target', 'a second one', { resource: [RESOURCE, 'https://evil.example'] }],
    ['invalid_target', 'a resource with a fragment', { resource: `${RESOURCE}#x` }],
    ['invalid_target', 'a relative resource', { resource: '/mcp' }],
    ['invalid_request', 'a dpop_jkt that is no thumbprint', { dpop_jkt: 'abc' }],
    ['request_not_supported', 'a request object', { request: 'eyJ' }],
    ['request_uri_not_supported', 'a request_uri', { request_uri: 'https://evil.example' }],
    ['invalid_request', 'prompt none with another', { prompt: 'none consent' }],
  ])('%s for %s [9207-2] [9700-2.1.1-pkce] [8707-2-target] [MCP-A12]', async (error, _name, changes) => {
    expect((await ask()).parameters.code).toBeDefined()
    const { status, location, parameters } = await ask(changes)
    expect(status).toBe(303)
    expect(location).toMatch(/^https:\/\/client\.example\/callback\?/)
    expect(parameters).toEqual({
      error,
      error_description: expect.any(String),
      state: 'st<a>te&1',
      iss: issuer.url,
    })
    expect(parameters.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  })

  it('invalid_request for two states, without either', async () => {
    expect((await ask({ state: ['a', 'b'] })).parameters).toEqual({
      error: 'invalid_request',
      error_description: 'A parameter is repeated',
      iss: issuer.url,
    })
  })

  it('unauthorized_client for a client of another grant', async () => {
    const client = await register(issuer, {
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
    })
    expect((await ask({}, client.client_id)).parameters.error).toBe('unauthorized_client')
  })

  it('invalid_request for a key that was rotated out', async () => {
    const { clientId: id } = await issuer.registerAgent()
    const key = {
      kty: 'EC',
      crv: 'P-256',
      x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
      y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    }
    const other = {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    }
    await issuer.rotateDpopKey(id, key)
    expect((await ask({ dpop_jkt: THUMBPRINT })).parameters.code).toBeDefined()
    await issuer.rotateDpopKey(id, other)
    expect((await ask({ dpop_jkt: THUMBPRINT })).parameters.error).toBe('invalid_request')
  })
})

describe('a loopback redirect URI [8252-7.3]', () => {
  it.each([
    ['http://127.0.0.1/callback', 'http://127.0.0.1:51234/callback'],
    ['http://127.0.0.1:3000/callback', 'http://127.0.0.1:51234/callback'],
    ['http://[::1]/callback', 'http://[::1]:51234/callback'],
    ['http://localhost:3000/callback?a=1', 'http://localhost/callback?a=1'],
  ])('%s may have another port: %s', async (registered, asked) => {
    const { client_id } = await register(issuer, { redirect_uris: [registered] })
    const answer = await ask({ redirect_uri: asked }, client_id)
    expect(answer.location?.startsWith(asked)).toBe(true)
    expect(answer.parameters.code).toBeDefined()
  })

  it.each([
    ['another path', 'http://127.0.0.1:51234/other'],
    ['another name of the machine', 'http://localhost:3000/callback'],
    ['another host that begins like it', 'http://127.0.0.1.evil.example:3000/callback'],
    ['a user', 'http://127.0.0.1:3000@evil.example/callback'],
    ['a port that is none', 'http://127.0.0.1:99999/callback'],
    ['https', 'https://127.0.0.1:3000/callback'],
  ])('but not %s', async (_name, asked) => {
    const { client_id } = await register(issuer, { redirect_uris: ['http://127.0.0.1:3000/callback'] })
    expect((await ask({ redirect_uri: 'http://127.0.0.1:4/callback' }, client_id)).status).toBe(303)
    expect((await ask({ redirect_uri: asked }, client_id)).status).toBe(400)
  })
})

describe('scopes', () => {
  it('of a client that an administrator registered are its limit', async () => {
    const limited = await startIssuer({
      autoApprove: true,
      clients: [
        { client_id: 'web', redirect_uris: ['https://client.example/callback'], scope: 'notes:read files.*' },
      ],
    })
    const open = (scope: string) => new Browser().open(authorizeUrl(limited, 'web', { scope }))
    expect((await open('notes:read files.write')).parameters.code).toBeDefined()
    expect((await open('notes:write')).parameters.error).toBe('invalid_scope')
    await limited.close()
  })

  it('that a client registered itself are not: clients step up, and the user sees what for', async () => {
    const { client_id } = await register(issuer, { scope: 'notes:read' })
    expect((await ask({ scope: 'notes:read notes:write' }, client_id)).parameters.code).toBeDefined()
  })
})

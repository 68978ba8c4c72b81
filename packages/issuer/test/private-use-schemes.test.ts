import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createIssuer, type IssuerOptions, type RunningIssuer, startIssuer } from '../src/index.ts'
import { authorizeUrl, Browser, RESOURCE, register, VERIFIER } from './support/browser.ts'
import { documentOf, json, startDocuments } from './support/documents.ts'

const APP = 'com.example.app:/callback'
const CURSOR = 'cursor://anysphere.cursor-mcp/oauth/callback'

let issuer: RunningIssuer
beforeAll(async () => {
  issuer = await startIssuer({
    autoApprove: true,
    clientMetadataDocuments: 'loopback',
    redirectSchemes: ['cursor', 'vscode'],
    clients: [{ client_id: 'seeded', redirect_uris: [CURSOR] }],
  })
})
afterAll(() => issuer.close())

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close()
})

async function send(method: string, url: string, token: string | undefined, body: unknown) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { 'content-type': 'application/json', ...authorization }
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) })
  const { error } = (await response.json()) as { error?: string }
  return [response.status, error]
}

const tryToRegister = (uri: string, at: Pick<RunningIssuer, 'url'> = issuer) =>
  send('POST', `${at.url}/oauth/register`, undefined, {
    client_name: 'App',
    redirect_uris: [uri],
    token_endpoint_auth_method: 'none',
  })

describe('a redirect URI of a private-use scheme (RFC 8252 §7.1)', () => {
  it.each([
    APP,
    'com.example.app://callback',
    'com.example.app:///callback',
    'com.googleusercontent.apps.123-abc:/oauth2redirect?tenant=a%2Fb',
    'com.example.app:/',
    CURSOR,
    'vscode://publisher.extension/callback',
  ])('is taken: %s [8252-7]', async (uri) => {
    const { client_id, redirect_uris } = await register(issuer, { redirect_uris: [uri] })
    expect(redirect_uris).toEqual([uri])
    const { status, location } = await new Browser().open(
      authorizeUrl(issuer, client_id, { redirect_uri: uri }),
    )
    expect(status).toBe(303)
    expect(location?.startsWith(`${uri}${uri.includes('?') ? '&' : '?'}code=`)).toBe(true)
  })

  it.each([
    'myapp:/callback',
    'vscode-insiders://callback',
    'com.example.app:callback',
    'com.example.app:',
    'com.example.app:/callback#fragment',
    'com.example.app:/callback#',
    'com.example.app://user@host/callback',
    'com.example.app:/call back',
    'com.example.app:\\callback',
    'com.example.app:/callbäck',
    'com.example.app:/"><b>',
    'Com.Example.App:/callback',
    'COM.EXAMPLE.APP:/callback',
    '.example:/callback',
    'com.:/callback',
    'com..app:/callback',
    '1com.example:/callback',
    `com.${'x'.repeat(130)}:/callback`,
    'javascript:alert(1)',
    'javascript:/*x*/alert(1)',
    'javascript://com.example.app/%0aalert(1)',
    'data:/text/html,x',
    'file:///etc/passwd',
    'blob:/x',
    'about:/blank',
    'vbscript:/x',
    'ws://client.example/',
    'wss://client.example/',
    'ftp://client.example/',
    'filesystem:/x',
    'intent://scan/',
    'urn:ietf:wg:oauth:2.0:oob',
    'http:/client.example',
    'https:/client.example',
  ])('is refused: %j [8252-8.4-period] [7591-5-redirect]', async (uri) => {
    expect(await tryToRegister(uri)).toEqual([400, 'invalid_redirect_uri'])
  })

  it('without a period is refused where the operator has listed none', async () => {
    const strict = await startIssuer()
    closing.push(strict)
    expect(await tryToRegister(CURSOR, strict)).toEqual([400, 'invalid_redirect_uri'])
    expect((await tryToRegister(APP, strict))[0]).toBe(201)
  })

  it('is none of a web application’s', async () => {
    const body = { client_name: 'App', redirect_uris: [APP], application_type: 'web' }
    const refused = await send('POST', `${issuer.url}/oauth/register`, undefined, body)
    expect(refused).toEqual([400, 'invalid_redirect_uri'])
  })

  it('follows the same rules when a registration is replaced, and for administrators', async () => {
    const { client_id, registration_access_token: token } = await register(issuer)
    const url = `${issuer.url}/oauth/register/${client_id}`
    const replace = (uri: string) =>
      send('PUT', url, token, { client_id, client_name: 'App', redirect_uris: [uri] })
    expect((await replace(APP))[0]).toBe(200)
    expect(await replace('myapp:/callback')).toEqual([400, 'invalid_redirect_uri'])
    const create = (uri: string) =>
      send('POST', `${issuer.url}/api/v1/agents`, issuer.adminKey, { name: 'a', redirect_uris: [uri] })
    expect((await create(CURSOR))[0]).toBe(201)
    expect(await create('myapp:/callback')).toEqual([400, 'invalid_redirect_uri'])
    const { agentId } = await issuer.registerAgent()
    const change = (uri: string) =>
      send('PATCH', `${issuer.url}/api/v1/agents/${agentId}`, issuer.adminKey, { redirect_uris: [uri] })
    expect((await change(APP))[0]).toBe(200)
    expect(await change('myapp:/callback')).toEqual([400, 'invalid_redirect_uri'])
  })

  it('may be a seeded client’s, which fails at start-up where it may not', async () => {
    const answer = await new Browser().open(authorizeUrl(issuer, 'seeded', { redirect_uri: CURSOR }))
    expect(answer.location?.startsWith(`${CURSOR}?code=`)).toBe(true)
    const clients = [{ client_id: 'seeded', redirect_uris: [CURSOR] }]
    expect(() => createIssuer({ clients })).toThrow(/^issuer: clients: seeded: redirect_uris/)
  })

  it('may be in a client metadata document', async () => {
    const documents = await startDocuments()
    closing.push(documents)
    const clientId = `${documents.origin}/client.json`
    const open = async (uri: string, name: string) => {
      const id = `${clientId}?${name}`
      documents.answer = json(documentOf(id, { redirect_uris: [uri] }))
      return new Browser().open(authorizeUrl(issuer, id, { redirect_uri: uri }))
    }
    expect((await open(APP, '1')).location?.startsWith(`${APP}?code=`)).toBe(true)
    expect((await open(CURSOR, '2')).status).toBe(303)
    expect((await open('myapp:/callback', '3')).status).toBe(400)
  })
})

describe('an authorization request of an application', () => {
  it('is answered at the very URI that was registered, errors too, and nowhere else [8252-8.4-exact]', async () => {
    const { client_id } = await register(issuer, { redirect_uris: [APP] })
    const ask = (changes: Record<string, string | undefined>) =>
      new Browser().open(authorizeUrl(issuer, client_id, { redirect_uri: APP, ...changes }))
    const { location } = await ask({ response_type: 'token' })
    expect(location).toMatch(/^com\.example\.app:\/callback\?error=unsupported_response_type&.*state=.*iss=/)
    for (const uri of [
      'com.example.app:/callback/',
      'com.example.app:/Callback',
      'com.example.app:/callback?x=1',
      'com.example.app:/callback#x',
      'com.example.app://callback',
      'com.example.app:/./callback',
      'COM.example.app:/callback',
      'com.example.app2:/callback',
      'com.example:/callback',
      'javascript:alert(1)',
    ]) {
      for (const type of ['code', 'token']) {
        const answer = await ask({ redirect_uri: uri, response_type: type })
        expect([uri, answer.status, answer.location]).toEqual([uri, 400, undefined])
      }
    }
  })

  it('needs PKCE, and its code the same redirect URI', async () => {
    const { client_id } = await register(issuer, { redirect_uris: [APP] })
    const ask = (changes = {}) =>
      new Browser().open(authorizeUrl(issuer, client_id, { redirect_uri: APP, ...changes }))
    expect((await ask({ code_challenge: undefined })).location).toContain('error=invalid_request')
    const code = new URL((await ask()).location!).searchParams.get('code')!
    const redeem = (redirect_uri: string) =>
      fetch(`${issuer.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          ...{ grant_type: 'authorization_code', client_id, code, redirect_uri },
          ...{ code_verifier: VERIFIER, resource: RESOURCE },
        }),
      })
    expect((await redeem('com.example.app://callback')).status).toBe(400)
    expect((await redeem(APP)).status).toBe(200)
  })
})

describe('the consent page', () => {
  let asking: RunningIssuer
  beforeAll(async () => {
    const users = [{ username: 'alice', password: 'correct horse' }]
    asking = await startIssuer({ users, redirectSchemes: ['cursor'] })
  })
  afterAll(() => asking.close())

  it.each([
    [APP, 'com.example.app:'],
    [CURSOR, 'cursor:'],
    ['com.evil.app://accounts.bank.example/callback', 'com.evil.app:'],
  ])('shows the scheme of %s, not a host that it names, and may lead there', async (uri, scheme) => {
    const { client_id } = await register(asking, { redirect_uris: [uri] })
    const url = authorizeUrl(asking, client_id, { redirect_uri: uri })
    const { text, headers } = await new Browser().logIn(url)
    expect(text).toContain(`<strong>${scheme}</strong>`)
    expect(text).toContain('A program on this device')
    expect(text).not.toContain('bank.example')
    expect(headers.get('content-security-policy')).toContain(`form-action 'self' ${scheme};`)
  })

  it('comes each time: any program can say that the scheme is its own [8252-8.6]', async () => {
    const { client_id } = await register(asking, { redirect_uris: [APP] })
    const url = authorizeUrl(asking, client_id, { redirect_uri: APP })
    const browser = new Browser()
    await browser.logIn(url)
    expect((await browser.press('approve')).location).toMatch(/^com\.example\.app:\/callback\?code=/)
    expect((await browser.open(url)).text).toContain('Allow')
    const silent = authorizeUrl(asking, client_id, { redirect_uri: APP, prompt: 'none' })
    expect((await browser.open(silent)).location).toContain('error=consent_required')
  })
})

describe('redirectSchemes', () => {
  const browsers = [
    'javascript',
    'data',
    'file',
    'blob',
    'about',
    'vbscript',
    'ws',
    'wss',
    'ftp',
    'http',
    'https',
  ]

  it.each<{ redirectSchemes: unknown }>([
    { redirectSchemes: 'cursor' },
    { redirectSchemes: ['com.example.app'] },
    { redirectSchemes: ['cursor:'] },
    { redirectSchemes: ['Cursor'] },
    { redirectSchemes: [''] },
    { redirectSchemes: [1] },
    ...browsers.map((scheme) => ({ redirectSchemes: ['cursor', scheme] })),
  ])('$redirectSchemes is refused at start-up', (options) => {
    const start = () => createIssuer(options as IssuerOptions)
    expect(start).toThrow(TypeError)
    expect(start).toThrow(/^issuer: redirectSchemes: /)
  })
})

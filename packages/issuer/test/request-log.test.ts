import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, it } from 'vitest'
import { startIssuer } from '../src/index.ts'
import { authorizeUrl, Browser, RESOURCE, register, VERIFIER } from './support/browser.ts'

it('the log of a whole session tells what happened, and holds no secret, token, code, password or proof', async () => {
  const lines: string[] = []
  const secrets = new Map<string, string>()
  const initialAccessToken = 'initial-access-token-0'
  const issuer = await startIssuer({
    users: [{ id: 'usr_alice', username: 'alice', password: 'correct horse' }],
    clients: [{ client_id: 'web', client_secret: 'a secret of its own' }],
    log: (event) => void lines.push(JSON.stringify(event)),
  })
  const closed = await startIssuer({
    registration: { initialAccessToken },
    log: (event) => void lines.push(JSON.stringify(event)),
  })
  const keep = (name: string, value: unknown) => {
    expect(value, name).toEqual(expect.any(String))
    secrets.set(name, value as string)
  }
  const post = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) => {
    const body = new URLSearchParams(form)
    const response = await fetch(`${issuer.url}${path}`, { method: 'POST', headers, body })
    const text = await response.text()
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }
  keep('admin key', issuer.adminKey)
  keep('initial access token', initialAccessToken)
  keep('password', 'correct horse')
  keep('seeded secret', 'a secret of its own')
  keep('verifier', VERIFIER)
  await fetch(`${closed.url}/oauth/register`, {
    method: 'POST',
    headers: { authorization: `Bearer ${initialAccessToken}`, 'content-type': 'application/json' },
    body: '{}',
  })

  // Registration, its rotations and what goes wrong with them.
  const client = await register(issuer, {
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  })
  keep('client secret', client.client_secret)
  const manage = async (method: string, path: string) => {
    const headers = { authorization: `Bearer ${secrets.get('registration token')}` }
    const response = await fetch(`${client.registration_client_uri}${path}`, { method, headers })
    return (await response.json()) as Record<string, string>
  }
  keep('registration token', client.registration_access_token)
  keep('rotated client secret', (await manage('POST', '/secret')).client_secret)
  const rotated = (await manage('DELETE', '/registration-token')).registration_access_token
  await manage('GET', '')
  keep('rotated registration token', rotated)

  // A user signs in, wrongly and rightly, and says yes.
  const browser = new Browser()
  const url = authorizeUrl(issuer, client.client_id, { state: 'a-state-that-nobody-may-know' })
  keep('state', 'a-state-that-nobody-may-know')
  const csrf = (text: string) => /name="csrf" value="([^"]+)"/.exec(text)?.[1]
  keep('page token', csrf((await browser.open(url)).text))
  keep('mistyped password', 'correct hoarse')
  await browser.press('login', { username: 'correct hoarse', password: 'correct hoarse' })
  keep('consent token', csrf((await browser.logIn(url)).text))
  for (const value of browser.cookies.values()) keep('cookie', value)
  const { code } = (await browser.press('approve')).parameters
  keep('code', code)

  // Tokens, with a proof; then everything wrong.
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const proof = (htu: string) =>
    new SignJWT({ jti: crypto.randomUUID(), htm: 'POST', htu, iat: Math.floor(Date.now() / 1000) })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey)
  keep('proof', await proof(`${issuer.url}/oauth/token`))
  const basic = `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}`
  keep('basic credentials', basic.slice(6))
  const redemption = {
    grant_type: 'authorization_code',
    code: code as string,
    code_verifier: VERIFIER,
    redirect_uri: 'https://client.example/callback',
  }
  const tokens = await post('/oauth/token', redemption, { authorization: basic, dpop: secrets.get('proof')! })
  expect(tokens.cnf).toEqual({ jkt: await calculateJwkThumbprint(jwk) })
  keep('access token', tokens.access_token)
  keep('refresh token', tokens.refresh_token)
  await post('/oauth/token', { ...redemption, code: 'wrong' }, { authorization: basic })
  await post('/oauth/token', {
    ...redemption,
    client_id: client.client_id,
    client_secret: client.client_secret!,
  })
  await post(
    '/oauth/token',
    { grant_type: 'refresh_token', refresh_token: secrets.get('refresh token')! },
    { authorization: basic },
  )
  await post(
    '/oauth/token',
    { grant_type: 'client_credentials', resource: RESOURCE },
    { authorization: `Basic ${btoa('web:a+secret+of+its+own')}` },
  )
  await post(
    '/oauth/introspect',
    { token: secrets.get('access token')! },
    { authorization: `Bearer ${issuer.adminKey}` },
  )
  await post(
    '/oauth/revoke',
    { token: secrets.get('access token')! },
    { authorization: `Bearer ${issuer.adminKey}` },
  )
  await fetch(`${issuer.url}/api/v1/audit-logs`, { headers: { authorization: `Bearer ${issuer.adminKey}` } })
  await fetch(`${issuer.url}/nowhere?code=${code}&access_token=${secrets.get('access token')}`)
  await issuer.close()
  await closed.close()

  const log = lines.join('\n')
  for (const path of ['/oauth/register', '/oauth/authorize', '/oauth/token', '/nowhere']) {
    expect(log).toContain(`"path":"${path}`)
  }
  expect(log).toContain('"message":"login","outcome":"accepted","user":"usr_alice"')
  expect([...secrets].filter(([, secret]) => log.includes(secret)).map(([name]) => name)).toEqual([])
  expect(secrets.size).toBeGreaterThan(18)
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningIssuer, type StartOptions, startIssuer } from '../src/index.ts'
import { authorizeUrl, Browser, register } from './support/browser.ts'

let issuer: RunningIssuer
let browser: Browser
let clientId: string
let now: number

const users = [
  { id: 'usr_1', username: 'alice', password: 'correct horse' },
  { username: 'bob', password: 'battery staple' },
]

async function start(options: StartOptions = {}) {
  await issuer?.close()
  issuer = await startIssuer({ users, clock: () => now, ...options })
  clientId = (await register(issuer)).client_id
  browser = new Browser()
}

beforeEach(() => {
  now = 1_800_000_000
  return start()
})
afterEach(() => issuer.close())

const url = (changes = {}, id = clientId) => authorizeUrl(issuer, id, changes)

describe('a user', () => {
  it('signs in, is asked, and says yes', async () => {
    const page = await browser.open(url())
    expect(page.status).toBe(200)
    expect(page.text).toContain('Sign in')
    const posted = await browser.press('login', { username: 'alice', password: 'correct horse' })
    expect(posted).toMatchObject({ status: 303, location: new URL(url()).search })
    const asked = await browser.follow(posted)
    for (const text of [
      'Notes',
      'client.example',
      'https://mcp.example/mcp',
      'notes:read',
      'alice',
      'Unverified',
    ]) {
      expect(asked.text).toContain(text)
    }
    expect((await browser.press('approve')).parameters).toEqual({
      code: expect.any(String),
      state: 'st<a>te&1',
      iss: issuer.url,
    })
  })

  it('who has signed out is signed out: a copy of the cookie is of no use', async () => {
    await browser.logIn(url())
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    const withCopy = async () => (await fetch(url(), { headers: { cookie } })).text()
    expect(await withCopy()).toContain('Signed in as')
    await browser.press('sign-out')
    expect(await withCopy()).not.toContain('Signed in as')
  })

  it('says no', async () => {
    await browser.logIn(url())
    expect((await browser.press('deny')).parameters).toMatchObject({
      error: 'access_denied',
      state: 'st<a>te&1',
      iss: issuer.url,
    })
  })

  it.each([
    ['a wrong password', 'alice', 'correct horsf'],
    ["another's password", 'alice', 'battery staple'],
    ['an unknown name', 'mallory', 'correct horse'],
    ['a name of everybody', '__proto__', 'correct horse'],
    ['an endless password', 'alice', 'x'.repeat(5000)],
  ])('does not get in with %s', async (_name, username, password) => {
    await browser.open(url())
    const answer = await browser.press('login', { username, password })
    expect(answer.status).toBe(401)
    expect(answer.text).toContain('The username or the password is wrong.')
    expect((await browser.open(url())).text).toContain('Sign in')
  })

  it('who is another one signs in again', async () => {
    await browser.logIn(url())
    const page = await browser.follow(await browser.press('sign-out'))
    expect(page.text).toContain('Sign in')
    expect((await browser.logIn(url(), 'bob', 'battery staple')).text).toContain('bob')
  })

  it('has to sign in again after an hour', async () => {
    await browser.logIn(url())
    now += 3599
    expect((await browser.open(url())).text).toContain('Allow')
    now += 2
    expect((await browser.open(url())).text).toContain('Sign in')
  })

  it('gets a new session when they sign in, so that nobody can have given them theirs', async () => {
    await browser.open(url())
    const [before] = browser.cookies.values()
    await browser.press('login', { username: 'alice', password: 'correct horse' })
    const [after] = browser.cookies.values()
    expect(after).not.toBe(before)
  })
})

describe('a form', () => {
  const approve = (csrf: string) => browser.post({ csrf, action: 'approve' }, url())
  const tokenOf = (text: string) => /name="csrf" value="([^"]*)"/.exec(text)?.[1] ?? ''

  it.each([
    ['without its token', () => ''],
    ['with a forged one', (token: string) => `${token.slice(0, -4)}AAAA`],
    [
      'with the unsigned',
      (token: string) => `${btoa('{"alg":"none","typ":"page+jwt"}')}.${token.split('.')[1]}.`,
    ],
    ['with the session in its place', () => [...browser.cookies.values()][0]!],
  ])('%s decides nothing', async (_name, forge) => {
    const token = tokenOf((await browser.logIn(url())).text)
    const answer = await approve(forge(token))
    expect(answer).toMatchObject({ status: 403, location: undefined })
    expect(answer.text).toContain('page_expired')
    expect((await approve(token)).status).toBe(303)
  })

  it('is good for one request only', async () => {
    const token = tokenOf((await browser.logIn(url())).text)
    for (const other of [{ scope: 'admin' }, { state: 'other' }, { resource: 'https://other.example' }]) {
      expect((await browser.post({ csrf: token, action: 'approve' }, url(other))).status).toBe(403)
    }
  })

  it('is good in one browser only, even for the same user', async () => {
    const token = tokenOf((await browser.logIn(url())).text)
    const mine = browser
    browser = new Browser()
    await browser.logIn(url())
    expect((await approve(token)).status).toBe(403)
    browser = mine
    expect((await approve(token)).status).toBe(303)
  })

  it('of the page before signing in approves nothing after', async () => {
    const token = tokenOf((await browser.open(url())).text)
    await browser.press('login', { username: 'alice', password: 'correct horse' })
    expect((await approve(token)).status).toBe(403)
  })

  it('without anybody signed in approves nothing', async () => {
    const token = tokenOf((await browser.open(url())).text)
    expect((await browser.follow(await approve(token))).text).toContain('Sign in')
  })

  it('is good for ten minutes', async () => {
    const token = tokenOf((await browser.logIn(url())).text)
    now += 601
    expect((await approve(token)).status).toBe(403)
  })

  it('of another kind of content is refused', async () => {
    await browser.logIn(url())
    const response = await fetch(url(), {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'text/plain' },
      body: 'action=approve',
    })
    expect(response.headers.get('location')).not.toContain('code=')
  })
})

describe('a user who has agreed before', () => {
  const agree = async (changes = {}, id = clientId) => {
    await browser.logIn(url(changes, id))
    return browser.press('approve')
  }

  it('is not asked again for as much or less', async () => {
    await agree({ scope: 'notes:read notes:write' })
    expect((await browser.open(url())).parameters.code).toBeDefined()
    expect((await browser.open(url({ prompt: 'none' }))).parameters.code).toBeDefined()
  })

  it.each([
    ['another scope', { scope: 'notes:read notes:write' }],
    ['another resource', { resource: 'https://other.example' }],
    ['being asked', { prompt: 'consent' }],
  ])('is asked again for %s', async (_name, changes) => {
    await agree()
    expect((await browser.open(url(changes))).text).toContain('Allow')
  })

  it('to one thing and then to another has agreed to both', async () => {
    await agree({ scope: 'notes:read' })
    await browser.open(url({ scope: 'notes:write' }))
    await browser.press('approve')
    expect((await browser.open(url({ scope: 'notes:read notes:write' }))).parameters.code).toBeDefined()
  })

  it('is asked again by a public client on this computer, which may be any program [8252-8.6]', async () => {
    const loopback = { redirect_uri: 'http://127.0.0.1:4000/callback' }
    const { client_id } = await register(issuer, { redirect_uris: [loopback.redirect_uri] })
    await agree(loopback, client_id)
    expect((await browser.open(url(loopback, client_id))).text).toContain('A program on this computer')
    const silent = await browser.open(url({ ...loopback, prompt: 'none' }, client_id))
    expect(silent.parameters.error).toBe('consent_required')
  })

  it('is asked again when that has been revoked', async () => {
    await agree()
    now += 10
    await issuer.revokeUser('usr_1')
    now += 10
    expect((await browser.open(url())).text).toContain('Allow')
    await browser.press('approve')
    expect((await browser.open(url())).parameters.code).toBeDefined()
  })

  it('has agreed for themselves only', async () => {
    await agree()
    browser = new Browser()
    expect((await browser.logIn(url(), 'bob', 'battery staple')).text).toContain('Allow')
  })
})

describe('prompt=none', () => {
  it('never shows a page', async () => {
    expect((await browser.open(url({ prompt: 'none' }))).parameters).toMatchObject({
      error: 'login_required',
      state: 'st<a>te&1',
    })
    await browser.logIn(url())
    expect((await browser.open(url({ prompt: 'none' }))).parameters.error).toBe('consent_required')
  })
})

describe('attempts to sign in', () => {
  it('are counted for a name, right ones too, and waiting helps', async () => {
    await browser.open(url())
    const attempt = (username: string, password = 'x') => browser.press('login', { username, password })
    for (let i = 0; i < 10; i++) expect((await attempt('alice')).status).toBe(401)
    const refused = await attempt('alice', 'correct horse')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await attempt('bob')).status).toBe(401)
    now += 300
    expect((await attempt('alice', 'correct horse')).status).toBe(303)
  })
})

describe('a client that has been deactivated', () => {
  it('gets nothing, whatever was agreed to', async () => {
    await browser.logIn(url())
    await browser.press('approve')
    await fetch(`${issuer.url}/api/v1/agents/${clientId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${issuer.adminKey}` },
    })
    expect(await browser.open(url())).toMatchObject({ status: 400, location: undefined })
  })
})

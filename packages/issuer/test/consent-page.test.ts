import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningIssuer, startIssuer } from '../src/index.ts'
import { type Answer, authorizeUrl, Browser, register } from './support/browser.ts'

let issuer: RunningIssuer
beforeAll(async () => {
  issuer = await startIssuer({
    users: [{ username: 'alice', password: 'correct horse' }],
    clients: [{ client_id: 'web', client_name: 'Web', redirect_uris: ['https://client.example/callback'] }],
  })
})
afterAll(() => issuer.close())

const evil = `"><script>alert(1)</script><img src=x onerror='x'>`

async function pages(clientId: string, changes = {}): Promise<Record<string, Answer>> {
  const browser = new Browser()
  const url = authorizeUrl(issuer, clientId, changes)
  const login = await browser.open(url)
  const failed = await browser.press('login', { username: evil, password: 'x' })
  const consent = await browser.logIn(url)
  const error = await browser.open(authorizeUrl(issuer, evil))
  return { login, failed, consent, error }
}

describe('every page', () => {
  it('runs no script, loads nothing, is framed by nobody, is kept by nobody [9700-4.16]', async () => {
    const { client_id } = await register(issuer)
    for (const [name, { headers, text }] of Object.entries(await pages(client_id))) {
      const nonce = /<style nonce="([^"]+)">/.exec(text)?.[1]
      expect(headers.get('content-security-policy')).toBe(
        `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${name === 'error' ? "'none'" : "'self' https:"}; frame-ancestors 'none'; base-uri 'none'`,
      )
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(text).not.toMatch(/<script|<link|<img|<iframe|style="|javascript:/i)
      expect(text).toContain('<html lang="en">')
    }
  })

  it('has another nonce each time', async () => {
    const url = authorizeUrl(issuer, (await register(issuer)).client_id)
    const policy = async () => (await new Browser().open(url)).headers.get('content-security-policy')
    expect(await policy()).not.toBe(await policy())
  })

  it('escapes whatever a client or a user chose', async () => {
    const { client_id } = await register(issuer, { client_name: `${evil}\u202e\u0000\n` })
    const shown = await pages(client_id, {
      scope: "<b>bold</b>'",
      resource: 'https://mcp.example/<i>x',
      state: evil,
    })
    for (const { text } of Object.values(shown)) {
      expect(text).not.toMatch(/<script|<img|<b>|<i>|\u202e/)
    }
    expect(shown.consent!.text).toContain('&lt;script&gt;')
    expect(shown.failed!.text).toContain('value="&quot;&gt;&lt;script&gt;')
    expect(shown.error!.text).not.toContain('alert')
  })

  it('does not let a long name push the rest away', async () => {
    const { client_id } = await register(issuer, { client_name: 'x'.repeat(200) })
    const { consent } = await pages(client_id)
    expect(consent!.text).toContain(`<bdi>${'x'.repeat(64)}…</bdi>`)
  })
})

describe('the consent page', () => {
  it('says nothing of doubts about a client that an administrator registered', async () => {
    const { consent } = await pages('web')
    expect(consent!.text).toContain('<bdi>Web</bdi>')
    expect(consent!.text).not.toContain('class="note"')
  })

  it('offers Deny first, to the Enter key too, and labels all fields', async () => {
    const { consent, login } = await pages('web')
    expect(consent!.text.indexOf('value="deny"')).toBeLessThan(consent!.text.indexOf('value="approve"'))
    for (const id of ['username', 'password']) {
      expect(login!.text).toContain(`<label for="${id}">`)
      expect(login!.text).toContain(`<input id="${id}"`)
    }
  })
})

describe('the page to sign in', () => {
  it('says so where nobody can', async () => {
    const { client_id } = await register(issuer)
    const open = async (at: RunningIssuer, id: string) =>
      (await new Browser().open(authorizeUrl(at, id))).text
    expect(await open(issuer, client_id)).not.toContain('Nobody can sign in here')
    const empty = await startIssuer()
    expect(await open(empty, (await register(empty)).client_id)).toContain('Nobody can sign in here')
    await empty.close()
  })
})

describe('the cookie', () => {
  it.each([
    [undefined, /^shark_\w+=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/],
    [
      'https://issuer.example/x',
      /^__Host-shark_https_issuer_example_x=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    ],
  ])('is for this host and no script, and for https only where the issuer is: %s', async (url, expected) => {
    const clients = [{ client_id: 'web', redirect_uris: ['https://client.example/callback'] }]
    const started = await startIssuer({ clients, ...(url ? { issuer: url } : {}) })
    const { pathname, search } = new URL(authorizeUrl(started, 'web'))
    const { headers } = await new Browser().open(`http://127.0.0.1:${started.port}${pathname}${search}`)
    expect(headers.get('set-cookie')).toMatch(expected)
    await started.close()
  })
})

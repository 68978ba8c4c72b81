import { networkInterfaces } from 'node:os'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { type ClientSite, startClientSite } from '../support/client-site.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

// Ten attempts to sign in are let through for a name.
const users = ['alice', 'bob'].map((username) => ({ username, password: 'correct horse' }))

describe.skipIf(!hasChromium)('the consent page in Chromium', () => {
  let chromium: Browser
  let context: BrowserContext
  let page: Page
  let issuer: RunningIssuer
  let client: ClientSite
  let clientId: string
  let now: number
  let complaints: string[]

  beforeAll(async () => {
    chromium = await launchChromium()
    issuer = await startIssuer({ users, clock: () => now, redirectSchemes: ['cursor'] })
  }, 60_000)
  afterAll(async () => {
    await chromium?.close()
    await issuer?.close()
  })

  beforeEach(async () => {
    now = Date.now() / 1000
    client = await startClientSite()
    clientId = await register([`${client.origin}/callback`])
    context = await chromium.newContext()
    page = await context.newPage()
    complaints = []
    page.on('console', (message) => void complaints.push(message.text()))
  })
  afterEach(async () => {
    await context.close()
    await client.close()
  })

  async function register(redirectUris: string[], name = 'Notes Assistant'): Promise<string> {
    const response = await fetch(`${issuer.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: name,
        redirect_uris: redirectUris,
        token_endpoint_auth_method: 'none',
      }),
    })
    return ((await response.json()) as { client_id: string }).client_id
  }

  function url(redirectUri = `${client.origin}/callback`, id = clientId): string {
    const parameters = new URLSearchParams({
      response_type: 'code',
      client_id: id,
      redirect_uri: redirectUri,
      scope: 'notes:read',
      state: 'xyz',
      resource: 'https://mcp.example/mcp',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    })
    return `${issuer.url}/oauth/authorize?${parameters}`
  }

  /** Comes from the client's site, as users do, and signs in. */
  async function logIn(to = url(), username = 'alice'): Promise<void> {
    client.pages.set('/', { body: `<a href="${to.replaceAll('&', '&amp;')}">Connect</a>` })
    await page.goto(`${client.origin}/`)
    await page.getByRole('link', { name: 'Connect' }).click()
    await page.getByLabel('Username').fill(username)
    await page.getByLabel('Password').fill('correct horse')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Allow Notes Assistant to act for you?' }).waitFor()
  }

  it('leads back to the client with a code when the user approves', async () => {
    await logIn()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${client.origin}/callback?*`)
    expect(client.answers).toEqual([{ code: expect.any(String), state: 'xyz', iss: issuer.url }])
    expect(client.referrers).toEqual([undefined])
    expect(complaints).toEqual([])
  })

  it('leads back to the client with access_denied when the user denies', async () => {
    await logIn()
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.waitForURL(`${client.origin}/callback?*`)
    expect(client.answers).toEqual([
      expect.objectContaining({ error: 'access_denied', state: 'xyz', iss: issuer.url }),
    ])
  })

  it('can be used without a mouse, and shows where one is', async () => {
    await page.goto(url())
    // A page has loaded a moment before its first field has the focus.
    await page.waitForFunction("document.activeElement.name === 'username'")
    await page.keyboard.type('alice')
    await page.keyboard.press('Tab')
    await page.keyboard.type('correct horse')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Allow Notes Assistant' }).waitFor()
    await page.keyboard.press('Tab')
    const focused = () => page.evaluate('document.activeElement.textContent')
    const outline = () => page.evaluate('getComputedStyle(document.activeElement).outlineWidth')
    expect([await focused(), await outline()]).toEqual(['Deny', '3px'])
    await page.keyboard.press('Tab')
    expect([await focused(), await outline()]).toEqual(['Allow', '3px'])
    await page.keyboard.press('Enter')
    await page.waitForURL(`${client.origin}/callback?*`)
    expect(client.answers[0]).toHaveProperty('code')
  })

  it('says that it has expired after ten minutes', async () => {
    await logIn()
    now += 601
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByText('This page has expired').waitFor()
    expect(client.answers).toEqual([])
  })

  it('decides nothing with a forged token', async () => {
    await logIn()
    await page.evaluate('document.querySelector("[name=csrf]").value += "x"')
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByText('This page has expired').waitFor()
    expect(client.answers).toEqual([])
  })

  it("decides nothing for a form of another site, with the user's session alive", async () => {
    await logIn()
    const action = url().replaceAll('&', '&amp;')
    const forged = `<form method="post" action="${action}"><button name="action" value="approve">Win</button></form>`
    client.pages.set('/win', { body: forged })
    const attacker = client.origin.replace('127.0.0.1', 'localhost')
    await page.goto(`${attacker}/win`)
    await page.getByRole('button', { name: 'Win' }).click()
    await page.getByText('This page has expired').waitFor()
    expect(client.answers).toEqual([])
  })

  it('is not shown in a frame', async () => {
    await logIn()
    client.pages.set('/frame', { body: `<iframe src="${url().replaceAll('&', '&amp;')}"></iframe>` })
    await page.goto(`${client.origin}/frame`)
    await page.waitForLoadState('networkidle')
    const [, frame] = page.frames()
    expect(await frame?.content()).not.toContain('Notes Assistant')
    expect(complaints.join()).toMatch(/frame-ancestors|X-Frame-Options/)
  })

  it('runs nothing that a client put into its name, and shows it as text', async () => {
    const name = '<img src=x onerror=document.title="owned"><script>document.title="owned"</script>'
    const id = await register([`${client.origin}/callback`], name)
    await page.goto(url(undefined, id))
    expect(await page.title()).toBe('Sign in')
    expect(await page.getByText('to go on to').textContent()).toContain('<img src=x')
    expect(await page.locator('img, script').count()).toBe(0)
  })

  it('applies its own style, and only that', async () => {
    await logIn()
    const background = () => page.evaluate('getComputedStyle(document.querySelector("main")).backgroundColor')
    const light = await background()
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await background()).not.toBe(light)
    await page.evaluate('document.body.setAttribute("style", "display: none")')
    expect(await page.getByRole('button', { name: 'Allow' }).isVisible()).toBe(true)
  })

  it('lets the client lead on to a third site: form-action holds for the whole chain', async () => {
    const third = await startClientSite()
    third.pages.set('/done', { body: '<title>done</title>' })
    client.pages.set('/callback', { status: 302, headers: { location: `${third.origin}/done` } })
    await logIn()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${third.origin}/done`)
    expect(client.answers[0]).toHaveProperty('code')
    await third.close()
  })

  it.each(['com.example.app:/callback', 'cursor://anysphere.cursor-mcp/oauth/callback'])(
    'leads to an application by its scheme: %s',
    async (redirectUri) => {
      const id = await register([redirectUri])
      await logIn(url(redirectUri, id), 'bob')
      const scheme = redirectUri.slice(0, redirectUri.indexOf(':') + 1)
      expect(await page.getByText('You will be sent to').locator('+ p').textContent()).toBe(scheme)
      // What Chromium then hands to the system; where form-action says otherwise there is no such request.
      const asked = page.waitForRequest((request) => request.url().startsWith(redirectUri))
      await page.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true })
      const { searchParams } = new URL((await asked).url())
      expect(Object.fromEntries(searchParams)).toEqual({
        code: expect.any(String),
        state: 'xyz',
        iss: issuer.url,
      })
      expect(complaints).toEqual([])
    },
  )

  it.skipIf(!hasIpv6)('leads back to an IPv6 address of this machine', async () => {
    const there = await startClientSite('::1')
    const redirectUri = `${there.origin}/callback`
    const id = await register([redirectUri])
    await logIn(url(redirectUri, id))
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${redirectUri}?*`)
    expect(there.answers[0]).toHaveProperty('code')
    await there.close()
  })
})

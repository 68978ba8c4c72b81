import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createIssuer, type Issuer } from '@sharkguard/issuer'
import express from 'express'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { authorizeUrl, Browser, register, VERIFIER } from '../../packages/issuer/test/support/browser.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
})

/** As the README has it. */
const HOSTS: Record<string, (issuer: Issuer) => RequestListener> = {
  Express(issuer) {
    const app = express()
    app.get('/', (_req, res) => void res.send('home'))
    const listener = getRequestListener(issuer.fetch)
    app.all(['/auth/*path', '/.well-known/oauth-authorization-server/auth'], (req, res) => listener(req, res))
    return app
  },
  Hono(issuer) {
    const app = new Hono()
    app.get('/', (c) => c.text('home'))
    app.all('/auth/*', (c) => issuer.fetch(c.req.raw))
    app.get('/.well-known/oauth-authorization-server/auth', (c) => issuer.fetch(c.req.raw))
    return getRequestListener(app.fetch)
  },
}

describe.each(Object.entries(HOSTS))('an issuer within an %s application', (_name, mount) => {
  it('serves its whole flow under its path, and nothing else', async () => {
    server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const url = `${origin}/auth`
    const issuer = createIssuer({ issuer: url, users: [{ username: 'alice', password: 'correct horse' }] })
    server.on('request', mount(issuer))

    const metadata = await fetch(`${origin}/.well-known/oauth-authorization-server/auth`)
    expect(await metadata.json()).toMatchObject({
      issuer: url,
      authorization_endpoint: `${url}/oauth/authorize`,
    })
    const { client_id } = await register({ url })
    const browser = new Browser()
    await browser.logIn(authorizeUrl({ url }, client_id))
    const { code, iss } = (await browser.press('approve')).parameters
    expect(iss).toBe(url)
    const response = await fetch(`${url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id,
        code: code!,
        code_verifier: VERIFIER,
        redirect_uri: 'https://client.example/callback',
      }),
    })
    expect(await response.json()).toMatchObject({ token_type: 'Bearer', scope: 'notes:read' })
    expect(await (await fetch(`${origin}/`)).text()).toBe('home')
    expect((await fetch(`${origin}/oauth/authorize`)).status).toBe(404)
  })
})

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { sharkGuard } from '@sharkguard/hono'
import { createIssuer, type Issuer } from '@sharkguard/issuer'
import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { askAndLeave, sleep, Workerd } from './served/workerd.ts'

/** Less than any of the agent's own time limits: nobody has waited for what never comes. */
const SOON = 2
let ahead = 0
let slow = { path: ' ', seconds: 0 }
const clock = () => Date.now() / 1000 + ahead
let server: Server
let issuer: Issuer
let workerd: Workerd
beforeAll(async () => {
  server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  issuer = createIssuer({ issuer: url, clock })
  const app = new Hono()
  const guard = sharkGuard(`${url}/api`, { issuer: url, clock, revocation: 'off' })
  for (const path of ['/api', '/.well-known/oauth-protected-resource/api']) app.use(path, guard)
  app.get('/api', (c) => c.text('notes'))
  app.all('*', (c) => issuer.fetch(c.req.raw))
  const listener = getRequestListener(app.fetch)
  server.on('request', async (incoming, outgoing) => {
    if (incoming.url?.includes(slow.path)) await sleep(slow.seconds)
    await listener(incoming, outgoing)
  })
  workerd = await Workerd.build('agent', () => ({ RESOURCE: `${url}/api` }))
})
beforeEach(async () => {
  slow = { path: ' ', seconds: 0 }
  await workerd.restart()
  await pass(0)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.log(workerd.output)
})
afterAll(async () => {
  await workerd?.stop()
  server?.closeAllConnections()
  server?.close()
})

async function pass(seconds: number): Promise<void> {
  ahead += seconds
  expect((await fetch(`${workerd.url}/ahead/${ahead}`)).status).toBe(204)
}

async function ask() {
  const started = performance.now()
  const response = await fetch(workerd.url)
  const token = await response.text()
  return { status: response.status, seconds: (performance.now() - started) / 1000, token }
}
const ALLOWED = { status: 200, seconds: expect.toSatisfy((seconds: number) => seconds < SOON) }

it('is let in, with one token for all requests', async () => {
  await ask()
  const answers = await Promise.all(Array.from({ length: 20 }, ask))
  for (const answer of answers) expect(answer).toMatchObject(ALLOWED)
  expect(new Set(answers.map(({ token }) => token))).toHaveLength(1)
})

it('renews its token once for all requests', async () => {
  const { token } = await ask()
  await pass(300)
  const answers = await Promise.all(Array.from({ length: 20 }, ask))
  for (const answer of answers) expect(answer).toMatchObject(ALLOWED)
  const tokens = new Set(answers.map(({ token }) => token))
  expect(tokens).toHaveLength(1)
  expect(tokens).not.toContain(token)
})

it('is not wedged by a client that goes away while it waits for a new token', async () => {
  await ask()
  await pass(300)
  slow = { path: '/oauth/token', seconds: 3 }
  const left = askAndLeave(workerd.url, 0.5)
  await sleep(0.2)
  const meanwhile = ask()
  await left
  slow = { path: ' ', seconds: 0 }
  expect(await meanwhile).toMatchObject(ALLOWED)
  for (let count = 0; count < 3; count++) expect(await ask()).toMatchObject(ALLOWED)
})

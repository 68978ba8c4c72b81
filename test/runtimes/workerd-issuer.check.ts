import { createServer, type Server } from 'node:http'
import { AdminClient, Agent } from '@sharkguard/agent'
import { sharkGuard } from '@sharkguard/express'
import express from 'express'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { authorizeUrl, Browser, register } from '../../packages/issuer/test/support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { askAndLeave, Workerd } from './served/workerd.ts'

const adminKey = 'sk_live_0123456789abcdef0123456789abcdef'
let issuer: Workerd
let api: Server
let resource: string
beforeAll(async () => {
  issuer = await Workerd.build('issuer', (url) => ({ ISSUER: url, ADMIN_KEY: adminKey }))
})
beforeEach(async () => {
  await issuer.restart()
  const port = await freePort()
  resource = `http://127.0.0.1:${port}/api`
  const app = express()
  app.use('/api', sharkGuard(resource, { issuer: issuer.url }), (_req, res) => void res.json({}))
  api = createServer(app).listen(port, '127.0.0.1')
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(issuer.output)
  api.closeAllConnections()
  api.close()
  await issuer.stop()
})

const starts = (count: number) => Promise.all(Array.from({ length: count }, () => Agent.start({ resource })))
const statuses = (agents: readonly Agent[]) =>
  Promise.all(agents.map(async (agent) => (await agent.fetch(resource)).status))

it('serves agents and guards, all at once from the first moment on', async () => {
  const agents = await starts(20)
  expect(await statuses(agents)).toEqual(Array(20).fill(200))
  expect(await statuses(agents)).toEqual(Array(20).fill(200))
})

it('has told the guard by the time it says that a token is revoked', async () => {
  const admin = new AdminClient({ baseUrl: issuer.url, adminKey })
  const agents = await starts(10)
  expect(await statuses(agents)).toEqual(Array(10).fill(200))
  for (const agent of agents) {
    await admin.agents.deactivate(agent.clientId)
    expect((await agent.fetch(resource)).status).toBe(401)
  }
})

it('lets a user log in and say yes', async () => {
  const { client_id } = await register(issuer)
  const browser = new Browser()
  const { text } = await browser.logIn(authorizeUrl(issuer, client_id))
  expect(text).toContain('Signed in as')
  expect((await browser.press('approve')).parameters).toMatchObject({ code: expect.any(String) })
})

it('is not wedged by clients that go away, from the very first request on', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const client = 'client_id=api&client_secret=a%20secret%20of%20its%20own'
  const body = `grant_type=client_credentials&${client}&resource=${encodeURIComponent(resource)}`
  const tokenRequest = { method: 'POST', headers, body }
  for (let round = 0; round < 10; round++) {
    await issuer.restart()
    await askAndLeave(`${issuer.url}/oauth/token`, 0.002 * (round + 1), tokenRequest)
    const leaving = Array.from({ length: 60 }, (_, at) => {
      if (at % 2 === 0) return askAndLeave(`${issuer.url}/oauth/token`, at / 1000, tokenRequest)
      return askAndLeave(`${issuer.url}/oauth/revocations?since=0&wait=3&guard=${at}`, at / 1000)
    })
    const started = performance.now()
    const agents = await starts(5)
    await Promise.all(leaving)
    expect(performance.now() - started).toBeLessThan(8000)
    expect(agents).toHaveLength(5)
  }
})

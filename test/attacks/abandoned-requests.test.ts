import * as http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import type { ReplayStore, ReplayVerdict, RevocationSource } from '@sharkguard/core'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import { sharkGuard as honoGuard } from '@sharkguard/hono'
import fastify from 'fastify'
import { Hono } from 'hono'
import { streamText } from 'hono/streaming'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { HOSTS, type Host, listen } from '../support/hosts.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'

/** The attacker has a token, asks, and does not wait for the answer. What is left of it must not be watched for ever. */
let exchange: Exchange
let host: Host
let checks: number
let release: () => void
let held: Promise<void> | undefined
let arrived: () => void

beforeAll(async () => {
  exchange = await Exchange.start()
})
afterAll(() => exchange.close())
beforeEach(() => {
  held = undefined
})
afterEach(() => host.close())

/** Is asked once by each request, and every second for as long as its answer is watched. */
const revocation: RevocationSource = {
  name: 'counting',
  open: () => ({
    check() {
      checks++
      return 'active'
    },
    async ready() {},
    close() {},
  }),
}
const replayStore: ReplayStore = {
  async claim(): Promise<ReplayVerdict> {
    arrived?.()
    await held
    return 'fresh'
  },
}
const options = () => ({ issuer: exchange.issuer, revocation, replayStore })

/** Holds the next request back where it is decided last. @returns when it is there */
function holdBack(): Promise<void> {
  held = new Promise((resolve) => {
    release = resolve
  })
  return new Promise((resolve) => {
    arrived = resolve
  })
}

async function checksOfASecond(): Promise<number> {
  checks = 0
  await sleep(1200)
  return checks
}

const text = (method = 'POST') => {
  const token = exchange.token()
  const { authorization = '', dpop = '' } = exchange.headers({
    token,
    proof: exchange.proof(token, { method }),
  })
  return requestText(`${method} /mcp`, [
    ['Host', 'mcp.example.com'],
    ['Authorization', authorization],
    ['DPoP', dpop],
    ['Content-Length', '0'],
    ['Connection', 'close'],
  ])
}

it.each(['express', 'fastify', 'hono', 'mcp'])(
  'who leaves while the request is decided is not watched, on %s',
  async (name) => {
    host = await HOSTS[name]!(exchange.resource, options())
    expect((await sendRaw(host.port, text())).status).toBe(200)
    expect(await checksOfASecond()).toBe(0)
    const there = holdBack()
    const socket = connect(host.port, '127.0.0.1')
    socket.write(text())
    await there
    socket.destroy()
    await sleep(100)
    release()
    await expect.poll(host.runs).toBe(2)
    expect(await checksOfASecond()).toBe(0)
  },
)

it('who resets a stream of HTTP/2 meanwhile is not watched either', async () => {
  let runs = 0
  const app = fastify({ http2: true })
  await app.register(fastifyGuard(exchange.resource, options()))
  app.all('/mcp', async () => ({ run: ++runs }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const close = async () => {
    session.destroy()
    await app.close()
  }
  host = { port, runs: () => runs, close }
  const ask = () => session.request({ ':method': 'POST', ':path': '/mcp', ...exchange.headers() }).resume()
  await new Promise((resolve) => ask().on('end', resolve))
  expect(runs).toBe(1)
  expect(await checksOfASecond()).toBe(0)
  const there = holdBack()
  const stream = ask()
  await there
  stream.close(http2.constants.NGHTTP2_CANCEL)
  await sleep(100)
  release()
  await sleep(100)
  expect(await checksOfASecond()).toBe(0)
})

it('the body that Hono leaves unread for HEAD is not watched', async () => {
  let runs = 0
  const guarded = honoGuard(exchange.resource, options())
  const app = new Hono().use(guarded).get('/mcp', (c) =>
    streamText(c, async (rows) => {
      runs++
      await rows.write('x'.repeat(100_000))
    }),
  )
  host = await listen(
    getRequestListener(app.fetch),
    () => runs,
    () => guarded.guard.close(),
  )
  for (const method of ['GET', 'HEAD']) {
    expect((await sendRaw(host.port, text(method))).status).toBe(200)
    expect(await checksOfASecond()).toBe(0)
  }
  expect(runs).toBe(2)
})

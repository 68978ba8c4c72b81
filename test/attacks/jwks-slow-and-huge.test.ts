import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createGuard, type Guard } from '@sharkguard/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Exchange } from '../support/exchange.ts'

/** Whoever answers for the issuer drips, hangs, or sends without end, over real sockets. */
let exchange: Exchange
let guard: Guard
let now: number
let weather: {
  server: Server
  url: string
  asked: number
  sent: number
  answer: (res: ServerResponse) => void
}

beforeEach(async () => {
  exchange = await Exchange.start()
  now = Math.floor(Date.now() / 1000)
  exchange.now = () => now
  const server = createServer((_req, res) => {
    weather.asked++
    weather.answer(res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  weather = { server, url, asked: 0, sent: 0, answer: sunshine }
  guard = createGuard(exchange.resource, {
    issuer: { issuer: exchange.issuer, jwksUri: url },
    revocation: 'off',
    clock: () => now,
  })
  // The deadline of a fetch is five seconds; these pass faster.
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / 25))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await guard.close()
  weather.server.closeAllConnections()
  await new Promise((resolve) => weather.server.close(resolve))
  await exchange.close()
})

const keySet = () => exchange.answers.get('/jwks')?.body as string
const sunshine = (res: ServerResponse) => void res.end(keySet())

function everyMoment(res: ServerResponse, bytes: string | Uint8Array): void {
  const timer = setInterval(() => res.write(bytes), 5)
  res.on('close', () => clearInterval(timer))
}

function flood(res: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, ' ')
  const more = () => {
    while (weather.sent < 60e6 && !res.destroyed) {
      weather.sent += chunk.length
      if (!res.write(chunk)) return
    }
    res.end()
  }
  res.on('drain', more)
  more()
}

const WEATHER: [string, (res: ServerResponse) => void][] = [
  ['no answer at all', () => undefined],
  ['headers and then nothing', (res) => res.flushHeaders()],
  ['one space every moment, for ever', (res) => everyMoment(res, ' ')],
  ['the right set, a byte now and then', (res) => void everyMoment(res, keySet().slice(0, 1))],
  ['sixty megabytes', flood],
  [
    'sixty megabytes in sixty kilobytes',
    (res) => void res.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(60e6, ' '))),
  ],
  ['a connection that ends at once', (res) => void res.destroy()],
  [
    'half a set, and then the connection ends',
    (res) => void res.write(keySet().slice(0, 40), () => res.destroy()),
  ],
]

const ask = async () => {
  const verdict = await guard.verify(exchange.request())
  return verdict.ok ? 'allowed' : verdict.reason
}

describe.each(WEATHER)('%s', (_, answer) => {
  it('leaves nothing to decide with, says so, and is over when it is over', async () => {
    weather.answer = answer
    expect(await ask()).toBe('keys_unavailable')
    expect(weather.sent).toBeLessThan(20e6)
    weather.answer = sunshine
    now += 31
    expect(await ask()).toBe('allowed')
  })

  it('keeps nobody waiting who comes with a known key, and is not asked for by each of them', async () => {
    expect(await ask()).toBe('allowed')
    weather.answer = answer
    now += 200
    const asked = weather.asked
    for (let i = 0; i < 20; i++) expect(await ask()).toBe('allowed')
    expect(weather.asked - asked).toBeLessThanOrEqual(2)
  })
})

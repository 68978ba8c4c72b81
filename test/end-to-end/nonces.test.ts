import type { GuardOptions } from '@sharkguard/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { HOSTS, type Host, type RawAnswer, sendRaw } from '../support/hosts.ts'

/** DPoP nonces (RFC 9449 §9) as a client meets them: over real HTTP, on every host, at several instances of a service. */
const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)]
let exchange: Exchange
let now: number
let hosts: Host[]

beforeAll(async () => {
  exchange = await Exchange.start()
  exchange.now = () => now
})
afterAll(() => exchange.close())
beforeEach(() => {
  now = 1_900_000_000
  hosts = []
})
afterEach(async () => {
  for (const host of hosts) await host.close()
})

async function start(name: string, nonce: GuardOptions['nonce']): Promise<Host> {
  const options = { issuer: exchange.issuer, revocation: 'off', clock: () => now, nonce } as const
  const host = await HOSTS[name]!(exchange.resource, options as GuardOptions)
  hosts.push(host)
  return host
}

function send(host: Host, nonce?: string): Promise<RawAnswer> {
  const token = exchange.token()
  const proof = exchange.proof(token, { method: 'GET', claims: nonce === undefined ? {} : { nonce } })
  const lines = [
    'GET /mcp HTTP/1.1',
    'Host: mcp.example.com',
    `Authorization: DPoP ${token}`,
    `DPoP: ${proof}`,
  ]
  return sendRaw(host.port, lines)
}

/** Exactly one: of several fields the values would come joined by a comma and a space. */
function nonceOf({ headers }: RawAnswer): string {
  expect(headers['dpop-nonce']).toMatch(/^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/)
  expect(headers['cache-control']).toBe('no-store')
  expect(headers['access-control-expose-headers']).toContain('DPoP-Nonce')
  return headers['dpop-nonce'] as string
}

/** A client that remembers the newest nonce, and sends at most twice. */
function createClient() {
  let nonce: string | undefined
  return async (host: Host): Promise<string> => {
    for (let attempt = 1; ; attempt++) {
      const answer = await send(host, nonce)
      nonce = nonceOf(answer)
      if (answer.status === 200) return `${attempt}`
      if (attempt === 2) return `refused: ${answer.headers['www-authenticate']}`
    }
  }
}

describe.each(Object.keys(HOSTS))('%s', (name) => {
  it('asks for a nonce once, and gives the next one with every success', async () => {
    const host = await start(name, { lifetime: 60 })
    const challenge = await send(host)
    expect(challenge.status).toBe(401)
    expect(challenge.headers['www-authenticate']).toContain('error="use_dpop_nonce"')
    let nonce = nonceOf(challenge)
    const seen = new Set([nonce])
    for (let calls = 0; calls < 10; calls++, now += 45) {
      const answer = await send(host, nonce)
      expect(answer.status).toBe(200)
      nonce = nonceOf(answer)
      seen.add(nonce)
    }
    expect(seen.size).toBeGreaterThan(5)
    expect(host.runs()).toBe(10)
  })

  it('gives none where none is asked for', async () => {
    const answer = await send(await start(name, false), 'unasked')
    expect(answer.status).toBe(200)
    expect(answer.headers['dpop-nonce']).toBeUndefined()
  })
})

describe('instances behind a balancer', () => {
  it('that share secrets take one another’s nonces: a client is challenged once in its life', async () => {
    const instances = [await start('core', { secrets: [NEW] }), await start('express', { secrets: [NEW] })]
    const call = createClient()
    const attempts: string[] = []
    for (let calls = 0; calls < 20; calls++, now += 20) attempts.push(await call(instances[calls % 2]!))
    expect(attempts).toEqual(['2', ...Array(19).fill('1')])
  })

  it('roll a secret over one by one, and no client notices', async () => {
    const call = createClient()
    let instances = [await start('core', { secrets: [OLD] }), await start('core', { secrets: [OLD] })]
    expect(await call(instances[0]!)).toBe('2')
    // First all learn to accept the new one, then all hand it out, and two lifetimes later the old one goes.
    for (const secrets of [[OLD, NEW], [NEW, OLD], [NEW]]) {
      for (const index of [0, 1]) {
        instances = instances.with(index, await start('core', { secrets }))
        for (let calls = 0; calls < 4; calls++) expect(await call(instances[calls % 2]!)).toBe('1')
      }
      for (let passed = 0; passed < 120; passed += 40, now += 40) expect(await call(instances[0]!)).toBe('1')
    }
  })

  it('whose clocks are some seconds apart cost a client a challenge at most', async () => {
    const [a, b] = [await start('core', { secrets: [NEW] }), await start('core', { secrets: [NEW] })]
    const call = createClient()
    for (let second = 0; second < 130; second++, now++) {
      // b is three seconds behind a.
      expect(await call(a)).toMatch(/^[12]$/)
      now -= 3
      expect(await call(b)).toMatch(/^[12]$/)
      now += 3
    }
  })
})

describe('whatever the year', () => {
  it.each([
    ['2038, at the last second of 31 bits', 2 ** 31 - 1],
    ['2040', 2_208_988_800],
    ['2106, at the last second of 32 bits', 2 ** 32 - 1],
    ['2500', 16_725_225_600],
  ])('%s: challenged once, accepted once', async (_year, epoch) => {
    now = epoch
    const host = await start('core', true)
    const nonce = nonceOf(await send(host))
    for (let second = 0; second < 5; second++, now++) expect((await send(host, nonce)).status).toBe(200)
    const token = exchange.token()
    const proof = exchange.proof(token, { method: 'GET', claims: { nonce } })
    const lines = ['GET /mcp HTTP/1.1', 'Host: h', `Authorization: DPoP ${token}`, `DPoP: ${proof}`]
    expect((await sendRaw(host.port, lines)).status).toBe(200)
    expect((await sendRaw(host.port, lines)).status).toBe(401)
  })
})

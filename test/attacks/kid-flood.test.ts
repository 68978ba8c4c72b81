import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Exchange, generateKeyPair, sign } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker makes every request look like the first after a key rotation, so that the guard floods the issuer. */
let exchange: Exchange
let siege: Siege
let now: number
const attacker = generateKeyPair()

beforeEach(async () => {
  exchange = await Exchange.start()
  now = Math.floor(Date.now() / 1000)
  exchange.now = () => now
  siege = await Siege.start({ clock: () => now }, exchange)
})
afterEach(() => siege.close())

const fetches = () => exchange.requests.filter((path) => path === '/jwks').length
const unknown = (kid: string, claims: Record<string, unknown> = {}) =>
  exchange.request({ token: exchange.token({ key: attacker, header: { kid }, claims }), proof: 'p.p.p' })

describe('thirty seconds of tokens with unknown kids', () => {
  it('cost at most six fetches and keep no honest agent out', async () => {
    await siege.allows()
    const before = fetches()
    for (let i = 0; i < 3000; i++) {
      now += 0.01
      const verdict = await siege.guard.verify(unknown(`kid-${i}`))
      expect(verdict).toMatchObject({ ok: false, reason: 'token_key_unknown', status: 401 })
      if (i % 100 === 0) await siege.allows()
    }
    expect(fetches() - before).toBeLessThanOrEqual(6)
    expect(fetches() - before).toBeGreaterThan(0)
  })

  it('do not hide a new key for longer than a cooldown', async () => {
    await siege.allows()
    const fresh = generateKeyPair('ES256', 'fresh')
    let waited = 0
    for (let published = false; ; waited += 0.5, now += 0.5) {
      await siege.guard.verify(unknown(`kid-${now}`))
      if (!published) exchange.publish(exchange.issuerKey, fresh)
      published = true
      if ((await siege.guard.verify(exchange.request({ token: exchange.token({ key: fresh }) }))).ok) break
      expect(waited).toBeLessThan(30)
    }
    expect(waited).toBeLessThanOrEqual(5)
  })

  it('cost nothing when they are not for us, or not of an issuer we know', async () => {
    await siege.allows()
    const before = exchange.requests.length
    for (let i = 0; i < 200; i++) {
      now += 1 / 8
      await siege.guard.verify(unknown(`kid-${i}`, { iss: `https://evil-${i}.example` }))
      await siege.guard.verify(unknown(`kid-${i}`, { aud: 'https://other.example' }))
      await siege.guard.verify(unknown(`kid-${i}`, { exp: 1 }))
      const noise = sign({ alg: 'HS256', typ: 'at+jwt', kid: `${i}` }, {}, attacker)
      await siege.guard.verify(exchange.request({ token: noise, proof: 'p.p.p' }))
    }
    expect(exchange.requests.length).toBe(before)
  })
})

it('the first tokens of a new key are all accepted, however many come at once', async () => {
  await siege.allows()
  const fresh = generateKeyPair('ES256', 'fresh')
  exchange.publish(exchange.issuerKey, fresh)
  const before = fetches()
  const requests = Array.from({ length: 30 }, () =>
    exchange.request({ token: exchange.token({ key: fresh }) }),
  )
  const verdicts = await Promise.all(requests.map((request) => siege.guard.verify(request)))
  expect(verdicts.filter(({ ok }) => ok)).toHaveLength(30)
  expect(fetches() - before).toBe(1)
})

it('a cold guard asked thirty times at once fetches once', async () => {
  const requests = Array.from({ length: 30 }, () => exchange.request())
  const verdicts = await Promise.all(requests.map((request) => siege.guard.verify(request)))
  expect(verdicts.filter(({ ok }) => ok)).toHaveLength(30)
  expect(exchange.requests).toHaveLength(2)
})

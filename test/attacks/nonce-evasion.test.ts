import { type Allowed, createGuard, type GuardOptions, type Verdict } from '@sharkguard/core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { expectRefusal, Siege } from '../support/siege.ts'

/** The attacker made proofs ahead of time, or wants the guard to accept them without the nonce it asks for. */
let exchange: Exchange
let siege: Siege
let now: number
const T = 1_900_000_000

beforeAll(async () => {
  exchange = await Exchange.start()
  exchange.now = () => now
})
afterAll(() => exchange.close())
beforeEach(async () => {
  now = T
  siege = await Siege.start({ nonce: { secrets: ['s'.repeat(32)] } }, exchange)
})

const request = (nonce: unknown, claims: object = {}) => {
  const token = exchange.token()
  return exchange.request({ token, proof: exchange.proof(token, { claims: { nonce, ...claims } }) })
}
const nonceOf = (verdict: Verdict) => verdict.headers['DPoP-Nonce'] as string
const challenge = async () => nonceOf(await siege.guard.verify(request(undefined)))

async function refuses(nonce: unknown, guarded = siege): Promise<string> {
  const sent = request(nonce)
  const verdict = await guarded.guard.verify(sent)
  expect(verdict.ok ? 'allowed' : verdict.reason).toBe('proof_nonce_required')
  expectRefusal(verdict, sent, { status: 401, error: 'use_dpop_nonce' })
  expect(guarded.claims).toHaveLength(0)
  return nonceOf(verdict)
}

describe('a proof without the nonce', () => {
  it('is challenged exactly once: with the nonce of the answer the next one passes [9449-8-one] [9449-8-nonce] [9449-9-rs] [SEP-D8]', async () => {
    const nonce = await refuses(undefined)
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
    await siege.allows(request(nonce))
  })

  it.each([undefined, null, '', 'x', 5, true, [], {}, 'x'.repeat(4000), '__proto__'])(
    'but with %j is challenged [9449-11.3-nonce] [9449-4.3-10]',
    async (nonce) => {
      await refuses(nonce)
      await siege.allows(request(await challenge()))
    },
  )

  it('that is bad otherwise learns no nonce', async () => {
    const token = exchange.token()
    for (const changes of [{ method: 'GET' }, { url: 'https://evil.example' }, { claims: { ath: 'x' } }]) {
      const verdict = await siege.guard.verify(
        exchange.request({ token, proof: exchange.proof(token, changes) }),
      )
      expect(verdict).toMatchObject({ ok: false, status: 401 })
      expect(nonceOf(verdict)).toBeUndefined()
    }
  })
})

describe('a nonce', () => {
  it('rides on every success, not to be stored, visible to scripts [9449-8.2-success]', async () => {
    const nonce = await challenge()
    const verdict = (await siege.guard.verify(request(nonce))) as Allowed
    expect(nonceOf(verdict)).toBe(nonce)
    expect(verdict.headers['Cache-Control']).toBe('no-store')
    expect(verdict.headers['Access-Control-Expose-Headers']).toContain('DPoP-Nonce')
  })

  it('serves many requests of its time, each with its own jti, and no proof twice', async () => {
    const nonce = await challenge()
    for (let i = 0; i < 5; i++) await siege.allows(request(nonce))
    const twice = request(nonce)
    await siege.allows(twice)
    expect(await siege.guard.verify(twice)).toMatchObject({ ok: false, reason: 'proof_replayed' })
  })

  it('ends with the period after its own, and the client is given the new one', async () => {
    const nonce = await challenge()
    now = T + 119 - (T % 60)
    await siege.allows(request(nonce))
    now = T + 120 - (T % 60)
    siege.claims.length = 0
    const fresh = await refuses(nonce)
    expect(fresh).not.toBe(nonce)
    await siege.allows(request(fresh))
  })

  it('does not make an old proof young', async () => {
    const nonce = await challenge()
    for (const iat of [T - 61, T + 11]) {
      expect((await siege.guard.verify(request(nonce, { iat }))).ok).toBe(false)
    }
  })

  it.each<[string, GuardOptions | undefined, string | undefined]>([
    ['of another secret', { nonce: { secrets: ['t'.repeat(32)] } }, undefined],
    ['of another process without shared secrets', { nonce: true }, undefined],
    ['of another resource', undefined, 'https://other.example/mcp'],
  ])('%s is none', async (_, options, resource) => {
    const other = createGuard(resource ?? exchange.resource, {
      issuer: exchange.issuer,
      revocation: 'off',
      clock: () => now,
      nonce: { secrets: ['s'.repeat(32)] },
      ...options,
    })
    const token = exchange.token(resource === undefined ? {} : { claims: { aud: resource } })
    const url = resource ?? exchange.resource
    const theirs = await other.verify(exchange.request({ token, proof: exchange.proof(token, { url }) }))
    expect(nonceOf(theirs)).toMatch(/./)
    await refuses(nonceOf(theirs))
    await other.close()
  })
})

describe('where no nonce is demanded', () => {
  it('one that comes anyway is ignored, and none is given', async () => {
    const plain = await Siege.start({}, exchange)
    const verdict = await plain.guard.verify(request('unasked'))
    expect(verdict.ok).toBe(true)
    expect(nonceOf(verdict)).toBeUndefined()
  })
})

import {
  createGuard,
  type GuardOptions,
  memoryReplayStore,
  Unavailable,
  type Verdict,
} from '@sharkguard/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Exchange, generateKeyPair } from '../../../test/support/exchange.ts'

/** A store that is full has given up its oldest entries: what is as old may have been used. */
const T = 1_900_000_000
let exchange: Exchange
let now: number
let guard: ReturnType<typeof createGuard>

beforeAll(async () => {
  exchange = await Exchange.start()
  exchange.now = () => now
})
afterAll(() => exchange.close())
beforeEach(() => {
  now = T
})
afterEach(() => guard.close())

function start(options: GuardOptions) {
  guard = createGuard(exchange.resource, {
    issuer: exchange.issuer,
    revocation: 'off',
    clock: () => now,
    ...options,
  })
}

const send = (claims: Record<string, unknown> = {}, key = exchange.agentKey) => {
  const token = exchange.token({ claims: { cnf: { jkt: key.jkt } } })
  return guard.verify(exchange.request({ token, proof: exchange.proof(token, { key, claims }) }))
}
const outcome = (verdict: Verdict) => (verdict.ok ? 'allowed' : verdict.reason)

/** Eight proofs of this second, and one of the next, for which all eight are given up. */
async function fill(): Promise<Record<string, unknown>> {
  const used = { jti: 'used', iat: T }
  expect(outcome(await send(used))).toBe('allowed')
  for (let i = 1; i < 8; i++) expect(outcome(await send({ iat: T }))).toBe('allowed')
  now = T + 1
  expect(outcome(await send({ iat: T + 1 }))).toBe('allowed')
  return used
}

const small = () => memoryReplayStore({ maxEntries: 8, quota: 1, clock: () => now })

describe('a proof as old as what was given up', () => {
  it('is challenged, and its client is let in with another at once', async () => {
    start({ replayStore: small() })
    const used = await fill()
    const verdict = await send(used)
    expect(verdict).toMatchObject({ ok: false, status: 401, reason: 'proof_nonce_required' })
    expect(verdict.headers['DPoP-Nonce']).toMatch(/./)
    expect(outcome(await send({ nonce: verdict.headers['DPoP-Nonce'] }))).toBe('allowed')
  })

  it('is challenged once: a client whose clock is slow is told to wait, and then let in', async () => {
    start({ replayStore: small() })
    await fill()
    const challenge = await send({ iat: now - 3 })
    expect(outcome(challenge)).toBe('proof_nonce_required')
    const nonce = challenge.headers['DPoP-Nonce']
    const verdict = await send({ iat: now - 3, nonce })
    expect(verdict).toMatchObject({ ok: false, status: 503, reason: 'replay_store_full' })
    now += Number(verdict.headers['Retry-After'])
    expect(outcome(await send({ iat: now - 3, nonce }))).toBe('allowed')
  })

  it('is unavailable where nonces are always demanded, and never accepted', async () => {
    start({ replayStore: small(), nonce: true })
    const nonce = (await send()).headers['DPoP-Nonce']
    const used = { jti: 'used', iat: T, nonce }
    expect(outcome(await send(used))).toBe('allowed')
    for (let i = 1; i < 8; i++) expect(outcome(await send({ iat: T, nonce }))).toBe('allowed')
    now = T + 1
    expect(outcome(await send({ iat: T + 1, nonce }))).toBe('allowed')
    expect(await send(used)).toMatchObject({ status: 503, reason: 'replay_store_full' })
  })
})

describe('where a proof made now would not pass either', () => {
  it('nobody is challenged: in the second that filled the store all have to wait for the next', async () => {
    start({ replayStore: small() })
    for (let i = 0; i < 8; i++) expect(outcome(await send())).toBe('allowed')
    const verdict = await send()
    expect(verdict).toMatchObject({ ok: false, status: 503, reason: 'replay_store_full' })
    expect(verdict.headers['Retry-After']).toBe('1')
    now += 1
    expect(outcome(await send())).toBe('allowed')
  })

  it.each(['replay_store_full', 'replay_store_unavailable', 'replay_quota_exceeded'] as const)(
    'nor where the store only says %s',
    async (reason) => {
      start({
        replayStore: {
          claim() {
            throw new Unavailable(reason, { retryAfter: 7 })
          },
        },
      })
      const verdict = await send({ iat: T - 30 })
      expect(verdict).toMatchObject({
        ok: false,
        status: reason === 'replay_quota_exceeded' ? 429 : 503,
        reason,
      })
      expect(verdict.headers['Retry-After']).toBe('7')
    },
  )
})

describe('the quota of a key', () => {
  it('is told to its holder alone, by 429 and when to come back', async () => {
    const reasons: string[] = []
    start({
      replayStore: memoryReplayStore({ maxEntries: 40, quota: 0.1, clock: () => now }),
      onDecision: (decision) => {
        if (decision.outcome === 'unavailable') reasons.push(`${decision.reason} ${decision.jkt}`)
      },
    })
    const hostile = generateKeyPair()
    for (let i = 0; i < 4; i++) expect(outcome(await send({}, hostile))).toBe('allowed')
    const verdict = await send({}, hostile)
    expect(verdict).toMatchObject({ ok: false, status: 429, reason: 'replay_quota_exceeded' })
    expect(Number(verdict.headers['Retry-After'])).toBeGreaterThanOrEqual(1)
    expect(verdict.headers['WWW-Authenticate']).toBeUndefined()
    expect(reasons).toEqual([`replay_quota_exceeded ${hostile.jkt}`])
    expect(outcome(await send())).toBe('allowed')
  })
})

import { createGuard, type GuardOptions, type GuardRequest, type Verdict } from '@sharkguard/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Exchange } from '../../../test/support/exchange.ts'

/** A process ends and another takes its place: same resource, same clock, nothing remembered. */
const T = 1_900_000_000
let exchange: Exchange
let now: number
const started: { close(): Promise<void> }[] = []

beforeAll(async () => {
  exchange = await Exchange.start()
  exchange.now = () => now
})
afterAll(() => exchange.close())
beforeEach(() => {
  now = T
  vi.stubEnv('NODE_ENV', 'production')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const guard of started.splice(0)) await guard.close()
})

function start(options: GuardOptions = {}) {
  const guard = createGuard(exchange.resource, {
    issuer: exchange.issuer,
    revocation: 'off',
    clock: () => now,
    ...options,
  })
  started.push(guard)
  return guard
}

function request(claims: Record<string, unknown> = {}): GuardRequest {
  const token = exchange.token()
  return exchange.request({ token, proof: exchange.proof(token, { claims }) })
}

const outcome = (verdict: Verdict) => (verdict.ok ? 'allowed' : verdict.reason)
const nonceOf = (verdict: Verdict) => verdict.headers['DPoP-Nonce'] as string

/** One round trip for a client that answers challenges. */
async function call(guard: ReturnType<typeof start>, claims: Record<string, unknown> = {}): Promise<string> {
  const first = await guard.verify(request(claims))
  if (outcome(first) !== 'proof_nonce_required') return outcome(first)
  return `challenged, ${outcome(await guard.verify(request({ ...claims, nonce: nonceOf(first) })))}`
}

/** What a process accepts, with the nonce it asks for at first. */
async function accept(
  guard: ReturnType<typeof start>,
  claims: Record<string, unknown> = {},
): Promise<GuardRequest> {
  const nonce = nonceOf(await guard.verify(request()))
  const accepted = request({ nonce, ...claims })
  expect(outcome(await guard.verify(accepted))).toBe('allowed')
  return accepted
}

describe('a proof that the process before has accepted', () => {
  it('is challenged, and so is every other that may have been, once', async () => {
    const used = await accept(start())
    const restarted = start()
    const verdict = await restarted.verify(used)
    expect(verdict).toMatchObject({ ok: false, status: 401, reason: 'proof_nonce_required' })
    expect(verdict.headers['WWW-Authenticate']).toContain('error="use_dpop_nonce"')
    expect(verdict.headers['Cache-Control']).toBe('no-store')
    expect(verdict.headers['Access-Control-Expose-Headers']).toContain('DPoP-Nonce')
    expect(await call(restarted)).toBe('challenged, allowed')
  })

  it('is never accepted again, however far ahead it was dated and however late it comes', async () => {
    for (const dated of [-60, -1, 0, 0.5, 9.5, 10]) {
      now = T
      const used = await accept(start(), { iat: T + dated })
      const restarted = start()
      for (; now <= T + 80; now++)
        expect(outcome(await restarted.verify(used)), `${dated}`).not.toBe('allowed')
    }
  })

  it('nor where the clock is set back after the start', async () => {
    const used = await accept(start())
    const restarted = start()
    now -= 5
    expect(outcome(await restarted.verify(used))).toBe('proof_nonce_required')
    expect(await call(restarted)).toBe('challenged, allowed')
  })

  it('passes no more often by the nonce it was accepted with', async () => {
    const used = await accept(start(), { iat: T + 3 })
    const restarted = start()
    expect(outcome(await restarted.verify(used))).toBe('proof_nonce_required')
  })
})

describe('a proof that no process before can have accepted', () => {
  it('needs no nonce: from clockTolerance seconds after the start nothing is asked any more', async () => {
    const guard = start()
    expect(await call(guard, { iat: T + 10 })).toBe('challenged, allowed')
    now = T + 1
    expect(await call(guard, { iat: T + 11 })).toBe('allowed')
    now = T + 11
    expect(await call(guard)).toBe('allowed')
    expect(await call(guard, { iat: T + 10 })).toBe('challenged, allowed')
  })

  it('gets no nonce with its answer, nor does one that was challenged', async () => {
    const guard = start()
    const challenge = await guard.verify(request())
    const verdict = await guard.verify(request({ nonce: nonceOf(challenge) }))
    expect(outcome(verdict)).toBe('allowed')
    expect(nonceOf(verdict)).toBeUndefined()
  })

  it('keeps what else is asked: a nonce makes no bad proof good, and each proof passes once', async () => {
    const guard = start()
    const nonce = nonceOf(await guard.verify(request()))
    expect(outcome(await guard.verify(request({ nonce, htm: 'GET' })))).toBe('proof_method_mismatch')
    const used = request({ nonce })
    expect(outcome(await guard.verify(used))).toBe('allowed')
    expect(outcome(await guard.verify(used))).toBe('proof_replayed')
  })
})

describe('nothing is asked at the start', () => {
  const store = () => {
    const used = new Set<string>()
    return { claim: (key: string) => (used.size < used.add(key).size ? 'fresh' : 'replayed') as 'fresh' }
  }

  it.each(['development', 'test', ''])('where NODE_ENV is %j', async (environment) => {
    vi.stubEnv('NODE_ENV', environment)
    expect(await call(start())).toBe('allowed')
  })

  it('of those who bring a store, which remembers', async () => {
    const replayStore = store()
    const used = request()
    expect(outcome(await start({ replayStore }).verify(used))).toBe('allowed')
    const restarted = start({ replayStore })
    expect(outcome(await restarted.verify(used))).toBe('proof_replayed')
    expect(await call(restarted)).toBe('allowed')
  })
})

describe('where nonces are always demanded', () => {
  it('those of the process before are none: no proof passes a restart', async () => {
    const used = await accept(start({ nonce: true }))
    const restarted = start({ nonce: true })
    expect(outcome(await restarted.verify(used))).toBe('proof_nonce_required')
    now += 60
    expect(await call(restarted)).toBe('challenged, allowed')
  })
})

import { createGuard, type Decision, type Guard } from '@sharkguard/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Exchange, generateKeyPair } from '../support/exchange.ts'

/** The issuer is down, slow, or poisoned; its key is stolen; and agents must neither get in nor be sent away for that. */
let exchange: Exchange
let guard: Guard
let now: number
let decisions: Decision[]

beforeEach(async () => {
  exchange = await Exchange.start()
  now = Math.floor(Date.now() / 1000)
  exchange.now = () => now
  decisions = []
  guard = createGuard(exchange.resource, {
    issuer: exchange.issuer,
    revocation: 'off',
    clock: () => now,
    onDecision: (decision) => void decisions.push(decision),
  })
})
afterEach(async () => {
  await guard.close()
  await exchange.close()
})

const ask = async (claims: Record<string, unknown> = {}) =>
  guard.verify(exchange.request({ token: exchange.token({ claims }) }))
const outcome = async () => {
  const verdict = await ask()
  return verdict.ok ? 'allowed' : verdict.reason
}
const keySet = { path: '/jwks' }

const WEATHER: [string, { status?: number; headers?: Record<string, string>; body: string }][] = [
  ['status 500', { status: 500, body: '' }],
  ['status 404', { status: 404, body: '' }],
  ['a redirect', { status: 301, headers: { location: '/elsewhere' }, body: '' }],
  ['HTML', { headers: { 'content-type': 'text/html' }, body: '<html></html>' }],
  ['half a set', { body: '{"keys":[{"kty":"EC"' }],
  ['an empty set', { body: '{"keys":[]}' }],
  ['nothing', { body: '' }],
  ['a megabyte', { body: `{"keys":[],"x":"${'x'.repeat(2 ** 20)}"}` }],
]

describe('keys that cannot be had', () => {
  it.each(WEATHER)(
    'because of %s are 503 with Retry-After, never 401, and no handler runs',
    async (_, answer) => {
      exchange.answers.set('/elsewhere', exchange.answers.get(keySet.path) as never)
      exchange.answers.set(keySet.path, answer)
      const verdict = await ask()
      expect(verdict).toMatchObject({ ok: false, status: 503, reason: 'keys_unavailable' })
      expect(verdict.headers).not.toHaveProperty('WWW-Authenticate')
      expect(Number(verdict.headers['Retry-After'])).toBeGreaterThanOrEqual(1)
      expect(verdict.headers['Cache-Control']).toBe('no-store')
      const { body } = verdict as { body: string }
      expect(body).not.toContain(exchange.issuer)
      expect(decisions.at(-1)).toMatchObject({ outcome: 'unavailable', reason: 'keys_unavailable' })
      expect(exchange.requests).not.toContain('/elsewhere')
    },
  )

  it.each(WEATHER)('because of %s do no harm while the old ones are known', async (_, answer) => {
    expect(await outcome()).toBe('allowed')
    const good = exchange.answers.get(keySet.path) as never
    exchange.answers.set(keySet.path, answer)
    now += 301
    expect(await outcome()).toBe('allowed')
    now += 3500
    expect(await outcome()).toBe('allowed')
    exchange.answers.set(keySet.path, good)
    now += 31
    expect(await outcome()).toBe('allowed')
  })

  it('end an hour after their age, and then it is 503 until the issuer is back', async () => {
    expect(await outcome()).toBe('allowed')
    const good = exchange.answers.get(keySet.path) as never
    exchange.answers.set(keySet.path, { status: 500, body: '' })
    now += 300 + 3600
    expect(await outcome()).toBe('keys_unavailable')
    exchange.answers.set(keySet.path, good)
    now += 31
    expect(await outcome()).toBe('allowed')
  })

  it('are not asked for by each request', async () => {
    exchange.answers.set(keySet.path, { status: 500, body: '' })
    for (let i = 0; i < 100; i++) {
      await ask()
      now += 0.01
    }
    expect(exchange.requests.filter((path) => path === '/jwks').length).toBeLessThanOrEqual(2)
  })

  it('make the guard not ready, and their coming makes it', async () => {
    const good = exchange.answers.get(keySet.path) as never
    exchange.answers.set(keySet.path, { status: 500, body: '' })
    await expect(guard.ready()).rejects.toMatchObject({ name: 'Unavailable', reason: 'keys_unavailable' })
    exchange.answers.set(keySet.path, good)
    now += 2
    await expect(guard.ready()).resolves.toBeUndefined()
  })
})

describe('a stolen signing key', () => {
  const rotate = () => {
    const fresh = generateKeyPair('ES256', 'fresh')
    exchange.publish(fresh)
    return fresh
  }

  it('opens nothing from the moment of purge(), though its tokens were cached', async () => {
    const token = exchange.token()
    expect((await guard.verify(exchange.request({ token }))).ok).toBe(true)
    const fresh = rotate()
    expect((await guard.verify(exchange.request({ token }))).ok).toBe(true)
    guard.purge()
    expect(await guard.verify(exchange.request({ token }))).toMatchObject({
      ok: false,
      reason: 'token_key_unknown',
    })
    expect((await guard.verify(exchange.request({ token: exchange.token({ key: fresh }) }))).ok).toBe(true)
  })

  it('opens nothing after ten minutes without anybody doing anything, whatever the set’s max-age was', async () => {
    exchange.answers.set('/jwks', {
      ...(exchange.answers.get('/jwks') as { body: string }),
      headers: { 'cache-control': 'max-age=86400' },
    })
    const token = exchange.token({ claims: { exp: now + 3600 } })
    expect((await guard.verify(exchange.request({ token }))).ok).toBe(true)
    rotate()
    now += 600
    expect(await guard.verify(exchange.request({ token }))).toMatchObject({
      ok: false,
      reason: 'token_key_unknown',
    })
  })
})

describe('a replay store that fails', () => {
  it.each([
    ['throws', () => Promise.reject(new Error('ECONNREFUSED redis://secret@host'))],
    [
      'throws at once',
      () => {
        throw new Error('secret')
      },
    ],
  ])('and %s lets nothing pass and tells nothing', async (_, claim) => {
    const failing = createGuard(exchange.resource, {
      issuer: exchange.issuer,
      revocation: 'off',
      replayStore: { claim },
      clock: () => now,
    })
    const verdict = await failing.verify(exchange.request())
    expect(verdict).toMatchObject({ ok: false, status: 503, reason: 'replay_store_unavailable' })
    expect(JSON.stringify(verdict)).not.toMatch(/secret|redis|ECONN/)
    await failing.close()
  })

  it.each([undefined, null, true, 'FRESH', 'ok', 1])('and answers %j lets nothing pass', async (answer) => {
    const odd = createGuard(exchange.resource, {
      issuer: exchange.issuer,
      revocation: 'off',
      replayStore: { claim: () => answer as never },
      clock: () => now,
    })
    const verdict = await odd.verify(exchange.request())
    expect(verdict).toMatchObject({ ok: false, status: 503, reason: 'replay_store_unavailable' })
    await odd.close()
  })
})

describe('a clock that fails', () => {
  it.each([
    ['says NaN', () => Number.NaN],
    ['says nothing', () => undefined as never],
    ['says Infinity', () => Number.POSITIVE_INFINITY],
    [
      'throws',
      () => {
        throw new Error('no time')
      },
    ],
  ])('and %s lets nothing pass', async (_, broken) => {
    let clock: () => number = () => now
    const timeless = createGuard(exchange.resource, {
      issuer: exchange.issuer,
      revocation: 'off',
      clock: () => clock(),
    })
    expect((await timeless.verify(exchange.request())).ok).toBe(true)
    const expired = exchange.token({ claims: { exp: 1, iat: 0 } })
    const request = exchange.request({ token: expired })
    clock = broken
    expect(await timeless.verify(request)).toMatchObject({ ok: false, status: 503 })
    expect(await timeless.verify(exchange.request())).toMatchObject({ ok: false, status: 503 })
    await timeless.close()
  })
})

describe('many at once', () => {
  it('each get their own identity', async () => {
    const agents = Array.from({ length: 200 }, (_, i) => `agent-${i}`)
    const verdicts = await Promise.all(agents.map((sub) => ask({ sub, client_id: sub })))
    expect(verdicts.map((verdict) => verdict.ok && [verdict.auth.subject, verdict.auth.clientId])).toEqual(
      agents.map((sub) => [sub, sub]),
    )
  })
})

import type { Decision } from '@sharkguard/core'
import { memoryStore, type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Caller } from './caller.ts'
import { type GuardedServer, startGuarded } from './server.ts'

let now: number
const clock = () => now
/** What survives a restart of the issuer: its keys, its rules, its clients. */
let store: ReturnType<typeof memoryStore>
let issuer: RunningIssuer
let guarded: GuardedServer
let decisions: Decision[]

beforeEach(async () => {
  now = Math.floor(Date.now() / 1000)
  store = memoryStore({ clock })
  issuer = await startIssuer({ clock, store, tokenLifetime: 900 })
  decisions = []
  const onDecision = (decision: Decision) => void decisions.push(decision)
  guarded = await startGuarded({ issuer: issuer.url, clock, onDecision })
  await guarded.guard.ready()
})
afterEach(async () => {
  await guarded.close()
  await issuer.close()
})

const call = () => Caller.create(issuer, guarded.resource, { clock })
const status = async (caller: Caller) => (await caller.call()).status

async function restart(): Promise<void> {
  issuer = await startIssuer({ clock, store, tokenLifetime: 900, port: issuer.port })
}

/** Several callers at a time, some calls each. @returns the statuses that came */
async function load(callers: readonly Caller[], calls: number): Promise<Set<number>> {
  const seen = new Set<number>()
  await Promise.all(
    callers.map(async (caller) => {
      for (let i = 0; i < calls; i++) seen.add(await status(caller))
    }),
  )
  return seen
}

describe('An issuer that is killed under load', () => {
  it('for 50 seconds: no valid request is refused, none that was revoked gets in', async () => {
    const callers = await Promise.all(Array.from({ length: 8 }, call))
    const revoked = await call()
    await load([...callers, revoked], 1)
    await issuer.revokeAgent(revoked.clientId)
    await issuer.close()
    for (let second = 0; second < 50; second += 5) {
      now += 5
      expect([...(await load(callers, 5))]).toEqual([200])
      expect(await status(revoked)).toBe(401)
    }
    await restart()
    expect([...(await load(callers, 5))]).toEqual([200])
    const notices = decisions.filter(({ outcome }) => outcome === 'notice')
    expect(notices).not.toEqual([])
    const caller = callers[0]!
    await vi.waitFor(async () => {
      await issuer.revokeAgent(caller.clientId)
      expect(await status(caller)).toBe(401)
    }, 15_000)
  })

  it('for 70 seconds: 503, which says when to come back; then everything is as before, without a restart', async () => {
    const [caller, revoked] = [await call(), await call()]
    await issuer.revokeAgent(revoked.clientId)
    expect([await status(caller), await status(revoked)]).toEqual([200, 401])
    await issuer.close()
    now += 70
    const refused = await caller.call()
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(refused.headers.get('www-authenticate')).toBeNull()
    expect(await status(revoked)).toBe(401)
    await expect(guarded.guard.ready()).rejects.toThrow(/revocation list/)
    await restart()
    await guarded.guard.ready()
    expect([await status(caller), await status(revoked)]).toEqual([200, 401])
    await issuer.revokeAgent(caller.clientId)
    expect(await status(caller)).toBe(401)
  })
})

describe('An issuer whose list cannot be had', () => {
  it('lets nobody in at a guard that has never had it; others are let in as soon as it is there', async () => {
    const heal = issuer.fail('revocation')
    const cold = await startGuarded({ issuer: issuer.url, clock })
    try {
      const caller = await Caller.create(issuer, cold.resource, { clock })
      expect(await status(caller)).toBe(503)
      heal()
      await cold.guard.ready()
      expect(await status(caller)).toBe(200)
    } finally {
      await cold.close()
    }
  })

  it('is told of to whoever watches the guard, once and not per request', async () => {
    const caller = await call()
    expect(await status(caller)).toBe(200)
    decisions.length = 0
    const heal = issuer.fail('revocation')
    await vi.waitFor(() => expect(decisions.some(({ outcome }) => outcome === 'notice')).toBe(true), 15_000)
    now += 20
    await load([caller], 20)
    const old = decisions.filter((one) => one.outcome === 'notice' && /seconds old/.test(one.detail))
    expect(old).toHaveLength(1)
    heal()
    await vi.waitFor(async () => {
      await guarded.guard.ready()
      await issuer.revokeAgent(caller.clientId)
      expect(await status(caller)).toBe(401)
    }, 15_000)
  })
})

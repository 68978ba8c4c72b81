import { createHash } from 'node:crypto'
import type { Guard, GuardRequest, Verdict } from '@sharkguard/core'
import fc from 'fast-check'
import { expect } from 'vitest'
import { Exchange } from '../support/exchange.ts'

const START = 1_900_000_000
const MAX_AGE = 60
const TOLERANCE = 10

/** A resource whose process can be started anew and whose clock can be moved, on one replay store or another. */
export interface World {
  readonly guard: Guard
  /** Another process in its place. */
  restart(): Promise<void> | void
  /** Makes what is remembered elsewhere fail or forget, where it is elsewhere. */
  disturb(): Promise<void> | void
  close(): Promise<void> | void
}

/** What a world is opened with. */
export interface Surroundings {
  readonly exchange: Exchange
  /** Seconds since the epoch. */
  readonly clock: () => number
}

const second = fc.record({
  /** How far ahead the clocks of the agents are that call now. */
  skews: fc.array(fc.integer({ min: -MAX_AGE - 5, max: TOLERANCE + 5 }), { maxLength: 3 }),
  /** Requests of strangers beside. */
  flood: fc.oneof(
    { weight: 12, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }) },
  ),
  step: fc.oneof(
    { weight: 30, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -150, max: 150 }) },
  ),
  event: fc.oneof(
    { weight: 20, arbitrary: fc.constant('none' as const) },
    { weight: 2, arbitrary: fc.constant('restart' as const) },
    { weight: 1, arbitrary: fc.constant('disturb' as const) },
  ),
})
type Second = typeof second extends fc.Arbitrary<infer T> ? T : never

/**
 * Second by second, over random skews, floods, steps of the clock, restarts and disturbances: no proof is accepted twice, and
 * an honest one, made anew once if it is challenged, is let in unless something has just happened.
 * @param calm seconds after an event in which honest proofs may be refused
 */
export async function simulate(
  open: (surroundings: Surroundings) => Promise<World>,
  settings: { numRuns: number; seconds: number; calm: { flood: number; step: number; disturb: number } },
): Promise<{ allowed: number; challenged: number; replaysRefused: number }> {
  const exchange = await Exchange.start()
  const counted = { allowed: 0, challenged: 0, replaysRefused: 0 }

  async function run(seconds: readonly Second[]): Promise<void> {
    let now = START
    let latest = now
    let calmFrom = now
    exchange.now = () => now
    const world = await open({ exchange, clock: () => now })
    const token = exchange.token({ claims: { exp: START + 1e6, iat: START - 1e6 } })
    const sent: GuardRequest[] = []
    const accepted = new Set<GuardRequest>()

    async function present(request: GuardRequest): Promise<Verdict> {
      const verdict = await world.guard.verify(request)
      if (verdict.ok && accepted.has(request)) expect.fail('a proof was accepted twice')
      if (verdict.ok) accepted.add(request)
      else if (accepted.has(request)) counted.replaysRefused++
      return verdict
    }
    async function call(iat: number): Promise<Verdict> {
      const request = (claims: object) =>
        exchange.request({ token, proof: exchange.proof(token, { claims: { iat, ...claims } }) })
      const first = request({})
      sent.push(first)
      const verdict = await present(first)
      if (verdict.ok || verdict.reason !== 'proof_nonce_required') return verdict
      counted.challenged++
      const second = request({ nonce: verdict.headers['DPoP-Nonce'] })
      sent.push(second)
      return present(second)
    }
    const stir = (seconds: number) => {
      calmFrom = Math.max(calmFrom, now + seconds)
    }

    try {
      for (const [index, { skews, flood, step, event }] of seconds.entries()) {
        now += 1 + step
        latest = Math.max(latest, now)
        if (step !== 0) stir(settings.calm.step + Math.abs(step))
        if (event === 'restart') {
          // What starts anew cannot know that the clock has been set back: it is right again by then.
          now = latest
          await world.restart()
        }
        if (event === 'disturb') {
          now = latest
          stir(settings.calm.disturb)
          await world.disturb()
        }
        for (let i = 0; i < flood; i++) await call(now)
        if (flood > 0) stir(settings.calm.flood)
        for (const skew of skews) {
          const verdict = await call(now + skew)
          if (verdict.ok) counted.allowed++
          else if (now >= calmFrom && skew >= -MAX_AGE && skew <= TOLERANCE) {
            expect.fail(`an honest proof, ${skew} s off, was refused: ${verdict.reason}`)
          }
        }
        for (let i = 0; i < Math.min(15, sent.length); i++)
          await present(sent[draw(index, i, sent.length)] as GuardRequest)
      }
    } finally {
      await world.close()
    }
  }

  const list = fc.array(second, { minLength: settings.seconds / 2, maxLength: settings.seconds, size: 'max' })
  await fc.assert(fc.asyncProperty(list, run), { numRuns: settings.numRuns, endOnFailure: true })
  await exchange.close()
  return counted
}

/** What the attacker picks: anything there has been, the youngest more often. */
function draw(second: number, turn: number, length: number): number {
  const random = createHash('sha256').update(`${second} ${turn}`).digest().readUInt32BE() / 2 ** 32
  return Math.min(length - 1, Math.floor((1 - random ** 3) * length))
}

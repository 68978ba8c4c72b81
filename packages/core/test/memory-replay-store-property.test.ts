import { createHash } from 'node:crypto'
import { memoryReplayStore, Unavailable } from '@sharkguard/core'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

const START = 1_800_000_000
const keyOf = (name: string) => createHash('sha256').update(name).digest('base64url')

const windows = fc.record({
  proofMaxAge: fc.oneof(fc.constant(60), fc.integer({ min: 1, max: 300 })),
  clockTolerance: fc.oneof(fc.constant(10), fc.integer({ min: 0, max: 300 })),
})
type Windows = { proofMaxAge: number; clockTolerance: number }

/** What happens in one second of the simulation. */
const second = fc.record({
  /** How far ahead the clocks of the agents are that make a proof now. */
  skews: fc.array(fc.integer({ min: -320, max: 320 }), { maxLength: 4 }),
  flood: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(60) }),
  step: fc.oneof(
    { weight: 20, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -700, max: 700 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1e8, 1e8) },
  ),
  restart: fc.oneof(
    { weight: 30, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
})

/** The guard's own check, RFC 9449 §4.3 (11), and its claim; the store's answer, or why there is none. */
function createSimulation(limits: Windows, maxEntries: number) {
  let now = START
  let latest = now
  let store = memoryReplayStore({ maxEntries, quota: 1, clock: () => now })
  const accepts = (iat: number) => iat <= now + limits.clockTolerance && iat + limits.proofMaxAge >= now
  return {
    get now() {
      return now
    },
    get hasRoom() {
      return store.size < maxEntries
    },
    step(seconds: number) {
      now += seconds
      latest = Math.max(latest, now)
    },
    /** A new process cannot know that the clock has been set back since proofs were accepted: it is right again here. */
    restart() {
      now = latest
      const floor = now + limits.proofMaxAge + 2 * limits.clockTolerance + 1
      store = memoryReplayStore({ maxEntries, quota: 1, clock: () => now, floor })
    },
    present(name: string, iat: number): string {
      if (!accepts(iat)) return 'outside'
      try {
        return store.claim(keyOf(name), iat + limits.proofMaxAge + limits.clockTolerance + 1, 'jkt')
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        expect(error.retryAfter).toBeGreaterThanOrEqual(1)
        expect(error.retryAfter).toBeLessThan(Number.POSITIVE_INFINITY)
        return error.reason
      }
    },
  }
}

it('no proof is accepted twice, whatever the windows, skews, floods, restarts and steps of the clock', () => {
  let fresh = 0
  let replayed = 0
  const run = (
    limits: Windows,
    maxEntries: number,
    seconds: (typeof second extends fc.Arbitrary<infer T> ? T : never)[],
  ) => {
    const world = createSimulation(limits, maxEntries)
    const proofs = new Map<string, number>()
    const accepted = new Set<string>()
    for (const [index, { skews, flood, step, restart }] of seconds.entries()) {
      world.step(1 + step)
      if (restart) world.restart()
      for (let i = 0; i < flood; i++) proofs.set(`flood ${index} ${i}`, world.now)
      for (const [i, skew] of skews.entries()) proofs.set(`proof ${index} ${i}`, world.now + skew)
      // Every second an attacker presents all proofs there have ever been.
      for (const [name, iat] of proofs) {
        const outcome = world.present(name, iat)
        if (outcome === 'replayed') replayed++
        if (outcome !== 'fresh') continue
        fresh++
        if (accepted.has(name)) expect.fail(`${name} was accepted twice`)
        accepted.add(name)
      }
    }
  }
  fc.assert(
    fc.property(
      windows,
      fc.integer({ min: 1, max: 120 }),
      fc.array(second, { minLength: 30, maxLength: 100 }),
      run,
    ),
    { numRuns: 100 },
  )
  expect(fresh).toBeGreaterThan(1000)
  expect(replayed).toBeGreaterThan(1000)
})

it('no honest proof is refused while there is room, second by second', () => {
  fc.assert(
    fc.property(windows, fc.array(fc.nat(6), { minLength: 30, maxLength: 400 }), (limits, rates) => {
      const { proofMaxAge, clockTolerance } = limits
      const world = createSimulation(limits, 6 * (proofMaxAge + 2 * clockTolerance + 2))
      for (const [second, rate] of rates.entries()) {
        world.step(1)
        for (let i = 0; i < rate; i++) {
          const skews = [0, -proofMaxAge, clockTolerance, -Math.floor(proofMaxAge / 2)]
          const iat = world.now + (skews[i % skews.length] as number)
          if (!world.hasRoom) expect.fail('the test leaves too little room')
          const outcome = world.present(`${second} ${i}`, iat)
          if (outcome !== 'fresh') expect.fail(`an honest proof was ${outcome}`)
        }
      }
    }),
    { numRuns: 100 },
  )
})

it('proofs made after the flood pass again at once, and the floor says from when', () => {
  const world = createSimulation({ proofMaxAge: 60, clockTolerance: 10 }, 100)
  for (let i = 0; i < 100; i++) world.present(`before ${i}`, world.now)
  expect(world.present('in the same second', world.now)).toBe('replay_store_full')
  world.step(1)
  expect(world.present('in the next second', world.now)).toBe('fresh')
})

it('a clock that is years ahead for a moment stops nobody for years', () => {
  const world = createSimulation({ proofMaxAge: 60, clockTolerance: 10 }, 100)
  expect(world.present('before', world.now)).toBe('fresh')
  const before = world.now
  world.step(1e8)
  expect(world.present('before', before)).toBe('outside')
  world.step(-1e8)
  world.step(1)
  expect(world.present('before', before)).not.toBe('fresh')
  expect(world.present('after', world.now)).toBe('fresh')
})

it('a process that starts with a floor refuses all that the one before can have accepted, and nothing else', () => {
  const limits = { proofMaxAge: 60, clockTolerance: 10 }
  const world = createSimulation(limits, 1000)
  const before = world.now
  const used = Array.from({ length: 71 }, (_, i) => before + 10 - i)
  for (const iat of used) expect(world.present(`at ${iat}`, iat)).toBe('fresh')
  world.restart()
  for (let second = 0; second < 90; second++) {
    for (const iat of used) expect(world.present(`at ${iat}`, iat)).not.toBe('fresh')
    const outcome = world.present(`honest ${second}`, world.now)
    expect(outcome).toBe(second <= limits.clockTolerance ? 'replay_store_full' : 'fresh')
    world.step(1)
  }
})

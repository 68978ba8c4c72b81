import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { World } from './naive-world.ts'

/** What may happen, each in few words, so that what fails shrinks to what matters. */
const who = fc.integer({ min: 0, max: 3 })
const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('mint' as const), who, user: who, key: who }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('exchange' as const), of: fc.nat(20), who, key: who }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('L1' as const), of: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('grant' as const), of: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('L2' as const), who, chain: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('rotate' as const), who }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('L3' as const), user: who }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('L4' as const),
      glob: fc.constantFrom('a*', '*[01]', 'agent-?', '*[!2]'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('L5' as const), who: fc.subarray([0, 1, 2, 3]) }) },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('tick' as const), by: fc.constantFrom(0.1, 0.4, 0.9, 1, 3) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('deliver' as const), from: fc.nat(40), shuffle: fc.nat() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('restart' as const), what: fc.constantFrom('issuer', 'guard') }),
  },
)

describe('The issuer’s revocations, at the guard, and a naive model of what revoking means', () => {
  it('decide alike over 10,000 random sequences of layers, mints, rotations, restarts, duplicates and reordering', async () => {
    const tally = { decided: 0, revoked: 0, sameSecond: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 30, size: 'max' }), async (events) => {
        const world = new World()
        for (const one of events) {
          await world.happen(one)
          if (one.does !== 'tick') await world.compare(tally)
        }
        await world.happen({ does: 'deliver', from: 0, shuffle: 0 })
        await world.compare(tally)
      }),
      { numRuns: 10_000 },
    )
    expect(tally.revoked).toBeGreaterThan(tally.decided / 10)
    expect(tally.revoked).toBeLessThan(tally.decided * 0.9)
    expect(tally.sameSecond).toBeGreaterThan(1000)
  }, 300_000)
})

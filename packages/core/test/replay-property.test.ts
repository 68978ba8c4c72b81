import { createGuard, type Guard, memoryReplayStore } from '@sharkguard/core'
import { afterEach, expect, it, vi } from 'vitest'
import { type Surroundings, simulate, type World } from '../../../test/contracts/replay-simulation.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

afterEach(() => vi.unstubAllEnvs())

function worldOf(start: () => Guard): World {
  let guard = start()
  return {
    get guard() {
      return guard
    },
    async restart() {
      await guard.close()
      guard = start()
    },
    disturb() {},
    close: () => guard.close(),
  }
}

const common = ({ exchange, clock }: Surroundings) =>
  ({ issuer: exchange.issuer, revocation: 'off', clock }) as const

it("the guard's own store, in production: restarts let nothing in twice and keep no honest client out", async () => {
  vi.stubEnv('NODE_ENV', 'production')
  const counted = await simulate(
    async (surroundings) => worldOf(() => createGuard(surroundings.exchange.resource, common(surroundings))),
    { numRuns: 15, seconds: 80, calm: { flood: 0, step: 80, disturb: 0 } },
  )
  for (const count of Object.values(counted)) expect(count).toBeGreaterThan(100)
})

it('a memory store that floods fill: what is given up is refused, and the honest are back a window later', async () => {
  const counted = await simulate(
    async (surroundings) => {
      const { clock } = surroundings
      const replayStore = memoryReplayStore({ maxEntries: 64, quota: 1, clock })
      return worldOf(() =>
        createGuard(surroundings.exchange.resource, { ...common(surroundings), replayStore }),
      )
    },
    { numRuns: 15, seconds: 80, calm: { flood: 90, step: 80, disturb: 0 } },
  )
  for (const count of Object.values(counted)) expect(count).toBeGreaterThan(50)
})

it('with nonces of its own demanded, the same, in any environment', async () => {
  const counted = await simulate(
    async (surroundings) =>
      worldOf(() =>
        createGuard(surroundings.exchange.resource, { ...common(surroundings), nonce: { lifetime: 7 } }),
      ),
    { numRuns: 10, seconds: 80, calm: { flood: 0, step: 80, disturb: 0 } },
  )
  for (const count of Object.values(counted)) expect(count).toBeGreaterThan(100)
})

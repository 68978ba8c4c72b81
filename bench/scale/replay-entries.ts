import { randomBytes } from 'node:crypto'
import { createGuard, memoryReplayStore } from '@sharkguard/core'
import { verifierOf } from '../contenders/sharkguard.ts'
import { now } from '../world.ts'
import { type Dimension, pick } from './dimension.ts'

/** Used proofs that are remembered. */
export const replayEntries: Dimension = {
  name: 'replay entries',
  request: 'DPoP, known key',
  sizes: ({ large }) => (large ? [0, 10_000, 1_000_000, 5_000_000] : [0, 10_000, 1_000_000]),
  async fill(world, size) {
    const { audience, issuer, jwksUri, path, method, uri } = world
    const replayStore = memoryReplayStore({ maxEntries: size + 100_000, quota: 1 })
    const later = now() + 3600
    for (let i = 0; i < size; i++) replayStore.claim(randomBytes(32).toString('base64url'), later)
    const guard = createGuard(audience, { issuer: { issuer, jwksUri }, revocation: 'off', replayStore })
    const { dpop } = verifierOf(guard, path)
    const clients = world.clients(100)
    return {
      checks: (count) =>
        Array.from({ length: count }, () => {
          const client = pick(clients)
          return dpop(client.token, world.proof(client), method, uri)
        }),
      close: () => void guard.close(),
    }
  },
}

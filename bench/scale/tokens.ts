import { createGuard } from '@sharkguard/core'
import { verifierOf } from '../contenders/sharkguard.ts'
import { createKeyPair } from '../world.ts'
import { type Dimension, memory, pass, pick } from './dimension.ts'

/** As many as the guard remembers at once. */
const REMEMBERED = 50_000

/** Different tokens that have passed; those asked about are among the latest. */
export const tokens: Dimension = {
  name: 'tokens seen',
  request: 'Bearer, known token',
  sizes: ({ large }) => (large ? [1, 1000, REMEMBERED, 1_000_000] : [1, 1000, 10_000]),
  async fill(world, size) {
    const { audience, issuer, jwksUri, path } = world
    const options = { issuer: { issuer, jwksUri }, dpop: 'when-bound', revocation: 'off' } as const
    const guard = createGuard(audience, options)
    const { bearer } = verifierOf(guard, path)
    const keys = createKeyPair('ES256')
    const mint = (count: number) =>
      Array.from({ length: count }, () => world.client({ cnf: undefined }, keys).token)
    for (let passed = REMEMBERED; passed < size; passed += REMEMBERED)
      await pass(mint(REMEMBERED).map(bearer))
    const latest = mint(Math.min(size, REMEMBERED))
    const before = (await memory()).heap
    await pass(latest.map(bearer))
    const bytesEach = size === REMEMBERED ? { bytesEach: ((await memory()).heap - before) / size } : {}
    return {
      checks: (count) => Array.from({ length: count }, () => bearer(pick(latest))),
      ...bytesEach,
      close: () => void guard.close(),
    }
  },
}

import { createGuard } from '@sharkguard/core'
import { verifierOf } from '../contenders/sharkguard.ts'
import { createKeyPair } from '../world.ts'
import { type Dimension, pass, pick } from './dimension.ts'

/** Issuers that are trusted, each with its own set of keys. */
export const issuers: Dimension = {
  name: 'issuers',
  request: 'Bearer, known token',
  sizes: () => [1, 10, 100],
  async fill(world, size) {
    const { audience, jwksUri, path } = world
    const names = Array.from({ length: size }, (_, i) => `https://issuer-${i}.example`)
    const guard = createGuard(audience, {
      issuer: names.map((issuer) => ({ issuer, jwksUri })),
      dpop: 'when-bound',
      revocation: 'off',
    })
    const { bearer } = verifierOf(guard, path)
    const keys = createKeyPair('ES256')
    const tokens = names.map((iss) => world.client({ iss, cnf: undefined }, keys).token)
    await pass(tokens.map(bearer))
    return {
      checks: (count) => Array.from({ length: count }, () => bearer(pick(tokens))),
      close: () => void guard.close(),
    }
  },
}

import { createGuard } from '@sharkguard/core'
import { verifierOf } from '../contenders/sharkguard.ts'
import { type Dimension, memory, pass, pick } from './dimension.ts'

/** As many as the guard remembers at once. */
const REMEMBERED = 10_000

/** Clients, each with a key and a token of its own. Beyond what is remembered, a key is imported anew. */
export const keys: Dimension = {
  name: 'clients and keys',
  request: 'DPoP, known key',
  sizes: ({ large }) => (large ? [1, 100, REMEMBERED, 3 * REMEMBERED] : [1, 100, 1000]),
  async fill(world, size) {
    const { audience, issuer, jwksUri, path, method, uri } = world
    const guard = createGuard(audience, { issuer: { issuer, jwksUri }, revocation: 'off' })
    const { dpop } = verifierOf(guard, path)
    const clients = world.clients(size)
    const checkOf = (client: (typeof clients)[number]) => dpop(client.token, world.proof(client), method, uri)
    const before = (await memory()).rss
    for (const client of clients) await pass([checkOf(client)])
    const bytesEach = size === REMEMBERED ? { bytesEach: ((await memory()).rss - before) / size } : {}
    return {
      checks: (count) => Array.from({ length: count }, () => checkOf(pick(clients))),
      ...bytesEach,
      close: () => void guard.close(),
    }
  },
}

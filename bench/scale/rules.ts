import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGuard } from '@sharkguard/core'
import { verifierOf } from '../contenders/sharkguard.ts'
import { createKeyPair, now, type World } from '../world.ts'
import { type Dimension, memory, pass, pick } from './dimension.ts'

/** Revocation rules in force, from the issuer's signed list. */
export const rules: Dimension = {
  name: 'revocation rules',
  request: 'Bearer, known token',
  sizes: () => [0, 1000, 100_000],
  async fill(world, size) {
    const { audience, issuer, path } = world
    const guard = createGuard(audience, { issuer, dpop: 'when-bound', fetch: issuerWithRules(world, size) })
    const { bearer } = verifierOf(guard, path)
    const before = (await memory()).heap
    await guard.ready()
    const bytesEach = size > 1000 ? { bytesEach: ((await memory()).heap - before) / size } : {}
    const keys = createKeyPair('ES256')
    const tokens = Array.from({ length: 100 }, () => world.client({ cnf: undefined }, keys).token)
    await pass(tokens.map(bearer))
    return {
      checks: (count) => Array.from({ length: count }, () => bearer(pick(tokens))),
      ...bytesEach,
      close: () => void guard.close(),
    }
  },
}

/** Answers for the issuer: metadata, keys, the list, and empty news after the wait that is asked for. */
function issuerWithRules({ issuer, jwks, jwt }: World, size: number): typeof fetch {
  const list = (since: number, of: object[]) =>
    jwt('revocation-list+jwt', { iss: issuer, iat: now(), exp: now() + 60, seq: size, since, rules: of })
  const kinds = ['jti', 'gid', 'cid', 'sub', 'jkt']
  const revoked = Array.from({ length: size }, (_, i) => {
    return { k: kinds[i % kinds.length], v: randomUUID(), x: now() + 3600 }
  })
  const whole = list(0, revoked)
  const metadata = { issuer, jwks_uri: `${issuer}/jwks`, revocation_list_uri: `${issuer}/revocations` }
  return async (input) => {
    const { pathname, searchParams } = new URL(String(input))
    if (pathname === '/jwks') return Response.json(jwks)
    if (pathname !== '/revocations') return Response.json(metadata)
    const since = searchParams.get('since')
    if (since === null) return new Response(whole)
    await sleep(1000 * Number(searchParams.get('wait')), undefined, { ref: false })
    return new Response(list(Number(since), []))
  }
}

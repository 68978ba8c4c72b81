import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, createRemoteJWKSet, EmbeddedJWK, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { type Contender, settles } from '../contender.ts'
import type { Resource } from '../world.ts'

/** What a careful user writes with jose and an lru-cache in an afternoon. */
export const joseByHand: Contender = {
  name: 'jose by hand',
  setup(resource) {
    const verifier = createVerifier(resource)
    return {
      bearer: (token) => () => settles(verifier.verifyToken(token)),
      dpop: (token, proof, method, url) => () => settles(verifier.verifyProof(token, proof, method, url)),
    }
  },
}

function createVerifier({ issuer, audience, jwksUri }: Resource) {
  const keys = createRemoteJWKSet(new URL(jwksUri))
  const seen = new LRUCache<string, true>({ max: 1_000_000, ttl: 71_000 })

  async function verifyToken(token: string) {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      requiredClaims: ['exp', 'iat', 'sub', 'client_id'],
    })
    return payload
  }

  async function verifyProof(token: string, proof: string, method: string, url: string) {
    const claims = await verifyToken(token)
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      maxTokenAge: 60,
      clockTolerance: 10,
      algorithms: ['ES256', 'EdDSA'],
    })
    const ath = createHash('sha256').update(token).digest('base64url')
    if (payload.htm !== method || payload.htu !== url || payload.ath !== ath) throw new Error('proof')
    const jkt = await calculateJwkThumbprint(protectedHeader.jwk ?? {})
    if ((claims.cnf as { jkt?: unknown } | undefined)?.jkt !== jkt) throw new Error('binding')
    const key = `${jkt} ${payload.jti}`
    if (payload.jti === undefined || seen.has(key)) throw new Error('replayed')
    seen.set(key, true)
  }

  return { verifyToken, verifyProof }
}

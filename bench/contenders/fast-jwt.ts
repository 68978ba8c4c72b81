import { createPublicKey } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import type { Contender } from '../contender.ts'
import type { Jwk } from '../world.ts'

/** With its cache of verified tokens. Knows no DPoP. */
export const fastJwt: Contender = {
  name: 'fast-jwt, cached',
  setup({ issuer, audience, jwks, algorithm }) {
    const [jwk] = jwks.keys as [Jwk]
    const verify = createVerifier({
      key: createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }) as string,
      algorithms: [algorithm],
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['exp', 'iat', 'sub'],
      cache: 50_000,
    })
    return {
      bearer: (token) => () => {
        try {
          verify(token)
          return true
        } catch {
          return false
        }
      },
    }
  },
}

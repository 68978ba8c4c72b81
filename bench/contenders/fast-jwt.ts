import { createVerifier } from 'fast-jwt'
import type { Contender } from '../contender.ts'

/** With its cache of verified tokens. Knows no DPoP. */
export const fastJwt: Contender = {
  name: 'fast-jwt, cached',
  setup({ issuer, audience, issuerKey, algorithm }) {
    const verify = createVerifier({
      key: issuerKey.export({ type: 'spki', format: 'pem' }) as string,
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

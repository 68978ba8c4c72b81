import { JwtVerifier } from 'aws-jwt-verify'
import type { Contender } from '../contender.ts'

/** Synchronously, with the keys given to it: it fetches over https alone. Knows no DPoP. */
export const awsJwtVerify: Contender = {
  name: 'aws-jwt-verify',
  setup({ issuer, audience, jwks, jwksUri }) {
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri })
    verifier.cacheJwks(jwks as Parameters<typeof verifier.cacheJwks>[0])
    return {
      bearer: (token) => () => {
        try {
          verifier.verifySync(token)
          return true
        } catch {
          return false
        }
      },
    }
  },
}

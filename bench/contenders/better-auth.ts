import { createInMemoryDpopReplayStore, verifyAccessTokenRequest } from 'better-auth/oauth2'
import { type Contender, settles } from '../contender.ts'
import { received } from '../world.ts'

export const betterAuth: Contender = {
  name: 'better-auth',
  setup({ issuer, audience, jwksUri, uri, method }) {
    const options = {
      verifyOptions: { issuer, audience },
      jwksUrl: jwksUri,
      dpop: { replayStore: createInMemoryDpopReplayStore() },
    }
    const check = (input: Parameters<typeof verifyAccessTokenRequest>[0]) => () =>
      settles(verifyAccessTokenRequest(input, options))
    return {
      bearer: (token) => check({ authorizationHeader: received(`Bearer ${token}`), method, url: uri }),
      dpop: (token, dpopProofJwt, requested, url) =>
        check({ authorizationHeader: received(`DPoP ${token}`), dpopProofJwt, method: requested, url }),
    }
  },
}

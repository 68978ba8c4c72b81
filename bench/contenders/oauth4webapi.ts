import {
  allowInsecureRequests,
  type ExportedJWKSCache,
  jwksCache,
  validateJwtAccessToken,
} from 'oauth4webapi'
import { type Contender, settles } from '../contender.ts'

/** Keeps no replay state: a proof is good for ten minutes. */
export const oauth4webapi: Contender = {
  name: 'oauth4webapi',
  setup({ issuer, audience, jwksUri, uri, method }) {
    const server = { issuer, jwks_uri: jwksUri }
    const cache = {} as ExportedJWKSCache
    const options = { [allowInsecureRequests]: true, [jwksCache]: cache }
    const check = (request: Request) => () =>
      settles(validateJwtAccessToken(server, request, audience, options))
    return {
      bearer: (token) => check(new Request(uri, { method, headers: { authorization: `Bearer ${token}` } })),
      dpop: (token, dpop, requested, url) =>
        check(new Request(url, { method: requested, headers: { authorization: `DPoP ${token}`, dpop } })),
    }
  },
}

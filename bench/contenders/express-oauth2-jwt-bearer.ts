import type { NextFunction, Request, Response } from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import type { Contender } from '../contender.ts'
import { received } from '../world.ts'

/** Its verifier is not exported: called through the least of a request that its middleware reads. No replay state. */
export const expressOauth2JwtBearer: Contender = {
  name: 'express-oauth2-jwt-bearer',
  setup({ issuer, audience, jwksUri, uri, path, method, algorithm }) {
    const guard = auth({ issuer, audience, jwksUri, tokenSigningAlg: algorithm })
    const { host, protocol } = new URL(uri)

    const check = (requested: string, headers: Record<string, string>) => {
      const request = {
        method: requested,
        headers: { host, 'content-type': 'application/json', ...headers },
        protocol: protocol.slice(0, -1),
        originalUrl: path,
        query: {},
        get: (name: string) => (name === 'Host' ? host : undefined),
        is: () => false,
      } as unknown as Request
      return () =>
        new Promise<boolean>((resolve) => {
          const next: NextFunction = (error?: unknown) => resolve(error === undefined)
          void guard(request, {} as Response, next)
        })
    }

    return {
      bearer: (token) => check(method, { authorization: received(`Bearer ${token}`) }),
      dpop: (token, dpop, requested) => check(requested, { authorization: received(`DPoP ${token}`), dpop }),
    }
  },
}

import { createPublicKey } from 'node:crypto'
import { Key, OAuthVerifier } from '@atproto/oauth-provider/verifier'
import { jwtVerify } from 'jose'
import { type Contender, settles } from '../contender.ts'
import { type Jwk, received } from '../world.ts'

/** Made for the issuer's own keys; without its nonces, which the other contenders do not issue either. */
export const atproto: Contender = {
  name: 'atproto',
  setup({ issuer, audience, jwks, uri, method }) {
    const keyset = jwks.keys.map((jwk) => new PublicKey(jwk as ConstructorParameters<typeof Key>[0]))
    const verifier = new OAuthVerifier({ issuer, keyset, dpopSecret: false })
    const options: { audience: [string] } = { audience: [audience] }
    const check = (requested: string, url: URL, headers: Record<string, string>) => () =>
      settles(verifier.authenticateRequest(requested, url, headers, options))
    return {
      bearer: (token) => check(method, new URL(uri), { authorization: received(`Bearer ${token}`) }),
      dpop: (token, dpop, requested, url) =>
        check(requested, new URL(url), { authorization: received(`DPoP ${token}`), dpop }),
    }
  },
}

/** The package's own key wants Node 22. This one does less than it (imports once, checks no schema): to its advantage. */
class PublicKey extends Key {
  readonly imported = createPublicKey({ key: this.jwk as Jwk, format: 'jwk' })

  createJwt(): never {
    throw new TypeError('a public key signs nothing')
  }

  verifyJwt(token: string, options?: object): Promise<never> {
    return jwtVerify(token, this.imported, { ...options, algorithms: [...this.algorithms] }) as Promise<never>
  }
}

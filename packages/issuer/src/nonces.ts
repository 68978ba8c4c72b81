import { decodeJwt } from 'jose'
import { OAuthError } from './errors.ts'
import { sha256 } from './random.ts'
import { sharedSecret } from './shared-secret.ts'
import type { IssuerStore } from './store.ts'

const PERIOD = 60

/** DPoP nonces of the authorization server (RFC 9449 §8): kept nowhere, accepted for two periods by every instance. */
export interface Nonces {
  current(now: number): Promise<string>
  /** @throws OAuthError `use_dpop_nonce` unless the proof carries a current nonce */
  require(proof: string, now: number): Promise<void>
}

export function createNonces(store: IssuerStore): Nonces {
  let secret: string | undefined

  async function at(period: number): Promise<string> {
    secret ??= await sharedSecret(store, 'dpop-nonce')
    return sha256(`dpop-nonce ${secret} ${period}`)
  }

  return {
    current: (now) => at(Math.floor(now / PERIOD)),
    async require(proof, now) {
      const period = Math.floor(now / PERIOD)
      const nonce = nonceOf(proof)
      if (nonce === (await at(period)) || nonce === (await at(period - 1))) return
      throw new OAuthError('use_dpop_nonce', 'Use the nonce of this answer in the DPoP proof')
    },
  }
}

function nonceOf(proof: string): unknown {
  try {
    return decodeJwt(proof).nonce
  } catch {
    return undefined
  }
}

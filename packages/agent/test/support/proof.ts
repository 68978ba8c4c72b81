import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose'
import type { Exchange } from './http.ts'

export interface Proof {
  jkt: string
  jti: string
  nonce: string | undefined
  iat: number
}

/** RFC 9449 §4.3, as far as it takes to notice a wrong proof; undefined for one. */
export async function verifyProof(
  { method, url, headers }: Exchange,
  accessToken?: string,
): Promise<Proof | undefined> {
  const dpop = headers.get('dpop') ?? ''
  try {
    const { payload, protectedHeader } = await jwtVerify(dpop, EmbeddedJWK, { typ: 'dpop+jwt' })
    const { jti, htm, htu, ath, nonce, iat } = payload
    const expected = accessToken && createHash('sha256').update(accessToken).digest('base64url')
    const right = htm === method && htu === url.origin + url.pathname && ath === expected
    if (!right || jti === undefined || iat === undefined || protectedHeader.jwk === undefined)
      return undefined
    return {
      jkt: await calculateJwkThumbprint(protectedHeader.jwk),
      jti,
      iat,
      nonce: nonce as string | undefined,
    }
  } catch {
    return undefined
  }
}

import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { sha256 } from './random.ts'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly publicJwk: JWK
  readonly privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey']
  /** The second from which the key is published no more; absent: it signs. */
  readonly retiresAt?: number
}

/** The issuer's keys: one signs; those before it stay published until the last token they signed has expired. */
export class SigningKeys {
  #keys: SigningKey[] = []
  readonly #ready: Promise<void>
  readonly #alg: string

  constructor(alg = 'ES256') {
    this.#alg = alg
    this.#ready = this.#add()
  }

  async sign(claims: JWTPayload, header: Partial<JWTHeaderParameters> & { typ: string }): Promise<string> {
    const { privateKey, alg, kid } = await this.current()
    return new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
  }

  async current(): Promise<SigningKey> {
    await this.#ready
    return this.#keys.at(-1) as SigningKey
  }

  /** A new key signs from now on; the old one is published until `retiresAt`, 0 withdraws it at once. */
  async rotate(now: number, overlap: number): Promise<{ previous: string; kid: string; algorithm: string }> {
    const previous = await this.current()
    await this.#add()
    const retiresAt = now + overlap
    this.#keys = this.#keys.map((key) => (key.kid === previous.kid ? { ...key, retiresAt } : key))
    const { kid, alg } = await this.current()
    return { previous: previous.kid, kid, algorithm: alg }
  }

  /** RFC 7517 JWK set: public members only. */
  async published(now: number): Promise<{ keys: readonly JWK[] }> {
    await this.#ready
    this.#keys = this.#keys.filter(({ retiresAt }) => retiresAt === undefined || retiresAt > now)
    return { keys: this.#keys.map(({ publicJwk }) => publicJwk) }
  }

  async #add(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(this.#alg, { extractable: true })
    const jwk = await exportJWK(publicKey)
    const kid = (await sha256(JSON.stringify(jwk))).slice(0, 16)
    this.#keys.push({
      kid,
      alg: this.#alg,
      privateKey,
      publicJwk: { ...jwk, kid, alg: this.#alg, use: 'sig' },
    })
  }
}

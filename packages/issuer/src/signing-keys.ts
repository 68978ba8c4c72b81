import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose'
import type { Settings } from './options.ts'
import type { StoredKey } from './records.ts'

export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const

/** Algorithms that the issuer can sign with. */
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number]

/** Seconds that the key set may be cached (`Cache-Control`). */
export const KEYS_MAX_AGE = 300
/** A key that follows on schedule is published this long before it signs: verifiers' caches then have it. */
const ANNOUNCED = 2 * KEYS_MAX_AGE

type PrivateKey = Awaited<ReturnType<typeof importJWK>>

/**
 * The issuer's keys, kept in the store, one line of them for each algorithm: the newest whose time has come signs, those
 * before it stay published until the last token they signed has expired. Instances that share a store agree on them,
 * because the number of a key can be given once.
 */
export class SigningKeys {
  readonly #settings: Settings
  readonly #imported = new Map<string, PrivateKey>()
  #verifier: { readonly kids: string; readonly keys: ReturnType<typeof createLocalJWKSet> } | undefined

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** @param algorithm default: the first of the issuer's */
  async sign(
    claims: JWTPayload,
    header: Partial<JWTHeaderParameters> & { typ: string },
    algorithm = this.#settings.algorithms[0] as string,
  ): Promise<string> {
    const { kid, alg, privateJwk } = this.#signing(await this.#line(algorithm))
    let key = this.#imported.get(kid)
    if (key === undefined) {
      key = await importJWK(privateJwk as JWK, alg)
      if (this.#imported.size >= 100) this.#imported.clear()
      this.#imported.set(kid, key)
    }
    return new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(key)
  }

  /** The claims of a JWT of this issuer's own, if its signature, type and time are right. */
  async verify(jwt: string, typ: string): Promise<JWTPayload | undefined> {
    const { keys } = await this.published()
    const kids = keys.map(({ kid }) => kid).join(' ')
    if (this.#verifier?.kids !== kids) this.#verifier = { kids, keys: createLocalJWKSet({ keys: [...keys] }) }
    const { issuer, clock } = this.#settings
    try {
      const options = {
        typ,
        issuer,
        algorithms: [...SIGNING_ALGORITHMS],
        currentDate: new Date(clock() * 1000),
      }
      return (await jwtVerify(jwt, this.#verifier.keys, options)).payload
    } catch {
      return undefined
    }
  }

  /** RFC 7517 JWK set: public members only. */
  async published(): Promise<{ keys: readonly JWK[] }> {
    const lines = await Promise.all(this.#settings.algorithms.map((algorithm) => this.#line(algorithm)))
    return { keys: lines.flat().map(({ publicJwk }) => publicJwk as JWK) }
  }

  /**
   * A new key of each algorithm signs from now on; those before it are published for `overlap` more seconds at most; 0
   * withdraws them.
   * @returns the new key of the first algorithm, the one before it, and all that there were of all algorithms
   */
  async rotate(
    overlap: number,
  ): Promise<{ previous: string; kid: string; algorithm: string; all: readonly string[] }> {
    const { algorithms, clock } = this.#settings
    const rotated = await Promise.all(
      algorithms.map(async (algorithm) => {
        const line = await this.#line(algorithm)
        const [newest] = await this.#append(algorithm, line, clock(), overlap)
        const all = line.map(({ kid }) => kid)
        return { previous: this.#signing(line).kid, kid: (newest as StoredKey).kid, algorithm, all }
      }),
    )
    return { ...(rotated[0] as (typeof rotated)[number]), all: rotated.flatMap(({ all }) => all) }
  }

  /** The keys of an algorithm that are published, newest first; at least one. */
  async #line(algorithm: string): Promise<readonly StoredKey[]> {
    const { store, clock, keyLifetime } = this.#settings
    const now = clock()
    const { data } = await store.list('key', { index: algorithm, limit: 1000 })
    const line = data.filter((_, i) =>
      data.slice(0, i).every(({ signsFrom, overlap }) => now < signsFrom + overlap),
    )
    for (const key of data) if (!line.includes(key)) await store.take('key', idOf(key))
    const [newest] = line
    if (newest === undefined) return this.#append(algorithm, [], now, 0)
    const due = newest.signsFrom + keyLifetime
    if (now < due - ANNOUNCED) return line
    return this.#append(algorithm, line, Math.max(due, now + ANNOUNCED))
  }

  #signing(line: readonly StoredKey[]): StoredKey {
    const now = this.#settings.clock()
    return (line.find(({ signsFrom }) => signsFrom <= now) ?? line.at(-1)) as StoredKey
  }

  /** The line with one more key; another instance's, where that was faster. */
  async #append(
    algorithm: string,
    line: readonly StoredKey[],
    signsFrom: number,
    overlap = this.#settings.tokenLifetime + 60,
  ): Promise<readonly StoredKey[]> {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
    const publicJwk = await exportJWK(publicKey)
    const kid = (await calculateJwkThumbprint(publicJwk)).slice(0, 16)
    const key: StoredKey = {
      kid,
      alg: algorithm,
      number: (line[0]?.number ?? 0) + 1,
      publicJwk: { ...publicJwk, kid, alg: algorithm, use: 'sig' },
      privateJwk: { ...(await exportJWK(privateKey)) },
      signsFrom,
      overlap,
    }
    if (await this.#settings.store.add('key', idOf(key), key, { indexes: [algorithm] })) {
      return overlap > 0 ? [key, ...line] : [key]
    }
    return this.#line(algorithm)
  }
}

const idOf = ({ alg, number }: StoredKey) => `${alg}:${number}`

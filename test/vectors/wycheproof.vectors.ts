import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../packages/core/src/json.ts'
import { type Outcome, RUNTIMES, verifyJws } from './verify-jws.ts'

/** A checkout of https://github.com/C2SP/wycheproof; see README.md beside this file. */
const FOLDER = `${process.env.WYCHEPROOF}/testvectors_v1`

interface Group {
  readonly comment: string
  readonly public?: JsonObject
  readonly private?: JsonObject
  readonly publicKey?: { readonly wx: string; readonly wy: string }
  readonly publicKeyJwk?: JsonObject
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly jws: unknown
    readonly msg: string
    readonly sig: string
    readonly result: 'valid' | 'invalid'
  }[]
}
const read = (name: string) =>
  (JSON.parse(readFileSync(`${FOLDER}/${name}_test.json`, 'utf8')) as { testGroups: Group[] }).testGroups

/** Vectors that we decide otherwise than Wycheproof, each kind with the reason why ours is right. */
const OTHERWISE: readonly { which: RegExp; outcome: Outcome; why: string }[] = [
  {
    which: /^(hs256|HS\d+|jws_keyset|jws_aes|jws_keyset_aes|base64) (acceptsValid|long_key|Valid\w*)$/,
    outcome: 'algorithm',
    why: 'a symmetric key would let each resource sign tokens for the others: no HS* here',
  },
  { which: /^rfc7520\w* Figure35$/, outcome: 'algorithm', why: 'HS256 again' },
  { which: / emptyPayload$/, outcome: 'format', why: 'an empty payload is no JWT' },
  {
    which: /^rfc7520\w* Figure20$/,
    outcome: 'no key',
    why: 'the JWK says PS256 and the JWS PS384: each key is used with its own algorithm (RFC 8725 §3.1)',
  },
  { which: /^rfc7520\w* Figure27$/, outcome: 'no key', why: 'the JWK says ES521, which is no algorithm' },
  {
    which: /^base64 InvalidCharacterInserted/,
    outcome: 'format',
    why: 'a decoder that leaves characters out gives one token many names (RFC 7515 §2)',
  },
  {
    which: /^jws_rsa_roca_key /,
    outcome: 'valid',
    why: 'how a key was generated is its owner’s affair: the issuer is trusted for its keys, an agent harms itself alone',
  },
]

describe.each(RUNTIMES)('Wycheproof, in the %s runtime', (_, runtime) => {
  it.each(['json_web_signature', 'json_web_key', 'json_web_crypto'])('%s', async (name) => {
    const unexpected: string[] = []
    let decided = 0
    for (const { comment: group, tests, ...published } of read(name)) {
      const set = published.public ?? published.private ?? {}
      const keys = Array.isArray(set.keys) ? set.keys : [set]
      for (const { tcId, comment, jws, result } of tests) {
        if (jws === undefined) continue
        // The JSON serialization is an object where a token is a text.
        const text = typeof jws === 'string' ? jws : JSON.stringify(jws)
        const outcome = await verifyJws(runtime, text, keys)
        decided++
        if ((outcome === 'valid') === (result === 'valid')) continue
        const title = `${group} ${comment}`
        const listed = OTHERWISE.some(({ which, outcome: ours }) => ours === outcome && which.test(title))
        if (!listed) unexpected.push(`${tcId} ${title}: ${result}, ours ${outcome}`)
      }
    }
    expect(unexpected).toEqual([])
    expect(decided).toBeGreaterThan(20)
  })

  it.each([
    ['ecdsa_secp256r1_sha256_p1363', 'ES256', 'P-256', 32],
    ['ecdsa_secp384r1_sha384_p1363', 'ES384', 'P-384', 48],
    ['ecdsa_secp521r1_sha512_p1363', 'ES512', 'P-521', 66],
    ['ed25519', 'EdDSA', 'Ed25519', 32],
  ] as const)('%s', async (name, algorithm, crv, size) => {
    const unexpected: string[] = []
    let decided = 0
    for (const { publicKey, publicKeyJwk, tests } of read(name)) {
      const coordinate = (hex: string) =>
        Buffer.from(
          BigInt(`0x${hex}`)
            .toString(16)
            .padStart(size * 2, '0'),
          'hex',
        ).toString('base64url')
      const jwk = publicKeyJwk ?? {
        kty: 'EC',
        crv,
        x: coordinate(publicKey?.wx as string),
        y: coordinate(publicKey?.wy as string),
      }
      const key = await runtime.importKey(jwk as object, algorithm)
      for (const { tcId, comment, msg, sig, result } of tests) {
        const text = Buffer.from(msg, 'hex').toString('latin1')
        // What a JWS signs is ASCII.
        if (!/^[\0-\x7f]*$/.test(text)) continue
        decided++
        const valid = await runtime.verifySignature(algorithm, key, text, Buffer.from(sig, 'hex'))
        if (valid !== (result === 'valid')) unexpected.push(`${tcId} ${comment}: ${result}`)
      }
    }
    expect(unexpected).toEqual([])
    expect(decided).toBeGreaterThan(80)
  })
})

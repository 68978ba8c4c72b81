import { beforeEach, describe, expect, it } from 'vitest'
import {
  base64url,
  generateKeyPair,
  type KeyPair,
  sha256,
  sign,
  signature,
  signText,
} from '../../../test/support/exchange.ts'
import type { AccessToken } from '../src/access-token.ts'
import { SIGNATURE_ALGORITHMS } from '../src/algorithms.ts'
import { createNonces } from '../src/dpop/nonce.ts'
import { createProofVerifier } from '../src/dpop/proof.ts'
import { Refusal } from '../src/refusal.ts'

const NOW = 1_800_000_000
const URI = 'https://mcp.example.com/mcp'
const TOKEN = 'h.p.s'
const KEY = generateKeyPair()

let verifier: ReturnType<typeof verifierOf>
beforeEach(() => {
  verifier = verifierOf()
})

function verifierOf(
  proofAlgorithms = SIGNATURE_ALGORITHMS as readonly (typeof SIGNATURE_ALGORITHMS)[number][],
  audience = URI,
) {
  return createProofVerifier({
    audience,
    proofAlgorithms,
    proofMaxAge: 60,
    clockTolerance: 10,
    nonces: createNonces(URI, {}),
    nonceNeededUntil: Number.NEGATIVE_INFINITY,
  })
}

const target = (key = KEY, method = 'POST') => ({
  method,
  uri: URI,
  token: { hash: sha256(TOKEN), jkt: key.jkt } as AccessToken,
})
const header = (key = KEY, changes: object = {}) => ({
  alg: key.alg,
  typ: 'dpop+jwt',
  jwk: key.publicJwk,
  ...changes,
})
const claims = (changes: object = {}) => ({
  jti: 'j',
  htm: 'POST',
  htu: URI,
  iat: NOW,
  ath: sha256(TOKEN),
  ...changes,
})
const proof = (claimChanges: object = {}, headerChanges: object = {}, key = KEY) =>
  sign(header(key, headerChanges), claims(claimChanges), key)

async function reasonOf(text: string, at: ReturnType<typeof target> = target()): Promise<string> {
  try {
    await verifier.verify(text, at, NOW)
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    return (error as Refusal).reason
  }
}

describe('a valid proof [SEP-D1]', () => {
  it.each(SIGNATURE_ALGORITHMS)('may be signed by %s', async (alg) => {
    const key = generateKeyPair(alg)
    expect(await reasonOf(proof({}, {}, key), target(key))).toBe('accepted')
  })

  it('says what replay protection needs', async () => {
    expect(await verifier.verify(proof({ iat: NOW - 0.5 }), target(), NOW)).toEqual({
      jkt: KEY.jkt,
      replayKey: sha256(`${URI} ${KEY.jkt} j`),
      issuedAt: NOW - 0.5,
      hasNonce: false,
    })
    expect(await verifier.verify(proof({ nonce: 'x' }), target(), NOW)).toMatchObject({ hasNonce: true })
  })

  it('may have members and claims that nobody asked for', async () => {
    const extra = { kid: 'k', jku: 'https://evil.example', x5c: ['x'], cty: 'json' }
    expect(await reasonOf(proof({ tx_id: 'x', exp: NOW + 60, nbf: NOW, iss: 5 }, extra))).toBe('accepted')
    const jwk = { ...KEY.publicJwk, kid: 'k', use: 'sig', x5u: 'https://evil.example' }
    expect(await reasonOf(proof({}, { jwk }))).toBe('accepted')
  })
})

describe('claims', () => {
  it.each([
    [{ htm: undefined }, 'proof_malformed', '3'],
    [{ htm: null }, 'proof_malformed', '3'],
    [{ htm: ['POST'] }, 'proof_malformed', '3'],
    [{ htm: '' }, 'proof_method_mismatch', '8'],
    [{ htm: 'post' }, 'proof_method_mismatch', '8'],
    [{ htm: 'GET' }, 'proof_method_mismatch', '8'],
    [{ htm: 'POST ' }, 'proof_method_mismatch', '8'],
    [{ htm: 'POST,GET' }, 'proof_method_mismatch', '8'],
    [{ htu: undefined }, 'proof_malformed', '3'],
    [{ htu: 5 }, 'proof_malformed', '3'],
    [{ htu: [URI] }, 'proof_malformed', '3'],
    [{ htu: { href: URI } }, 'proof_malformed', '3'],
    [{ htu: '' }, 'proof_target_mismatch', '9'],
    [{ htu: `${URI}/` }, 'proof_target_mismatch', '9'],
    [{ htu: `${URI}?q` }, 'accepted', '9'],
    [{ jti: undefined }, 'proof_malformed', '3'],
    [{ jti: '' }, 'proof_malformed', '3'],
    [{ jti: 5 }, 'proof_malformed', '3'],
    [{ jti: null }, 'proof_malformed', '3'],
    [{ jti: ['j'] }, 'proof_malformed', '3'],
    [{ jti: 'j'.repeat(256) }, 'accepted', '3'],
    [{ jti: 'j'.repeat(257) }, 'proof_malformed', '3'],
    [{ jti: '\u0000\n💥 "' }, 'accepted', '3'],
    [{ iat: undefined }, 'proof_malformed', '3'],
    [{ iat: null }, 'proof_malformed', '3'],
    [{ iat: String(NOW) }, 'proof_malformed', '3'],
    [{ iat: [NOW] }, 'proof_malformed', '3'],
    [{ iat: -1 }, 'proof_malformed', '3'],
    [{ iat: NOW * 1000 }, 'proof_not_yet_valid', '11'],
    [{ iat: NOW + 10 }, 'accepted', '11'],
    [{ iat: NOW + 10.1 }, 'proof_not_yet_valid', '11'],
    [{ iat: NOW + 11 }, 'proof_not_yet_valid', '11'],
    [{ iat: NOW - 10 }, 'accepted', '11'],
    [{ iat: NOW - 60 }, 'accepted', '11'],
    [{ iat: NOW - 60.1 }, 'proof_expired', '11'],
    [{ iat: NOW - 61 }, 'proof_expired', '11'],
    [{ iat: 0 }, 'proof_expired', '11'],
    [{ exp: NOW - 11 }, 'proof_expired', '11'],
    [{ exp: 'soon' }, 'proof_expired', '11'],
    [{ exp: null }, 'proof_expired', '11'],
    [{ nbf: NOW + 11 }, 'proof_not_yet_valid', '11'],
    [{ nbf: 'now' }, 'proof_not_yet_valid', '11'],
    [{ ath: undefined }, 'proof_token_mismatch', '12a'],
    [{ ath: '' }, 'proof_token_mismatch', '12a'],
    [{ ath: null }, 'proof_token_mismatch', '12a'],
    [{ ath: [sha256(TOKEN)] }, 'proof_token_mismatch', '12a'],
    [{ ath: `${sha256(TOKEN)}=` }, 'proof_token_mismatch', '12a'],
    [{ ath: sha256(`${TOKEN}=`) }, 'proof_token_mismatch', '12a'],
    [{ ath: sha256('another') }, 'proof_token_mismatch', '12a'],
    [{ ath: sha256(Buffer.from(TOKEN, 'base64url').toString('latin1')) }, 'proof_token_mismatch', '12a'],
  ])(
    '%j: %s [9449-4.3-3] [9449-4.3-8] [9449-4.3-11] [9449-4.3-12a] (check %s)',
    async (changes, reason, _check) => {
      expect(await reasonOf(proof())).toBe('accepted')
      expect(await reasonOf(proof(changes))).toBe(reason)
    },
  )

  it.each(['1e999', '-1e999', '1e400'])('iat %s is no time', async (iat) => {
    const text = JSON.stringify(claims({ iat: 'HERE' })).replace('"HERE"', iat)
    expect(await reasonOf(signText(JSON.stringify(header()), text, KEY))).toBe('proof_malformed')
  })

  it('is the method that came, not one like it: HEAD is not GET [9449-4.3-8]', async () => {
    expect(await reasonOf(proof({ htm: 'GET' }), target(KEY, 'GET'))).toBe('accepted')
    expect(await reasonOf(proof({ htm: 'GET' }), target(KEY, 'HEAD'))).toBe('proof_method_mismatch')
    expect(await reasonOf(proof({ htm: 'DELETE' }), target(KEY, 'POST'))).toBe('proof_method_mismatch')
  })
})

describe('header', () => {
  it.each([
    [{ typ: undefined }, 'proof_type_unsupported'],
    [{ typ: 'JWT' }, 'proof_type_unsupported'],
    [{ typ: 'at+jwt' }, 'proof_type_unsupported'],
    [{ typ: 'dpop' }, 'proof_type_unsupported'],
    [{ typ: 'dpop+jwt ' }, 'proof_type_unsupported'],
    [{ typ: ['dpop+jwt'] }, 'proof_type_unsupported'],
    [{ typ: 'DPOP+JWT' }, 'accepted'],
    [{ typ: 'application/dpop+jwt' }, 'accepted'],
    [{ alg: undefined }, 'proof_algorithm_unsupported'],
    [{ alg: 'none' }, 'proof_algorithm_unsupported'],
    [{ alg: 'NONE' }, 'proof_algorithm_unsupported'],
    [{ alg: '' }, 'proof_algorithm_unsupported'],
    [{ alg: 'HS256' }, 'proof_algorithm_unsupported'],
    [{ alg: 'ES256K' }, 'proof_algorithm_unsupported'],
    [{ alg: 'es256' }, 'proof_algorithm_unsupported'],
    [{ alg: ['ES256'] }, 'proof_algorithm_unsupported'],
    [{ alg: 'ES384' }, 'proof_key_invalid'],
    [{ alg: 'EdDSA' }, 'proof_key_invalid'],
    [{ alg: 'RS256' }, 'proof_key_invalid'],
    [{ jwk: undefined }, 'proof_key_invalid'],
    [{ jwk: undefined, kid: 'k', jku: 'https://evil.example', x5c: ['x'] }, 'proof_key_invalid'],
    [{ jwk: null }, 'proof_key_invalid'],
    [{ jwk: [KEY.publicJwk] }, 'proof_key_invalid'],
    [{ jwk: JSON.stringify(KEY.publicJwk) }, 'proof_key_invalid'],
    [{ jwk: { kty: 'oct', k: 'AAAA' } }, 'proof_key_invalid'],
    [{ jwk: { ...KEY.publicJwk, d: '' } }, 'proof_key_invalid'],
    [{ jwk: { ...KEY.publicJwk, p: 'AQAB' } }, 'proof_key_invalid'],
    [{ jwk: { ...KEY.publicJwk, x: `${KEY.publicJwk.x}=` } }, 'proof_key_invalid'],
    [{ crit: ['b64'], b64: true }, 'proof_malformed'],
    [{ b64: false }, 'proof_malformed'],
    [{ zip: 'DEF' }, 'proof_malformed'],
    [{ cty: 'JWT' }, 'proof_malformed'],
  ])('%j: %s [9449-4.3-4] [9449-4.3-5] [9449-4.3-7] [9449-11.5-typ]', async (changes, reason) => {
    expect(await reasonOf(proof({}, changes))).toBe(reason)
  })

  it('a key of no curve is a bad key, not an error of ours', async () => {
    const { x } = KEY.publicJwk
    const jwk = { ...KEY.publicJwk, y: x }
    const at = target({ ...KEY, jkt: sha256(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${x}"}`) } as KeyPair)
    expect(await reasonOf(proof({}, { jwk }), at)).toBe('proof_key_invalid')
  })

  it('algorithms that were not configured are not supported', async () => {
    verifier = verifierOf(['EdDSA'])
    expect(await reasonOf(proof())).toBe('proof_algorithm_unsupported')
  })
})

describe('key and signature', () => {
  it('another key than the token’s is refused, though it signed well [9449-4.3-12b]', async () => {
    const other = generateKeyPair()
    expect(await reasonOf(proof({}, {}, other))).toBe('proof_key_mismatch')
    expect(await reasonOf(proof({}, {}, other), target(other))).toBe('accepted')
  })

  it('a signature of another key, text or algorithm is refused [9449-4.3-6]', async () => {
    const good = proof()
    const [h, p] = good.split('.') as [string, string, string]
    const other = generateKeyPair()
    expect(await reasonOf(proof({}, { jwk: KEY.publicJwk }, other))).toBe('proof_signature_invalid')
    expect(await reasonOf(`${h}.${p}.${signature(`${h}.x`, KEY)}`)).toBe('proof_signature_invalid')
    expect(await reasonOf(`${h}.${p}.${base64url(Buffer.alloc(64))}`)).toBe('proof_signature_invalid')
    expect(await reasonOf(`${h}.${p}.AAAA`)).toBe('proof_signature_invalid')
    expect(await reasonOf(`${h}.${p}.`)).toBe('proof_malformed')
  })

  it('what is remembered of a header still has everything else checked', async () => {
    expect(await reasonOf(proof())).toBe('accepted')
    const [h] = proof().split('.') as [string]
    const forged = `${h}.${base64url(JSON.stringify(claims({ jti: 'k' })))}`
    expect(await reasonOf(`${forged}.${base64url(Buffer.alloc(64, 1))}`)).toBe('proof_signature_invalid')
    expect(await reasonOf(proof(), target(generateKeyPair()))).toBe('proof_key_mismatch')
    expect(await reasonOf(proof({ htm: 'GET' }))).toBe('proof_method_mismatch')
    expect(await reasonOf(proof({ ath: 'x' }))).toBe('proof_token_mismatch')
  })

  it.each(['[]', 'null', '"x"', '5', '{"jti":"a","jti":"b"}'])(
    'a payload that is %s is malformed [9449-4.3-2]',
    async (payload) => {
      expect(await reasonOf(signText(JSON.stringify(header()), payload, KEY))).toBe('proof_malformed')
    },
  )

  it('a claim or member that comes twice makes a proof malformed [9449-4.3-2]', async () => {
    const twice = (text: string, name: string) => text.replace('{', `{"${name}":"x",`)
    const [h, c] = [JSON.stringify(header()), JSON.stringify(claims())]
    for (const name of ['jti', 'htm', 'htu', 'iat', 'ath']) {
      expect(await reasonOf(signText(h, twice(c, name), KEY))).toBe('proof_malformed')
    }
    for (const name of ['alg', 'typ', 'jwk']) {
      expect(await reasonOf(signText(twice(h, name), c, KEY))).toBe('proof_malformed')
    }
    expect(await reasonOf(signText(h.replace('"x":', '"x":"AAAA","x":'), c, KEY))).toBe('proof_malformed')
  })

  it('more than 8 KB is malformed [9449-11.1-size]', async () => {
    expect(await reasonOf(proof({ x: 'x'.repeat(5500) }))).toBe('accepted')
    expect(await reasonOf(proof({ x: 'x'.repeat(6200) }))).toBe('proof_malformed')
  })
})

describe('replayKey', () => {
  const of = async (changes: object = {}, key = KEY, audience = URI) =>
    (await verifierOf(undefined, audience).verify(proof(changes, {}, key), target(key), NOW)).replayKey

  it('is as long for any jti, and the same for the same proof only [9449-11.1-size]', async () => {
    const keys = await Promise.all([
      of(),
      of({ jti: 'k' }),
      of({ jti: 'j ' }),
      of({ jti: `${KEY.jkt} j` }),
      of({ jti: 'j'.repeat(256) }),
      of({}, generateKeyPair()),
      of({}, KEY, 'https://other.example'),
    ])
    expect(new Set(keys).size).toBe(keys.length)
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/)
    expect(await of({ iat: NOW + 9 })).toBe(keys[0])
  })
})

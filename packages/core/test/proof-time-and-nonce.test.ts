import { describe, expect, it } from 'vitest'
import { generateKeyPair, sha256, sign } from '../../../test/support/exchange.ts'
import type { AccessToken } from '../src/access-token.ts'
import { createNonces } from '../src/dpop/nonce.ts'
import { createProofVerifier } from '../src/dpop/proof.ts'

const NOW = 1_800_000_000
const URI = 'https://mcp.example.com/mcp'
const KEY = generateKeyPair()
const nonces = createNonces(URI, {})
const target = { method: 'POST', uri: URI, token: { hash: sha256('t'), jkt: KEY.jkt } as AccessToken }

async function judge(claims: object, nonceNeededUntil = Number.NEGATIVE_INFINITY): Promise<string> {
  const policy = { audience: URI, proofAlgorithms: ['ES256'] as const, proofMaxAge: 60, clockTolerance: 10 }
  const { verify } = createProofVerifier({ ...policy, nonces, nonceNeededUntil })
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: KEY.publicJwk }
  const usual = { jti: 'j', htm: 'POST', htu: URI, iat: NOW, ath: sha256('t') }
  return verify(sign(header, { ...usual, ...claims }, KEY), target, NOW).then(
    () => 'accepted',
    ({ reason, detail }) => (detail === undefined ? reason : `${reason}: ${detail}`),
  )
}

describe('the time of a proof, to the second', () => {
  it.each([
    [{ exp: NOW - 9 }, 'accepted'],
    [{ exp: NOW - 10 }, 'proof_expired: exp'],
    [{ nbf: NOW + 10 }, 'accepted'],
    [{ nbf: NOW + 11 }, 'proof_not_yet_valid: nbf'],
    [{ iat: NOW + 10 }, 'accepted'],
    [{ iat: NOW + 11 }, `proof_not_yet_valid: iat ${NOW + 11}, now ${NOW}`],
    [{ iat: NOW - 60 }, 'accepted'],
    [{ iat: NOW - 61 }, `proof_expired: iat ${NOW - 61}, now ${NOW}`],
  ])('%j is %s', async (claims, expected) => {
    expect(await judge(claims)).toBe(expected)
  })
})

describe('a nonce', () => {
  const NONE = 'proof_nonce_required: no nonce'
  const WRONG = 'proof_nonce_required: the nonce is none of this guard and time'

  it('is needed by proofs dated up to a second, and by no later one', async () => {
    expect(await judge({}, NOW - 1)).toBe('accepted')
    expect(await judge({}, NOW)).toBe(NONE)
    expect(await judge({ nonce: await nonces.current(NOW) }, NOW)).toBe('accepted')
    expect(await judge({ nonce: 'wrong, and not looked at' }, NOW - 1)).toBe('accepted')
  })

  it.each(['', 'x', 1, null, ['x'], {}, true])('%j is none', async (nonce) => {
    expect(await judge({ nonce }, NOW)).toBe(WRONG)
  })

  it('is not accepted inside of an array, however right', async () => {
    expect(await judge({ nonce: [await nonces.current(NOW)] }, NOW)).toBe(WRONG)
  })
})

it('what a refusal is about, for onDecision', async () => {
  expect(await judge({ htm: 'GET' })).toBe('proof_method_mismatch: htm GET, method POST')
  expect(await judge({ htu: `${URI}/x` })).toBe(`proof_target_mismatch: htu ${URI}/x, expected ${URI}`)
  expect(await judge({ jti: '' })).toBe('proof_malformed: jti, htm, htu and iat are required')
})

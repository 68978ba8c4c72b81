import { beforeEach, describe, expect, it } from 'vitest'
import { generateKeyPair, sha256, sign, signText } from '../../../test/support/exchange.ts'
import { createAccessTokenVerifier, verifyIssuerJwt } from '../src/access-token.ts'
import { SIGNATURE_ALGORITHMS } from '../src/algorithms.ts'
import type { Profile } from '../src/profile.ts'
import { Refusal } from '../src/refusal.ts'
import { FakeIssuer, ISSUER } from './support/fake-issuer.ts'

const AUDIENCE = 'https://mcp.example.com/mcp'
const KEY = generateKeyPair('ES256', 'a')
/** A constant, since it stands in titles: Stryker finds tests again by these. */
const jkt = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'

let issuer: FakeIssuer
let verifier: ReturnType<typeof verifierOf>

beforeEach(() => {
  issuer = new FakeIssuer(KEY)
  verifier = verifierOf('default')
})

function verifierOf(profile: Profile, audiences: readonly string[] = [AUDIENCE]) {
  const trusted = { issuer: ISSUER, algorithms: SIGNATURE_ALGORITHMS, profile, keys: issuer.keys() }
  return createAccessTokenVerifier([trusted], { audiences, clockTolerance: 10 })
}

const claims = (changes: object = {}) => ({
  iss: ISSUER,
  sub: 'user-1',
  aud: AUDIENCE,
  client_id: 'agent-1',
  exp: issuer.now + 300,
  iat: issuer.now,
  jti: 'j-1',
  cnf: { jkt },
  ...changes,
})
const header = (changes: object = {}) => ({ alg: 'ES256', typ: 'at+jwt', kid: 'a', ...changes })
const token = (claimChanges: object = {}, headerChanges: object = {}, key = KEY) =>
  sign(header(headerChanges), claims(claimChanges), key)

const verify = (text: string) => verifier.verify(text, Math.floor(issuer.now))

async function reasonOf(text: string): Promise<string> {
  try {
    await verify(text)
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    return (error as Refusal).reason
  }
}

describe('a valid token', () => {
  it('says who, for whom, until when and by which key', async () => {
    const text = token({ scope: 'a b', gid: 'g', nbf: issuer.now - 1, act: { sub: 'x' } })
    expect(await verify(text)).toMatchObject({
      issuer: ISSUER,
      subject: 'user-1',
      clientId: 'agent-1',
      audience: [AUDIENCE],
      issuedAt: issuer.now,
      expiresAt: issuer.now + 300,
      notBefore: issuer.now - 1,
      id: 'j-1',
      grant: 'g',
      scopes: ['a', 'b'],
      jkt,
      actors: [{ sub: 'x' }],
      keyId: 'a',
      hash: sha256(text),
    })
  })

  it.each(SIGNATURE_ALGORITHMS)('may be signed by %s [9068-4-signature] [9068-2.1-rs256]', async (alg) => {
    const key = generateKeyPair(alg, 'k')
    issuer.publish([key])
    expect(await reasonOf(token({}, { alg, kid: 'k' }, key))).toBe('accepted')
  })

  it('may say more than anybody here understands [7519-4-unknown]', async () => {
    const more = { 'https://example.com/x': [1], jwks: {}, roles: 'all', toString: 'x' }
    expect((await verify(token(more))).claims).toMatchObject(more)
  })

  it('names its client by client_id, else azp, else the subject', async () => {
    expect((await verify(token({ azp: 'b' }))).clientId).toBe('agent-1')
    expect((await verify(token({ client_id: undefined, azp: 'b' }))).clientId).toBe('b')
    expect((await verify(token({ client_id: undefined }))).clientId).toBe('user-1')
  })

  it('has claims that nobody can change for the next request', async () => {
    const { claims, actors, scopes } = await verify(token({ act: { sub: 'x' }, deep: { list: [{ a: 1 }] } }))
    expect(Object.isFrozen(claims)).toBe(true)
    expect(Object.isFrozen((claims.deep as { list: object[] }).list[0])).toBe(true)
    expect(Object.isFrozen(actors[0]?.claims)).toBe(true)
    expect(scopes).toEqual([])
  })
})

describe('claims', () => {
  const T = 1_800_000_000
  const INVALID = 'token_claims_invalid'
  it.each([
    // iss: exactly a configured one (peers 32-35)
    [{ iss: undefined }, 'token_issuer_unknown'],
    [{ iss: null }, 'token_issuer_unknown'],
    [{ iss: [ISSUER] }, 'token_issuer_unknown'],
    [{ iss: { [ISSUER]: true } }, 'token_issuer_unknown'],
    [{ iss: `${ISSUER}/` }, 'token_issuer_unknown'],
    [{ iss: `${ISSUER}:443` }, 'token_issuer_unknown'],
    [{ iss: 'https://AS.example.com' }, 'token_issuer_unknown'],
    [{ iss: `${ISSUER}.evil.example` }, 'token_issuer_unknown'],
    [{ iss: ISSUER.slice(0, -1) }, 'token_issuer_unknown'],
    [{ iss: 'https://%61s.example.com' }, 'token_issuer_unknown'],
    [{ iss: '__proto__' }, 'token_issuer_unknown'],
    // aud: a string or strings, one of them exactly ours (peers 36-39)
    [{ aud: undefined }, INVALID],
    [{ aud: null }, INVALID],
    [{ aud: '' }, INVALID],
    [{ aud: [] }, INVALID],
    [{ aud: {} }, INVALID],
    [{ aud: 5 }, INVALID],
    [{ aud: [AUDIENCE, 5] }, INVALID],
    [{ aud: [AUDIENCE, ''] }, INVALID],
    [{ aud: [[AUDIENCE]] }, INVALID],
    [{ aud: { 0: AUDIENCE, length: 1 } }, INVALID],
    [{ aud: `${AUDIENCE}/` }, 'audience_mismatch'],
    [{ aud: AUDIENCE.slice(0, -1) }, 'audience_mismatch'],
    [{ aud: 'https://mcp.example.com' }, 'audience_mismatch'],
    [{ aud: 'https://MCP.example.com/mcp' }, 'audience_mismatch'],
    [{ aud: 'https://mcp.example.com:443/mcp' }, 'audience_mismatch'],
    [{ aud: `${AUDIENCE} https://other.example` }, 'audience_mismatch'],
    [{ aud: ['https://other.example'] }, 'audience_mismatch'],
    [{ aud: ['https://other.example', AUDIENCE] }, 'accepted'],
    // sub, client_id, jti (peers 46)
    [{ sub: undefined }, INVALID],
    [{ sub: '' }, INVALID],
    [{ sub: 5 }, INVALID],
    [{ sub: ['user-1'] }, INVALID],
    [{ client_id: 5 }, INVALID],
    [{ client_id: '' }, INVALID],
    [{ client_id: null }, INVALID],
    [{ azp: {} }, INVALID],
    [{ jti: 5 }, INVALID],
    [{ jti: '' }, INVALID],
    [{ jti: undefined }, 'accepted'],
    [{ gid: ['g'] }, INVALID],
    // exp (peers 40)
    [{ exp: undefined }, INVALID],
    [{ exp: null }, INVALID],
    [{ exp: String(T + 300) }, INVALID],
    [{ exp: [T + 300] }, INVALID],
    [{ exp: true }, INVALID],
    [{ exp: -1 }, INVALID],
    [{ exp: 0 }, 'token_expired'],
    [{ exp: T - 1 }, 'token_expired'],
    [{ exp: T }, 'token_expired'],
    [{ exp: T + 0.5 }, 'accepted'],
    [{ exp: T + 1 }, 'accepted'],
    // iat, nbf (peers 41)
    [{ iat: undefined }, INVALID],
    [{ iat: null }, INVALID],
    [{ iat: String(T) }, INVALID],
    [{ iat: -1 }, INVALID],
    [{ iat: T + 10 }, 'accepted'],
    [{ iat: T + 11 }, 'token_not_yet_valid'],
    [{ iat: T + 1e6 }, 'token_not_yet_valid'],
    [{ nbf: null }, INVALID],
    [{ nbf: String(T) }, INVALID],
    [{ nbf: T + 10 }, 'accepted'],
    [{ nbf: T + 11 }, 'token_not_yet_valid'],
    // scope, cnf, act (peers 45, 47, 48)
    [{ scope: ['a'] }, INVALID],
    [{ cnf: 'x' }, 'confirmation_unsupported'],
    [{ cnf: undefined }, 'accepted'],
    [{ act: 'agent' }, INVALID],
    [{ deep: nested(30) }, 'accepted'],
    [{ deep: nested(31) }, INVALID],
  ])(
    '%j: %s [9068-4-iss] [9068-4-aud] [9068-4-exp] [7519-4.1-types] [7519-4.1.3-aud] [7519-4.1.4-exp] [7519-4.1.5-nbf] [7519-7.2] [8707-2-exact]',
    async (changes, reason) => {
      expect(await reasonOf(token())).toBe('accepted')
      expect(await reasonOf(token(changes))).toBe(reason)
    },
  )

  it.each(['1e999', '-1e999', '1e400', 'NaN', 'Infinity', '"1900000000"', '{}'])(
    'exp %s never ends, and is refused [7519-2-dates]',
    async (exp) => {
      for (const name of ['exp', 'iat', 'nbf']) {
        const text = JSON.stringify(claims({ [name]: 'HERE' })).replace('"HERE"', exp)
        expect(await reasonOf(signText(JSON.stringify(header()), text, KEY))).not.toBe('accepted')
      }
    },
  )

  it.each(['[]', 'null', '"x"', '5', '', '{'])('a payload that is %s is malformed', async (payload) => {
    expect(await reasonOf(signText(JSON.stringify(header()), payload || ' ', KEY))).toBe('token_malformed')
  })

  it('a claim that comes twice makes a token malformed, wherever it is [7519-4-duplicates]', async () => {
    const text = JSON.stringify(claims()).replace('{', `{"exp":1,`)
    expect(await reasonOf(signText(JSON.stringify(header()), text, KEY))).toBe('token_malformed')
    const nestedTwice = JSON.stringify(claims()).replace('"cnf":{', `"cnf":{"jkt":"x",`)
    expect(await reasonOf(signText(JSON.stringify(header()), nestedTwice, KEY))).toBe('token_malformed')
    const twice = '{"alg":"ES256","typ":"at+jwt","kid":"a","kid":"a"}'
    expect(await reasonOf(signText(twice, JSON.stringify(claims()), KEY))).toBe('token_malformed')
  })

  it('__proto__ satisfies no claim', async () => {
    const { sub, ...rest } = claims()
    const text = JSON.stringify(rest).replace('{', `{"__proto__":{"sub":"${sub}"},`)
    expect(await reasonOf(signText(JSON.stringify(header()), text, KEY))).toBe('token_claims_invalid')
  })
})

describe('headers', () => {
  it.each([
    [{ alg: 'none' }, 'token_algorithm_unsupported'],
    [{ alg: undefined }, 'token_algorithm_unsupported'],
    [{ alg: null }, 'token_algorithm_unsupported'],
    [{ alg: ['ES256'] }, 'token_algorithm_unsupported'],
    [{ alg: 'es256' }, 'token_algorithm_unsupported'],
    [{ alg: 'HS256' }, 'token_algorithm_unsupported'],
    [{ alg: 'toString' }, 'token_algorithm_unsupported'],
    [{ alg: 'ES384' }, 'token_key_unknown'],
    [{ alg: 'RS256' }, 'token_key_unknown'],
    [{ kid: 'b' }, 'token_key_unknown'],
    [{ kid: undefined }, 'accepted'],
    [{ kid: '' }, 'token_claims_invalid'],
    [{ kid: 5 }, 'token_claims_invalid'],
    [{ kid: null }, 'token_claims_invalid'],
    [{ kid: ['a'] }, 'token_claims_invalid'],
    [{ crit: ['exp'] }, 'token_malformed'],
    [{ b64: false }, 'token_malformed'],
    [{ zip: 'DEF' }, 'token_malformed'],
    [{ cty: 'JWT' }, 'token_malformed'],
    [{ typ: 'JWT' }, 'accepted'],
    [{ typ: undefined }, 'token_type_unsupported'],
    [{ jku: 'https://evil.example', x5u: 'https://evil.example', x5c: ['AAAA'] }, 'accepted'],
  ])('%j: %s [8725-3.1]', async (changes, reason) => {
    expect(await reasonOf(token({}, changes))).toBe(reason)
    expect(issuer.requests.filter((url) => !url.startsWith(ISSUER))).toEqual([])
  })

  it('without kid tries the keys that fit, and fails when none has signed', async () => {
    issuer.publish([generateKeyPair('ES256', 'x'), generateKeyPair('RS256', 'y'), KEY])
    expect(await reasonOf(token({}, { kid: undefined }))).toBe('accepted')
    expect(await reasonOf(token({}, { kid: undefined }, generateKeyPair('ES256')))).toBe(
      'token_signature_invalid',
    )
  })
})

describe('a key', () => {
  it('that the runtime cannot use is as good as none, and keeps no other from being tried', async () => {
    const { publicJwk } = KEY
    const offCurve = { ...publicJwk, y: publicJwk.x, kid: 'a', alg: 'ES256' }
    issuer.answerKeys(() => Response.json({ keys: [offCurve] }))
    expect(await reasonOf(token())).toBe('token_signature_invalid')
    issuer.answerKeys(() => Response.json({ keys: [offCurve, { ...publicJwk, kid: 'a', alg: 'ES256' }] }))
    issuer.now += 600
    expect(await reasonOf(token())).toBe('accepted')
  })

  it.each([
    ['EdDSA', 'Ed25519', 'accepted'],
    ['Ed25519', 'EdDSA', 'accepted'],
    ['ES256', 'EdDSA', 'token_key_unknown'],
    [5, 'EdDSA', 'accepted'],
  ])('of Ed25519 published for %s verifies %s: %s (RFC 9864)', async (alg, used, expected) => {
    const key = generateKeyPair('EdDSA', 'a')
    issuer.answerKeys(() => Response.json({ keys: [{ ...key.publicJwk, kid: 'a', alg }] }))
    expect(await reasonOf(token({}, { alg: used }, key))).toBe(expected)
  })
})

describe('another JWT of the issuer', () => {
  const TYPE = 'revocation-list+jwt'
  const read = (text: string) =>
    verifyIssuerJwt(
      text,
      TYPE,
      { issuer: ISSUER, algorithms: ['ES256'], profile: 'default', keys: issuer.keys() },
      1000,
    )
  const list = (headerChanges: object = {}, key = KEY) =>
    sign({ alg: 'ES256', typ: TYPE, kid: 'a', ...headerChanges }, { rules: [] }, key)

  it('is read where it is of its type and by a key of the issuer', async () => {
    expect(await read(list())).toEqual({ rules: [] })
    expect(await read(list({ kid: undefined }))).toEqual({ rules: [] })
  })

  it.each<[string, () => string, string]>([
    ['of another type', () => list({ typ: 'at+jwt' }), 'token_type_unsupported'],
    ['of its type with application/', () => list({ typ: `application/${TYPE}` }), 'token_type_unsupported'],
    ['by an algorithm that is not the issuer’s', () => list({ alg: 'ES384' }), 'token_algorithm_unsupported'],
    ['by a key of nobody', () => list({ kid: 'x' }), 'token_key_unknown'],
    ['by another key', () => list({}, generateKeyPair('ES256', 'a')), 'token_signature_invalid'],
    ['with a kid that is none', () => list({ kid: 5 }), 'token_malformed'],
    ['with a critical extension', () => list({ crit: ['x'] }), 'token_malformed'],
    ['that is none', () => 'x', 'token_malformed'],
    ['that is too long', () => `${list()}${'A'.repeat(1000)}`, 'token_malformed'],
    ['whose header is none', () => signText('[]', '{}', KEY), 'token_malformed'],
    [
      'whose claims are none',
      () => signText(JSON.stringify({ alg: 'ES256', typ: TYPE, kid: 'a' }), '[]', KEY),
      'token_malformed',
    ],
  ])('%s is refused', async (_, text, reason) => {
    await expect(read(text())).rejects.toMatchObject({ reason })
  })
})

describe('the order of checks', () => {
  it('fetches nothing for a token that could not be accepted anyway', async () => {
    for (const changes of [
      { iss: 'https://evil.example' },
      { aud: 'x' },
      { exp: 1 },
      { sub: 5 },
      { cnf: 'x' },
    ]) {
      await reasonOf(token(changes))
    }
    for (const changes of [{ alg: 'none' }, { typ: 'x' }, { crit: [] }]) await reasonOf(token({}, changes))
    expect(issuer.requests).toEqual([])
  })
})

describe('a token that was verified before', () => {
  it('is remembered, but of the longest ones not as many', async () => {
    const text = token()
    const first = await verify(text)
    expect(await verify(text)).toBe(first)
    const groups = 'x'.repeat(11_000)
    for (let i = 0; i < 3600; i++) await verify(token({ groups, jti: `j-${i}` }))
    expect(await verify(text)).not.toBe(first)
  })

  it('expires all the same, while it is still remembered', async () => {
    const text = token({ exp: issuer.now + 20 })
    expect(await reasonOf(text)).toBe('accepted')
    issuer.now += 19
    expect(await reasonOf(text)).toBe('accepted')
    issuer.now += 1
    expect(await reasonOf(text)).toBe('token_expired')
    expect(issuer.fetches).toBe(1)
  })

  it('is not valid yet again when the clock is set back', async () => {
    const text = token()
    await verify(text)
    issuer.now -= 60
    expect(await reasonOf(text)).toBe('token_not_yet_valid')
  })

  it('falls with the key that signed it, and stands while that stays', async () => {
    const text = token({ exp: issuer.now + 9000 })
    const other = generateKeyPair('ES256', 'b')
    await verify(text)
    issuer.publish([KEY, other])
    issuer.now += 301
    expect(await reasonOf(text)).toBe('accepted')
    issuer.publish([other])
    issuer.now += 301
    expect(await reasonOf(text)).toBe('token_key_unknown')
  })

  it('falls when its key was swapped under the same kid', async () => {
    const text = token({ exp: issuer.now + 9000 })
    await verify(text)
    issuer.publish([generateKeyPair('ES256', 'a')])
    issuer.now += 301
    expect(await reasonOf(text)).toBe('token_signature_invalid')
  })

  it('answers for no other token: not for one that differs at its end, nor for one cut short', async () => {
    const text = token()
    await verify(text)
    const flipped = text.slice(0, -2) + (text.endsWith('A', text.length - 1) ? 'BA' : 'AA')
    for (const other of [flipped, text.slice(0, -4), text.slice(0, text.lastIndexOf('.')), `${text}AAAA`]) {
      expect(await reasonOf(other)).not.toBe('accepted')
    }
  })

  it('answers for no other token that ends as it does: claims or header of another, under its signature', async () => {
    const text = token()
    expect(await reasonOf(text)).toBe('accepted')
    expect(await reasonOf(text)).toBe('accepted')
    const [head, , signature] = text.split('.')
    const [otherHead, otherClaims] = token({ sub: 'admin' }, { typ: 'JWT' }).split('.')
    expect(await reasonOf(`${head}.${otherClaims}.${signature}`)).toBe('token_signature_invalid')
    expect(await reasonOf(`${otherHead}.${text.split('.')[1]}.${signature}`)).toBe('token_signature_invalid')
    expect(await reasonOf(text)).toBe('accepted')
  })
})

it('audiences that are aliases are each accepted, exactly', async () => {
  verifier = verifierOf('default', [AUDIENCE, 'urn:mcp'])
  expect(await reasonOf(token({ aud: 'urn:mcp' }))).toBe('accepted')
  expect(await reasonOf(token({ aud: 'urn:MCP' }))).toBe('audience_mismatch')
})

it('a token of more than 16 KB is malformed', async () => {
  expect(await reasonOf(token({ x: 'x'.repeat(11_000) }))).toBe('accepted')
  expect(await reasonOf(token({ x: 'x'.repeat(12_500) }))).toBe('token_malformed')
})

function nested(depth: number): object {
  return depth === 0 ? {} : { a: nested(depth - 1) }
}

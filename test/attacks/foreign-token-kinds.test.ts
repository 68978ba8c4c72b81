import { afterAll, beforeAll, describe, it } from 'vitest'
import type { Exchange } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker has a JWT that the same issuer really signed, for something else. */
let siege: Siege
let exchange: Exchange
let shark: Siege

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
  shark = siege.beside({ issuer: { issuer: exchange.issuer, profile: 'sharkauth' } })
})
afterAll(() => siege.close())

const now = () => Math.floor(exchange.now())
/** Everything an access token has, so that nothing but its kind speaks against it. */
type Members = Record<string, unknown>
const KINDS: [string, Members, Members][] = [
  ['an ID token', { typ: 'JWT' }, { client_id: undefined, nonce: 'n', at_hash: 'h', auth_time: 1 }],
  ['an ID token that names its client', { typ: 'JWT' }, { azp: 'agent-1', client_id: undefined, nonce: 'n' }],
  ['an ID token without nonce', { typ: 'JWT' }, { client_id: undefined }],
  ['an ID token with at_hash', { typ: 'JWT' }, { at_hash: 'h' }],
  ['an ID token without typ', { typ: undefined }, { nonce: 'n' }],
  ['a session of SharkAuth', { typ: 'JWT' }, { session_id: 's', client_id: undefined }],
  ['a session of SharkAuth that names a client', { typ: 'JWT' }, { session_id: 's' }],
  ['a refresh token', { typ: 'JWT' }, { token_type: 'refresh' }],
  ['a refresh token by token_use', { typ: 'JWT' }, { token_use: 'refresh' }],
  ['a refresh token by typ', { typ: 'rt+jwt' }, {}],
  ['a logout token', { typ: 'logout+jwt' }, { events: {} }],
  [
    'a logout token of old',
    { typ: 'JWT' },
    { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
  ],
  ['a security event', { typ: 'secevent+jwt' }, { events: {} }],
  ['a DPoP proof', { typ: 'dpop+jwt' }, { htm: 'POST', htu: 'https://mcp.example.com/mcp' }],
  ['a client assertion', { typ: 'client-authentication+jwt' }, {}],
  ['a client assertion of old', { typ: 'JWT' }, { client_id: undefined, sub: 'agent-1' }],
  ['an authorization request', { typ: 'oauth-authz-req+jwt' }, {}],
  ['an introspection response', { typ: 'token-introspection+jwt' }, { token_introspection: {} }],
  ['an ID-JAG', { typ: 'oauth-id-jag+jwt' }, {}],
  ['a transaction token', { typ: 'txntoken+jwt' }, {}],
  ['a status list', { typ: 'statuslist+jwt' }, { status_list: {} }],
  ['a status list without its typ', { typ: 'JWT' }, { status_list: {} }],
  ['a revocation list', { typ: 'revocation-list+jwt' }, { rules: [] }],
  ['a credential', { typ: 'vc+sd-jwt' }, {}],
  ['a JWT of no kind', { typ: undefined }, {}],
  ['a JWT with typ null', { typ: null }, {}],
]

describe('of the same issuer, rightly signed, for this audience and bound to the key:', () => {
  it.each(KINDS)('%s is no access token [9068-4-typ] [8725-3.11] [8725-3.12]', async (_, header, claims) => {
    await siege.refuses(siege.withToken({ header, claims }), 'token_type_unsupported')
  })

  it.each(KINDS)('%s is none for the profile of SharkAuth either', async (_, header, claims) => {
    const ok = { header: { typ: 'JWT' } }
    await shark.allows(shark.withToken(ok))
    const verdict = await shark.guard.verify(shark.withToken({ header, claims }))
    if (verdict.ok || !/^token_(type_unsupported|claims_invalid)$/.test(verdict.reason))
      throw new Error(`${JSON.stringify(verdict)}`)
  })

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'JWT', 'jwt'])(
    'typ %s is one [9068-4-typ]',
    async (typ) => {
      await siege.allows(siege.withToken({ header: { typ } }))
    },
  )
})

describe('something else in its place', () => {
  it('a proof is no token, and a token is no proof', async () => {
    const token = exchange.token()
    const proof = exchange.proof(token)
    await siege.refuses(exchange.request({ token: proof, proof }), 'token_issuer_unknown')
    await siege.refuses(exchange.request({ token, proof: token }), 'proof_type_unsupported')
  })

  it.each([
    ['an opaque token', () => 'sk_live_abcdef0123456789'],
    ['a JWE', () => 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA'],
    ['a PASETO', () => 'v4.public.AAAA'],
    ['an SD-JWT', () => `${exchange.token()}~WyJhIl0~`],
    [
      'the JSON serialization',
      () => JSON.stringify({ payload: 'AAAA', signatures: [] }).replaceAll(',', ' ').replaceAll(' ', ''),
    ],
    ['two tokens', () => `${exchange.token()}.${exchange.token()}`],
  ])('%s is malformed [7515-7.1]', async (_, text) => {
    await siege.refuses(
      exchange.request({ token: text(), proof: exchange.proof(exchange.token()) }),
      'token_malformed',
    )
  })
})

describe('claims that every kind of access token has', () => {
  const strict = () => siege.beside({ issuer: { issuer: exchange.issuer, profile: 'rfc9068' } })
  it.each(['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'])(
    'RFC 9068: %s [9068-4-claims]',
    async (name) => {
      const guarded = strict()
      await guarded.allows()
      const verdict = await guarded.guard.verify(guarded.withToken({ claims: { [name]: undefined } }))
      if (verdict.ok) throw new Error(`accepted without ${name}`)
    },
  )

  it.each(['iss', 'exp', 'aud', 'sub', 'iat'])('any profile: %s', async (name) => {
    const reason = name === 'iss' ? 'token_issuer_unknown' : 'token_claims_invalid'
    await siege.refuses(siege.withToken({ claims: { [name]: undefined } }), reason)
    await siege.refuses(siege.withToken({ claims: { [name]: null } }), reason)
  })
})

describe('a token of another time', () => {
  it.each([
    [{ exp: -1 }, 'token_expired'],
    [{ exp: 0 }, 'token_expired'],
    [{ exp: -86400 }, 'token_expired'],
    [{ nbf: 11 }, 'token_not_yet_valid'],
    [{ iat: 11 }, 'token_not_yet_valid'],
  ] as const)('%j from now is refused [9068-4-exp] [MCP-R14]', async (offset, reason) => {
    const [[name, seconds]] = Object.entries(offset) as [[string, number]]
    await siege.refuses(siege.withToken({ claims: { [name]: now() + seconds } }), reason)
  })
})

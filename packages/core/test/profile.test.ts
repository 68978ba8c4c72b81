import { describe, expect, it } from 'vitest'
import { type Profile, requireAccessTokenKind } from '../src/profile.ts'
import type { Refusal } from '../src/refusal.ts'

function judge(typ: unknown, claims: object, profile: Profile): string {
  try {
    requireAccessTokenKind({ alg: 'ES256', typ }, claims as never, profile)
  } catch (error) {
    return (error as Refusal).reason
  }
  return 'accepted'
}

const CLAIMS = { client_id: 'agent', jti: 'j' }
const [OK, TYPE, CLAIM] = ['accepted', 'token_type_unsupported', 'token_claims_invalid']

describe('requireAccessTokenKind', () => {
  it.each([
    ['at+jwt', OK, OK, TYPE],
    ['AT+JWT', OK, OK, TYPE],
    ['application/at+jwt', OK, OK, TYPE],
    ['APPLICATION/at+JWT', OK, OK, TYPE],
    ['JWT', OK, TYPE, OK],
    ['jwt', OK, TYPE, OK],
    ['application/jwt', OK, TYPE, OK],
    [undefined, TYPE, TYPE, TYPE],
    [null, TYPE, TYPE, TYPE],
    ['', TYPE, TYPE, TYPE],
    [['at+jwt'], TYPE, TYPE, TYPE],
    ['at+jwt ', TYPE, TYPE, TYPE],
    ['id_token', TYPE, TYPE, TYPE],
    ['dpop+jwt', TYPE, TYPE, TYPE],
    ['logout+jwt', TYPE, TYPE, TYPE],
    ['secevent+jwt', TYPE, TYPE, TYPE],
    ['statuslist+jwt', TYPE, TYPE, TYPE],
    ['revocation-list+jwt', TYPE, TYPE, TYPE],
    ['token-introspection+jwt', TYPE, TYPE, TYPE],
    ['oauth-id-jag+jwt', TYPE, TYPE, TYPE],
    ['txntoken+jwt', TYPE, TYPE, TYPE],
    ['client-authentication+jwt', TYPE, TYPE, TYPE],
  ])('judges typ %j: default %s, rfc9068 %s, sharkauth %s [9068-4-typ] [8725-3.11]', (typ, ...expected) => {
    const profiles = ['default', 'rfc9068', 'sharkauth'] as const
    expect(profiles.map((profile) => judge(typ, CLAIMS, profile))).toEqual(expected)
  })

  it.each([
    ['rfc9068', 'at+jwt', { client_id: 'a' }, CLAIM],
    ['rfc9068', 'at+jwt', { jti: 'j' }, CLAIM],
    ['rfc9068', 'at+jwt', { azp: 'a', jti: 'j' }, CLAIM],
    ['sharkauth', 'JWT', { client_id: 'a' }, CLAIM],
    ['sharkauth', 'JWT', { jti: 'j' }, CLAIM],
    ['default', 'at+jwt', {}, OK],
    ['default', 'JWT', {}, TYPE],
    ['default', 'JWT', { azp: 'a' }, OK],
    ['default', 'JWT', { client_id: 'a' }, OK],
    ['default', 'JWT', { cid: 'a' }, OK],
    ['default', 'JWT', { appid: 'a' }, OK],
    ['default', undefined, { client_id: 'a' }, TYPE],
    ['untyped', undefined, { client_id: 'a' }, OK],
    ['untyped', undefined, { cid: 'a' }, OK],
    ['untyped', undefined, {}, TYPE],
    ['untyped', undefined, { cid: 'a', nonce: 'n' }, TYPE],
    ['untyped', undefined, { client_id: 'a', token_use: 'id' }, TYPE],
    ['untyped', null, { client_id: 'a' }, TYPE],
    ['untyped', 'JWT', { client_id: 'a' }, OK],
    ['untyped', 'at+jwt', {}, OK],
    ['untyped', 'id_token', { client_id: 'a' }, TYPE],
    ['sharkauth', 'JWT', { cid: 'a', jti: 'j' }, CLAIM],
  ] as const)('%s, typ %s, claims %j: %s [9068-4-claims]', (profile, typ, claims, expected) => {
    expect(judge(typ, claims, profile)).toBe(expected)
  })

  it.each([
    ['an ID token', { nonce: 'n' }],
    ['an ID token', { at_hash: 'h' }],
    ['an ID token', { c_hash: 'h' }],
    ['an ID token', { s_hash: 'h' }],
    ['a logout token', { events: {} }],
    ['a user session', { session_id: 's' }],
    ['a status list', { status_list: {} }],
    ['a refresh token', { token_type: 'refresh' }],
    ['a session', { token_type: 'session' }],
    ['a refresh token', { token_use: 'refresh' }],
    ['an ID token of Cognito', { token_use: 'id' }],
  ])('refuses %s of the same issuer by its %j [8725-3.12]', (_, claim) => {
    expect(judge('JWT', CLAIMS, 'default')).toBe(OK)
    expect(judge('JWT', { ...CLAIMS, ...claim }, 'default')).toBe(TYPE)
    expect(judge('JWT', { ...CLAIMS, ...claim }, 'sharkauth')).toBe(TYPE)
  })

  it.each([
    { token_type: 'Bearer' },
    { token_type: 'DPoP' },
    { token_type: 'dpop' },
    { token_use: 'access' },
  ])('accepts %j', (claim) => expect(judge('JWT', { ...CLAIMS, ...claim }, 'default')).toBe(OK))

  it.each(['client_id', 'azp', 'cid', 'appid'])('is not satisfied by a %s of the prototype', (name) => {
    const claims = JSON.parse(`{"__proto__":{"${name}":"a"},"jti":"j"}`) as object
    expect(judge('JWT', claims, 'default')).toBe(TYPE)
  })
})

import { createGuard, decodeAgentToken, type Guard } from '@sharkguard/core'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const API = 'https://api.example.com'
const GUID = '6e74172b-be56-4843-9ff4-e66a39bb12e3'
/** What our issuer would put in, and others do not. */
const OURS = Object.fromEntries(
  ['client_id', 'jti', 'gid', 'scope', 'aud', 'status'].map((claim) => [claim, undefined]),
)

let issuer: RunningIssuer
let guard: Guard

beforeAll(async () => {
  issuer = await startIssuer({ algorithms: ['RS256'], tokenType: 'JWT' })
  guard = createGuard([API, 'api://notes'], { issuer: issuer.url, dpop: 'when-bound' })
})
afterAll(async () => {
  await guard.close()
  await issuer.close()
})

function mint(claims: object, header?: Record<string, unknown>) {
  return issuer.mintToken({ audience: API, claims: { ...OURS, ...claims }, ...(header && { header }) })
}

async function verify(token: string) {
  return guard.verify({ method: 'GET', url: '/', headers: [['Authorization', `Bearer ${token}`]] })
}

const keycloak = {
  aud: [API, 'account'],
  jti: 'onrtac:1',
  typ: 'Bearer',
  azp: 'web',
  sid: 's',
  scope: 'email notes',
}
const auth0 = {
  aud: [API, 'https://my-tenant.auth0.com/userinfo'],
  azp: 'web',
  scope: 'openid notes',
  permissions: [],
}
const entra = { scp: 'notes', tid: 't', oid: 'o', uti: 'u' }

describe('access tokens in the shapes of docs/issuers.md', () => {
  it.each([
    ['Keycloak', keycloak, undefined],
    ['Auth0', auth0, undefined],
    [
      'Auth0, for a machine',
      { aud: API, azp: 'web', sub: 'web@clients', gty: 'client-credentials', scope: 'notes' },
      undefined,
    ],
    ['Auth0, RFC 9068 profile', { ...auth0, azp: undefined, client_id: 'web', jti: 'j' }, { typ: 'at+jwt' }],
  ])('passes %s', async (_name, claims, header) => {
    const verdict = await verify(await mint(claims, header))
    expect(verdict).toMatchObject({ ok: true, auth: { clientId: 'web' } })
    expect(verdict.ok && verdict.auth.hasScope('notes')).toBe(true)
  })

  it.each([
    ['Keycloak with no Audience mapper', { ...keycloak, aud: 'account' }, undefined, 'audience_mismatch'],
    ['Keycloak with nonce', { ...keycloak, nonce: 'n' }, undefined, 'token_type_unsupported'],
    ['Keycloak without basic', { ...keycloak, sub: undefined }, undefined, 'token_claims_invalid'],
    ['Entra v1.0', { ...entra, aud: 'api://notes', appid: 'web' }, undefined, 'token_type_unsupported'],
    ['Entra v2.0', { ...entra, aud: GUID, azp: 'web' }, undefined, 'audience_mismatch'],
    ['Okta', { aud: API, cid: 'web', scp: ['notes'] }, { typ: undefined }, 'token_type_unsupported'],
    ['Cognito', { client_id: 'web', token_use: 'access' }, { typ: undefined }, 'token_type_unsupported'],
  ])('refuses %s', async (_name, claims, header, reason) => {
    expect(await verify(await mint(claims, header))).toMatchObject({ ok: false, reason })
  })

  it('does not take a GUID for an audience', () => {
    expect(() => createGuard([API, GUID], { issuer: issuer.url })).toThrow(/^sharkGuard: audience: /)
  })

  it('decodes a token of Entra v2.0 without a guard', async () => {
    const { jwks_uri: jwksUrl } = (await (
      await fetch(`${issuer.url}/.well-known/oauth-authorization-server`)
    ).json()) as { jwks_uri: string }
    const token = await mint({ ...entra, aud: GUID, azp: 'web' })
    const options = { jwksUrl, expectedIssuer: issuer.url, expectedAudience: GUID }
    expect((await decodeAgentToken(token, options)).clientId).toBe('web')
  })
})

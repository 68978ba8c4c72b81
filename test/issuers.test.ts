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
let untyped: Guard

beforeAll(async () => {
  issuer = await startIssuer({ algorithms: ['RS256'], tokenType: 'JWT' })
  guard = createGuard([API, 'api://notes', GUID], { issuer: issuer.url, dpop: 'when-bound' })
  const untypedIssuer = { issuer: issuer.url, profile: 'untyped' } as const
  untyped = createGuard(API, { issuer: untypedIssuer, dpop: 'when-bound' })
})
afterAll(async () => {
  await guard.close()
  await untyped.close()
  await issuer.close()
})

function mint(claims: object, header?: Record<string, unknown>) {
  return issuer.mintToken({ audience: API, claims: { ...OURS, ...claims }, ...(header && { header }) })
}

async function verify(token: string, by = guard) {
  return by.verify({ method: 'GET', url: '/', headers: [['Authorization', `Bearer ${token}`]] })
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
const okta = { aud: API, cid: 'web', uid: 'u', ver: 1, scp: ['notes'] }
const cognito = { aud: API, client_id: 'web', token_use: 'access', version: 2, scope: 'notes' }
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
    ['Entra v1.0', { ...entra, aud: 'api://notes', appid: 'web' }, undefined],
    ['Entra v2.0', { ...entra, aud: GUID, azp: 'web' }, undefined],
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
    ['an ID token of Entra', { aud: GUID, tid: 't' }, undefined, 'token_type_unsupported'],
    ['Okta, by default', okta, { typ: undefined }, 'token_type_unsupported'],
    ['Cognito, by default', cognito, { typ: undefined }, 'token_type_unsupported'],
  ])('refuses %s', async (_name, claims, header, reason) => {
    expect(await verify(await mint(claims, header))).toMatchObject({ ok: false, reason })
  })

  it.each([
    ['Okta', okta],
    ['Cognito, bound to the resource', cognito],
  ])("passes %s by the profile 'untyped', and no ID token", async (_name, claims) => {
    const header = { typ: undefined }
    expect(await verify(await mint(claims, header), untyped)).toMatchObject({
      ok: true,
      auth: { clientId: 'web', scopes: ['notes'] },
    })
    for (const foreign of [{ nonce: 'n' }, { at_hash: 'h' }, { token_use: 'id' }]) {
      expect(await verify(await mint({ ...claims, ...foreign }, header), untyped)).toMatchObject({
        reason: 'token_type_unsupported',
      })
    }
    const withoutAudience = await mint({ ...claims, aud: undefined }, header)
    expect(await verify(withoutAudience, untyped)).toMatchObject({ reason: 'token_claims_invalid' })
  })

  it('names the resource by its URI where the token names it otherwise', async () => {
    const verdict = await verify(await mint({ ...entra, aud: GUID, azp: 'web' }))
    expect(verdict.ok && verdict.auth.resource.href).toBe(`${API}/`)
  })

  it('takes a name for an alias, not for the resource itself', () => {
    expect(() => createGuard(GUID, { issuer: issuer.url })).toThrow(/^sharkGuard: audience: /)
    for (const alias of ['', ' ', 'a b', 'api.example.com/mcp', 'a?b', 'a#b', '://']) {
      expect(() => createGuard([API, alias], { issuer: issuer.url })).toThrow(/^sharkGuard: audience: /)
    }
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

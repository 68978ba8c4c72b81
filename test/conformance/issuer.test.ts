import { createIssuer } from '@sharkguard/issuer'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'

const URL_OF_ISSUER = 'https://issuer.example'
const RESOURCE = 'https://mcp.example.com/mcp'
const issuer = createIssuer({ issuer: URL_OF_ISSUER, defaultResource: RESOURCE })

const get = (path: string) => issuer.fetch(new Request(URL_OF_ISSUER + path))

async function metadata(): Promise<Record<string, unknown>> {
  const answer = await get('/.well-known/oauth-authorization-server')
  return (await answer.json()) as Record<string, unknown>
}

async function accessToken(fields: Record<string, string> = {}): Promise<string> {
  const { clientId, clientSecret } = await issuer.registerAgent({ scopes: ['mcp:read'] })
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret as string,
    ...fields,
  })
  const answer = await issuer.fetch(new Request(`${URL_OF_ISSUER}/oauth/token`, { method: 'POST', body }))
  return ((await answer.json()) as { access_token: string }).access_token
}

describe('the metadata of the issuer', () => {
  it('is JSON at the well-known URI, with nothing empty in it [8414-3.2] [MCP-A2]', async () => {
    const answer = await get('/.well-known/oauth-authorization-server')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    for (const [name, value] of Object.entries(await metadata())) {
      expect([name, Array.isArray(value) ? value.length : 1]).not.toEqual([name, 0])
    }
  })

  it('names the issuer, its endpoints and its response types [8414-2-issuer] [8414-2-required]', async () => {
    const document = await metadata()
    expect(document).toMatchObject({ issuer: URL_OF_ISSUER, response_types_supported: ['code'] })
    const { search, hash, protocol } = new URL(document.issuer as string)
    expect([search, hash, protocol]).toEqual(['', '', 'https:'])
    for (const name of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'jwks_uri']) {
      expect(new URL(document[name] as string).origin).toBe(URL_OF_ISSUER)
    }
  })

  it('lists asymmetric algorithms for proofs, ES256 among them [9449-5.1-metadata] [9449-5.1-none]', async () => {
    const { dpop_signing_alg_values_supported: algorithms } = await metadata()
    expect(algorithms).toContain('ES256')
    for (const algorithm of algorithms as string[])
      expect(algorithm).toMatch(/^(ES|PS|RS)\d{3}$|^Ed(DSA|25519)$/)
  })

  it('promises PKCE by S256 alone, and iss in answers [MCP-A5] [MCP-A13] [9207-2.3]', async () => {
    expect(await metadata()).toMatchObject({
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    })
  })
})

describe('an access token of the issuer', () => {
  it('is a signed at+jwt by a published key [9068-2.1-signed]', async () => {
    const { typ, alg, kid } = decodeProtectedHeader(await accessToken())
    expect(typ).toBe('at+jwt')
    const { keys } = (await (await get('/.well-known/jwks.json')).json()) as {
      keys: Record<string, string>[]
    }
    expect(keys).toContainEqual(expect.objectContaining({ kid, alg }))
    for (const key of keys) expect(key).not.toHaveProperty('d')
  })

  it('has every claim of RFC 9068 §2.2 [9068-2.2-claims]', async () => {
    const claims = decodeJwt(await accessToken())
    expect(claims).toMatchObject({ iss: URL_OF_ISSUER, aud: RESOURCE, sub: claims.client_id })
    for (const claim of ['exp', 'iat', 'jti', 'client_id', 'sub']) expect(claims).toHaveProperty(claim)
  })

  it('has a sub that no client has chosen [9068-5-sub] [7591-3.2.1-unique]', async () => {
    const register = async () => {
      const body = JSON.stringify({
        client_name: 'x',
        client_id: 'user-1',
        sub: 'user-1',
        grant_types: ['client_credentials'],
      })
      const headers = { 'content-type': 'application/json' }
      const answer = await issuer.fetch(
        new Request(`${URL_OF_ISSUER}/oauth/register`, { method: 'POST', headers, body }),
      )
      return ((await answer.json()) as { client_id: string }).client_id
    }
    const ids = [await register(), await register()]
    expect(ids[0]).not.toBe(ids[1])
    for (const id of ids) expect(id).toMatch(/^shark_dcr_[\w-]{21}$/)
    const { sub } = decodeJwt(await accessToken({ sub: 'user-1', client: 'user-1' }))
    expect(sub).not.toBe('user-1')
  })
})

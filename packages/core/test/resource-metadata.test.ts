import { describe, expect, it } from 'vitest'
import { createGuard, type GuardOptions } from '../src/index.ts'

const AUDIENCE = 'https://mcp.example.com/mcp'
const ISSUER = 'https://as.example.com'
const WELL_KNOWN = '/.well-known/oauth-protected-resource'

const guardOf = (options: GuardOptions = {}, audience = AUDIENCE) =>
  createGuard(audience, { issuer: ISSUER, revocation: 'off', ...options })
const ask = (url: string, method = 'GET', options: GuardOptions = {}, audience = AUDIENCE) =>
  guardOf(options, audience).gate({ method, url, headers: [] })

async function answer(url: string, method = 'GET', options: GuardOptions = {}, audience = AUDIENCE) {
  const passage = await ask(url, method, options, audience)
  if (passage.kind !== 'answer') throw new Error(passage.kind)
  return passage.answer
}

describe('the metadata of a resource', () => {
  it('says who it is, whom it trusts and what it wants [9728-2-resource] [9728-3.2-empty] [9728-2-servers] [MCP-R2] [SEP-D16]', () => {
    expect(guardOf().resourceMetadata).toEqual({
      resource: AUDIENCE,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: [
        'ES256',
        'ES384',
        'ES512',
        'EdDSA',
        'Ed25519',
        'PS256',
        'PS384',
        'PS512',
      ],
      dpop_bound_access_tokens_required: true,
    })
    expect(guardOf({ dpop: 'when-bound' }).resourceMetadata.dpop_bound_access_tokens_required).toBe(false)
  })

  it.each(['https://h.example', 'https://h.example/', 'https://H.example/a', 'urn:mcp'])(
    'names the resource %s exactly as its audience is written [9728-3.3] [MCP-R23]',
    (audience) => {
      const { resource } = guardOf({ publicUrl: 'https://h.example' }, audience).resourceMetadata
      expect(resource).toBe(audience)
    },
  )

  it('lists several issuers, and the scopes that are always needed but offline_access [MCP-R7] [MCP-R22]', () => {
    const issuer = [ISSUER, { issuer: 'https://b.example' }]
    const { resourceMetadata } = guardOf({ issuer, scopes: ['mcp:read', 'offline_access'] })
    expect(resourceMetadata.authorization_servers).toEqual([ISSUER, 'https://b.example'])
    expect(resourceMetadata.scopes_supported).toEqual(['mcp:read'])
  })

  it('has the members that were added, and cannot be changed', () => {
    const { resourceMetadata } = guardOf({
      resourceMetadata: { resource_name: 'Tools', scopes_supported: ['a'] },
    })
    expect(resourceMetadata).toMatchObject({ resource_name: 'Tools', scopes_supported: ['a'] })
    expect(Object.isFrozen(resourceMetadata)).toBe(true)
  })
})

describe('where it is served', () => {
  it.each([`${WELL_KNOWN}/mcp`, WELL_KNOWN, `${WELL_KNOWN}/mcp?x=1`])(
    '%s, without credentials, to any origin [9728-3.1] [9728-3.2] [MCP-R1] [MCP-R3] [MCP-R4]',
    async (url) => {
      const { status, headers, body } = await answer(url)
      expect(status).toBe(200)
      expect(headers).toMatchObject({
        'Content-Type': 'application/json',
        'Access-Control-Allow-Origin': '*',
      })
      expect(JSON.parse(body)).toEqual(guardOf().resourceMetadata)
      expect(guardOf().resourceMetadataUrl).toBe(`https://mcp.example.com${WELL_KNOWN}/mcp`)
    },
  )

  it('HEAD has no body, OPTIONS is answered, other methods are not allowed', async () => {
    expect(await answer(WELL_KNOWN, 'HEAD')).toMatchObject({ status: 200, body: '' })
    expect(await answer(WELL_KNOWN, 'OPTIONS')).toMatchObject({ status: 204, body: '' })
    for (const method of ['POST', 'PUT', 'DELETE', 'get']) {
      expect(await answer(WELL_KNOWN, method)).toMatchObject({
        status: 405,
        headers: { Allow: 'GET, HEAD, OPTIONS' },
      })
    }
  })

  it.each([
    `${WELL_KNOWN}/`,
    `${WELL_KNOWN}/other`,
    `${WELL_KNOWN}/mcp/`,
    `${WELL_KNOWN}/mcp/x`,
    `/mcp${WELL_KNOWN}`,
    `/x?${WELL_KNOWN}/mcp`,
    `/x#${WELL_KNOWN}/mcp`,
    `/.well-known/../.well-known/oauth-protected-resource`,
    `/%2ewell-known/oauth-protected-resource`,
    '/.well-known/oauth-authorization-server',
    '/mcp',
  ])('%s is guarded like anything else', async (url) => {
    expect((await answer(url)).status).toBeGreaterThanOrEqual(400)
  })
})

describe('a preflight', () => {
  const gate = (method: string, headers: Record<string, string>, url = '/mcp') =>
    guardOf().gate({ method, url, headers })
  const PREFLIGHT = { origin: 'https://app.example', 'access-control-request-method': 'POST' }

  it('passes, since browsers send it without credentials', async () => {
    expect(await gate('OPTIONS', PREFLIGHT)).toEqual({ kind: 'pass' })
    const names = {
      Origin: 'null',
      'Access-Control-Request-Method': 'GET',
      'access-control-request-headers': 'dpop',
    }
    expect(await gate('OPTIONS', names)).toEqual({ kind: 'pass' })
  })

  it.each<[string, string, Record<string, string>]>([
    ['another method', 'POST', PREFLIGHT],
    ['the method in lower case', 'options', PREFLIGHT],
    ['no origin', 'OPTIONS', { 'access-control-request-method': 'POST' }],
    ['no requested method', 'OPTIONS', { origin: 'https://app.example' }],
    ['nothing', 'OPTIONS', {}],
  ])('does not pass with %s', async (_, method, headers) => {
    expect(await gate(method, headers)).toMatchObject({ kind: 'answer', answer: { status: 401 } })
  })
})

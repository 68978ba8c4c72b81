import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentRegistration, type RunningIssuer, startIssuer } from '../src/index.ts'
import { RESOURCE } from './support/browser.ts'

let issuer: RunningIssuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.close())

/** As a test without types calls it. */
const untyped = (): Record<string, (...args: unknown[]) => Promise<unknown>> => issuer as never

describe('what a test mints and registers', () => {
  it.each([
    ['a list of scopes', { scopes: ['read', 'write'] }],
    ['scopes in a text', { scopes: 'read write' }],
    ['a list under the name on the wire', { scope: ['read', 'write'] }],
    ['a text under the name on the wire', { scope: 'read write' }],
  ])('takes %s', async (_what, scopes) => {
    expect(decodeJwt(await issuer.mintToken({ resource: RESOURCE, ...scopes })).scope).toBe('read write')
  })

  it('takes claims under their names, so that they are in the token and in what is known of it', async () => {
    const claims = { client_id: 'c', sub: 'usr_1', aud: RESOURCE, cnf: { jkt: 'thumbprint' } }
    const token = await issuer.mintToken(claims)
    expect(decodeJwt(token)).toMatchObject(claims)
    expect(await issuer.mintToken({ resource: RESOURCE, sub: 'x' }).then(decodeJwt)).toMatchObject({
      sub: 'x',
    })
    await issuer.revokeAgent('c')
    const headers = { authorization: `Bearer ${issuer.adminKey}` }
    const body = new URLSearchParams({ token })
    const answer = await fetch(`${issuer.url}/oauth/introspect`, { method: 'POST', headers, body })
    expect(await answer.json()).toEqual({ active: false })
  })

  it.each<[string, AgentRegistration]>([
    [
      'by its names',
      { name: 'n', scopes: ['a', 'b'], grantTypes: ['refresh_token'], createdBy: 'u', dpop: true },
    ],
    [
      'by those of the admin API',
      {
        client_name: 'n',
        scope: 'a b',
        grant_types: ['refresh_token'],
        created_by: 'u',
        dpop_bound_access_tokens: true,
      },
    ],
  ])('describes an agent %s', async (_what, agent) => {
    const { agentId } = await issuer.registerAgent(agent)
    const headers = { authorization: `Bearer ${issuer.adminKey}` }
    const answer = await fetch(`${issuer.url}/api/v1/agents/${agentId}`, { headers })
    expect(await answer.json()).toMatchObject({
      name: 'n',
      scopes: ['a', 'b'],
      grant_types: ['refresh_token'],
      created_by: 'u',
      dpop_bound_access_tokens: true,
    })
  })

  it.each<[string, unknown, RegExp]>([
    [
      'mintToken',
      { resource: RESOURCE, ttl: 5 },
      /^issuer: mintToken\.ttl: unknown option; known are .*expiresIn/,
    ],
    ['mintToken', { resource: RESOURCE, prover: {} }, /^issuer: mintToken\.prover: .*jkt/],
    ['mintToken', RESOURCE, /^issuer: mintToken: expected an object/],
    [
      'registerAgent',
      { clientId: 'mine' },
      /^issuer: registerAgent\.clientId: unknown option; known are name/,
    ],
    ['registerAgent', 'bot', /^issuer: registerAgent: expected an object/],
  ])('%s refuses an option that would do nothing: %j', async (call, options, message) => {
    await expect(untyped()[call]!(options)).rejects.toThrow(message)
  })
})

describe('what a test revokes', () => {
  it('is named by its id, and by nothing else', async () => {
    const agent = await issuer.registerAgent()
    await issuer.revokeAgent(agent.clientId)
    await issuer.revokeAgent(agent.agentId)
    await expect(untyped().revokeAgent!(agent)).rejects.toThrow(
      'revokeAgent: expected a client id or an agent id',
    )
    for (const call of ['revokeToken', 'revokeUser', 'revokePattern', 'rotateDpopKey', 'disconnectVault']) {
      await expect(untyped()[call]!(undefined)).rejects.toThrow(`issuer: ${call}: expected`)
    }
  })

  it('is a key after the seconds that are said', async () => {
    const keys = async () =>
      ((await (await fetch(`${issuer.url}/.well-known/jwks.json`)).json()) as { keys: unknown[] }).keys.length
    await issuer.rotateKeys(60)
    expect(await keys()).toBe(2)
    await expect(untyped().rotateKeys!({ overlap: 0 })).rejects.toThrow('rotateKeys: expected seconds')
  })
})

describe('what a test makes fail', () => {
  it.each([
    ['metadata', 'GET', '/.well-known/oauth-authorization-server'],
    ['jwks', 'GET', '/.well-known/jwks.json'],
    ['token', 'POST', '/oauth/token'],
    ['revocation', 'GET', '/oauth/revocations'],
    ['introspection', 'POST', '/oauth/introspect'],
    ['registration', 'POST', '/oauth/register'],
  ] as const)('%s fails until it may not', async (what, method, path) => {
    const status = async () => (await fetch(issuer.url + path, { method })).status
    const mend = issuer.fail(what)
    expect(await status()).toBe(503)
    mend()
    expect(await status()).not.toBe(503)
  })

  it('is one of a few', () => {
    expect(() => issuer.fail('keys' as never)).toThrow(/^issuer: fail: expected one of .*jwks/)
    expect(() => issuer.fail('jwks', 500 as never)).toThrow("expected 'error' or 'hang'")
  })
})

describe('where an issuer is', () => {
  it('is what it is called by', async () => {
    const local = await startIssuer({ host: 'localhost', ...({ issuer: undefined } as object) })
    expect(local.url).toBe(`http://localhost:${local.port}`)
    for (const host of ['localhost', '127.0.0.1']) {
      const answer = await fetch(`http://${host}:${local.port}/.well-known/oauth-authorization-server`)
      expect(await answer.json()).toMatchObject({ issuer: local.url })
    }
    await local.close()
    expect(issuer.url).toBe(`http://127.0.0.1:${issuer.port}`)
  })

  it.each([['8080'], [-1], [65_536], [1.5]])('is no port %j', async (port) => {
    await expect(startIssuer({ port: port as number })).rejects.toThrow('issuer: port: expected 0 to 65535')
  })
})

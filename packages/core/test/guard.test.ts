import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Exchange } from '../../../test/support/exchange.ts'
import { createGuard, type Decision, type Guard } from '../src/index.ts'

let exchange: Exchange
let guard: Guard

beforeAll(async () => {
  exchange = await Exchange.start()
  guard = createGuard(exchange.resource, { issuer: exchange.issuer, revocation: 'off' })
})
afterAll(async () => {
  await guard.close()
  await exchange.close()
})

describe('a valid request', () => {
  it('is let in with everything a handler asks for', async () => {
    const token = exchange.token({ claims: { act: { sub: 'agent-2' } } })
    const verdict = await guard.verify(exchange.request({ token }))
    if (!verdict.ok) throw new Error(verdict.reason)
    const { jkt } = exchange.agentKey
    expect(verdict.auth).toMatchObject({
      token,
      clientId: 'agent-1',
      scopes: ['mcp:read', 'mcp:write'],
      resourceMetadataUrl: 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
      issuer: exchange.issuer,
      subject: 'agent-1',
      cnf: { jkt },
      claims: { iss: exchange.issuer },
      delegationChain: [{ sub: 'agent-2' }],
      extra: { subject: 'agent-1', issuer: exchange.issuer, jkt, delegationChain: [{ sub: 'agent-2' }] },
    })
    expect(verdict.auth.resource.href).toBe(exchange.resource)
    expect(verdict.auth.expiresAt).toBe(verdict.auth.claims.exp)
    expect([verdict.auth.hasScope('mcp:read'), verdict.auth.hasScope('mcp')]).toEqual([true, false])
    expect(verdict.headers).toEqual({ 'Access-Control-Expose-Headers': 'WWW-Authenticate, DPoP-Nonce' })
  })

  it('has the scopes that a granted one implies, where the resource says that it does', async () => {
    const impliesScope = (granted: string, needed: string) =>
      granted === needed || needed.startsWith(`${granted}:`)
    const hierarchical = createGuard(exchange.resource, {
      issuer: exchange.issuer,
      revocation: 'off',
      scopes: ['mcp:read'],
      impliesScope,
    })
    const broad = await hierarchical.verify(
      exchange.request({ token: exchange.token({ claims: { scope: 'mcp' } }) }),
    )
    if (!broad.ok) throw new Error(broad.reason)
    expect([broad.auth.hasScope('mcp:write'), broad.auth.hasScope('mcpx')]).toEqual([true, false])
    const narrow = exchange.token({ claims: { scope: 'mcp:write' } })
    expect(await hierarchical.verify(exchange.request({ token: narrow }))).toMatchObject({
      reason: 'insufficient_scope',
    })
    await hierarchical.close()
  })

  it.each(['GET', 'POST', 'DELETE', 'HEAD', 'PATCH'])('may be a %s', async (method) => {
    const token = exchange.token()
    const proof = exchange.proof(token, { method })
    expect((await guard.verify(exchange.request({ token, proof, method }))).ok).toBe(true)
  })

  it('may have its headers in any of their shapes', async () => {
    const shapes = [
      (fields: Record<string, string>) => fields,
      (fields: Record<string, string>) => new Headers(fields),
      (fields: Record<string, string>) => Object.entries(fields),
      (fields: Record<string, string>) => Object.entries(fields).flat(),
      (fields: Record<string, string>) =>
        Object.fromEntries(Object.entries(fields).map(([n, v]) => [n, [v]])),
    ]
    for (const shape of shapes) {
      const headers = shape(exchange.headers())
      expect((await guard.verify({ method: 'POST', url: '/mcp', headers })).ok).toBe(true)
    }
  })

  it('earns the next one nothing: each request needs its own credentials [MCP-R17] [MCP-R25]', async () => {
    const request = exchange.request()
    expect((await guard.verify(request)).ok).toBe(true)
    const headers = { 'mcp-session-id': 's', cookie: 'session=s', 'mcp-protocol-version': '2026-07-28' }
    expect(await guard.verify({ ...request, headers })).toMatchObject({
      ok: false,
      reason: 'credentials_missing',
    })
    const [authorization] = request.headers
    expect(await guard.verify({ ...request, headers: [authorization as never] })).toMatchObject({
      reason: 'proof_missing',
    })
  })
})

describe('a guard', () => {
  it('is ready when keys are there, and asks for none before', async () => {
    const other = await Exchange.start()
    const cold = createGuard(other.resource, { issuer: other.issuer, revocation: 'off' })
    expect(other.requests).toEqual([])
    await cold.ready()
    const asked = other.requests.length
    expect((await cold.verify(other.request())).ok).toBe(true)
    expect(other.requests).toHaveLength(asked)
    await cold.close()
    await other.close()
  })

  it('never throws for what a client sent', async () => {
    for (const url of ['', '*', '//', 'x', '\u0000', 'https://', '/\ud800', '/'.repeat(1000)]) {
      for (const method of ['', 'post', '\u0000', 'POST']) {
        const verdict = await guard.verify({ ...exchange.request(), method, url })
        expect(verdict.ok ? 200 : verdict.status).toBeLessThan(500)
      }
    }
  })

  it('says nothing in a refusal that depends on what was sent', async () => {
    const answers = []
    for (const iss of ['https://a.example', 'https://b.example', undefined]) {
      answers.push(await guard.verify(exchange.request({ token: exchange.token({ claims: { iss } }) })))
    }
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
  })

  it('hands out refusals that nobody can change for the next', async () => {
    const refuse = () => guard.verify({ method: 'POST', url: '/mcp', headers: [] })
    const first = await refuse()
    expect(() => Object.assign(first.headers, { 'Set-Cookie': 'a=b' })).toThrow(TypeError)
    expect((await refuse()).headers).not.toHaveProperty('Set-Cookie')
  })
})

describe('what only a mistake of the host can bring about', () => {
  it.each([null, undefined, 5, 'Authorization: x'])(
    'headers that are %j are its error, named',
    async (headers) => {
      const request = { method: 'POST', url: '/mcp', headers: headers as never }
      await expect(guard.verify(request)).rejects.toThrow(/^headers: expected/)
    },
  )

  it('a failure that is no Error is still an unknown, reported as unexpected', async () => {
    const decisions: Decision[] = []
    let broken = false
    const failing = createGuard(exchange.resource, {
      issuer: exchange.issuer,
      revocation: 'off',
      onDecision: (decision) => void decisions.push(decision),
      clock: () => {
        if (broken) throw 'no time'
        return Date.now() / 1000
      },
    })
    expect((await failing.verify(exchange.request())).ok).toBe(true)
    broken = true
    expect(await failing.verify(exchange.request())).toMatchObject({ ok: false, status: 503 })
    expect(decisions.at(-1)).toMatchObject({
      outcome: 'unavailable',
      reason: 'unexpected',
      detail: undefined,
    })
    await failing.close()
  })
})

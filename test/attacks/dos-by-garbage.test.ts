import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { Exchange, generateKeyPair, signText } from '../support/exchange.ts'
import { requestText, sendRaw, startExpress } from '../support/raw-http.ts'
import { Siege } from '../support/siege.ts'

const runtime = vi.hoisted(() => ({ verify: 0, import: 0, hash: 0 }))
vi.mock('../../packages/core/src/runtime/node.ts', async (original) => {
  const real = await original<typeof import('../../packages/core/src/runtime/node.ts')>()
  return {
    ...real,
    verifySignature(...args: Parameters<typeof real.verifySignature>) {
      runtime.verify++
      return real.verifySignature(...args)
    },
    importKey(...args: Parameters<typeof real.importKey>) {
      runtime.import++
      return real.importKey(...args)
    },
    sha256(text: string) {
      runtime.hash++
      return real.sha256(text)
    },
  }
})

/** The attacker sends much that costs the attacker little. */
let exchange: Exchange
let siege: Siege

beforeAll(async () => {
  exchange = await Exchange.start()
  siege = await Siege.start({}, exchange)
})
afterAll(() => siege.close())
afterEach(() => vi.restoreAllMocks())

/** Refuses the request and counts what that took. */
async function cost(request: Parameters<typeof siege.guard.verify>[0]) {
  await siege.allows()
  await siege.allows()
  Object.assign(runtime, { verify: 0, import: 0, hash: 0 })
  const parse = vi.spyOn(JSON, 'parse')
  const fetches = exchange.requests.length
  const verdict = await siege.guard.verify(request)
  const parsed = parse.mock.calls.reduce((sum, [text]) => sum + String(text).length, 0)
  parse.mockRestore()
  if (verdict.ok) throw new Error('allowed')
  return { reason: verdict.reason, ...runtime, parsed, fetches: exchange.requests.length - fetches }
}

const NOTHING = { verify: 0, import: 0, parsed: 0, fetches: 0 }
const of = (authorization: string, dpop = 'p.p.p') => ({
  method: 'POST',
  url: '/mcp',
  headers: ['Authorization', authorization, 'DPoP', dpop],
})

describe('oversized input', () => {
  const MEGABYTE = 2 ** 20
  it.each([
    ['a token', 'A'.repeat(MEGABYTE)],
    ['dots', '.'.repeat(MEGABYTE)],
    ['three huge parts', `${'A'.repeat(MEGABYTE)}.${'A'.repeat(MEGABYTE)}.AAAA`],
    ['parts without end', 'AAAA.'.repeat(MEGABYTE / 5)],
    ['brackets', `e30.${'W'.repeat(MEGABYTE)}.AAAA`],
  ])('of a megabyte of %s is neither hashed nor parsed [8725-3.14]', async (_, text) => {
    expect(await cost(of(`DPoP ${text}`))).toEqual({ ...NOTHING, hash: 0, reason: 'token_malformed' })
  })

  it.each(['A', '.', 'AAAA.', 'e30.'])('as a proof of a megabyte of %j is not parsed', async (unit) => {
    const proof = unit.repeat(MEGABYTE / unit.length)
    const spent = await cost(of(`DPoP ${exchange.token()}`, proof))
    expect(spent).toMatchObject({ reason: 'proof_malformed', import: 0 })
    expect(spent.verify).toBeLessThanOrEqual(1)
    expect(spent.parsed).toBeLessThan(4096)
  })

  it.each(['Authorization', 'DPoP'])('as ten thousand fields of %s is ambiguous', async (name) => {
    const headers = Array.from({ length: 10_000 }, () => [name, 'DPoP a.b.c'] as [string, string])
    if (name === 'DPoP') headers.push(['Authorization', `DPoP ${exchange.token()}`])
    const { reason } = await cost({ method: 'POST', url: '/mcp', headers })
    expect(reason).toBe(name === 'DPoP' ? 'proof_ambiguous' : 'credentials_ambiguous')
  })

  it('as a target of a megabyte costs one comparison', async () => {
    for (const url of [
      `/${'a/'.repeat(MEGABYTE / 2)}`,
      `/${'%2e'.repeat(MEGABYTE / 3)}`,
      `/mcp?${'x'.repeat(MEGABYTE)}`,
    ]) {
      const token = exchange.token()
      const verdict = await siege.guard.verify(exchange.request({ token, url }))
      expect(verdict.ok ? 'allowed' : verdict.reason).toMatch(/allowed|proof_target_mismatch/)
    }
  })
})

describe('compressed, encrypted and nested tokens', () => {
  const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  it.each([
    ['a JWE', () => `${b64({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
    [
      'a JWE with a zip bomb',
      () => `${b64({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}..AAAA.${'A'.repeat(9000)}.AAAA`,
    ],
    [
      'a JWE by password, a billion times',
      () =>
        `${b64({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1e9, p2s: 'AAAA' })}.AAAA.AAAA.AAAA.AAAA`,
    ],
    ['a JWS with zip', () => exchange.token({ header: { zip: 'DEF' } })],
    ['a JWS of a JWT', () => exchange.token({ header: { cty: 'JWT' } })],
    ['a JWS with enc', () => exchange.token({ header: { enc: 'A128GCM' } })],
    ['a detached JWS', () => exchange.token().replace(/\..*\./, '..')],
    ['an unencoded payload', () => exchange.token({ header: { b64: false, crit: ['b64'] } })],
  ])('%s is malformed and nothing is done about it [7515-4.1.11-crit] [8725-2.4]', async (_, token) => {
    const spent = await cost(of(`DPoP ${token()}`))
    expect(spent).toMatchObject({ reason: 'token_malformed', verify: 0, import: 0, fetches: 0 })
  })

  it('claims nested without end are refused', async () => {
    const depth = 1500
    const deep = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    const [h, p] = exchange
      .token()
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString()) as [string, string]
    for (const bad of [deep, '['.repeat(depth) + ']'.repeat(depth)]) {
      const token = signText(h, p.replace('{', `{"deep":${bad},`), exchange.issuerKey)
      expect(token.length).toBeLessThan(16_384)
      expect((await cost(exchange.request({ token }))).reason).toBe('token_claims_invalid')
    }
  })
})

describe('work in proportion', () => {
  it('a token that policy forbids has no signature verified and no key fetched', async () => {
    for (const changes of [
      { header: { alg: 'HS256' } },
      { header: { typ: 'x' } },
      { claims: { aud: 'x' } },
      { claims: { exp: 1 } },
      { claims: { iss: 'https://evil.example' } },
      { claims: { cnf: 5 } },
    ]) {
      const spent = await cost(exchange.request({ token: exchange.token(changes) }))
      expect(spent).toMatchObject({ verify: 0, import: 0, fetches: 0 })
    }
  })

  it('a proof with a wrong key, or for something else, has its signature not verified', async () => {
    const token = exchange.token()
    await siege.allows(exchange.request({ token }))
    for (const changes of [
      { key: generateKeyPair() },
      { url: 'https://evil.example' },
      { method: 'GET' },
      { claims: { iat: 1 } },
      { claims: { ath: 'x' } },
      { claims: { jti: '' } },
    ]) {
      const spent = await cost(exchange.request({ token, proof: exchange.proof(token, changes) }))
      expect(spent).toMatchObject({ verify: 0, import: 0, fetches: 0 })
    }
  })

  it('a known token costs one verification: its proof’s', async () => {
    const token = exchange.token()
    await siege.allows(exchange.request({ token }))
    const before = runtime.verify
    await siege.allows(exchange.request({ token }))
    expect(runtime.verify - before).toBe(1)
  })
})

describe('an upload of a hundred megabytes', () => {
  it.each([
    ['without credentials', (): [string, string][] => [], 401],
    [
      'with a bad token',
      (): [string, string][] => [
        ['Authorization', 'DPoP x.y.z'],
        ['DPoP', 'p'],
      ],
      401,
    ],
    ['with a replayed proof', (): [string, string][] => replayed, 401],
    [
      'with two tokens',
      (): [string, string][] => [
        ['Authorization', 'DPoP x'],
        ['Authorization', 'DPoP y'],
      ],
      400,
    ],
  ])(
    '%s is answered before its body has begun: parser and handler never run [MCP-R8]',
    async (_, fields, status) => {
      const host = await startExpress(exchange.resource, { issuer: exchange.issuer, revocation: 'off' })
      const first = await sendRaw(
        host.port,
        requestText('POST /mcp', [['Host', 'h'], ['Content-Length', '0'], ...replayed]),
      )
      expect(first.status).toBe(200)
      host.ran.length = 0
      const head = [['Host', 'h'], ['Content-Length', String(100 * 2 ** 20)], ...fields()] as [
        string,
        string,
      ][]
      const answer = await sendRaw(host.port, requestText('POST /mcp', head))
      expect(answer.status).toBe(status)
      expect(host.ran).toEqual([])
      await host.close()
    },
  )

  let replayed: [string, string][]
  beforeAll(() => {
    const { authorization, dpop } = exchange.headers() as { authorization: string; dpop: string }
    replayed = [
      ['Authorization', authorization],
      ['DPoP', dpop],
    ]
  })
})

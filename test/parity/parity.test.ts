import type { GuardOptions } from '@sharkguard/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Exchange, generateKeyPair } from '../support/exchange.ts'
import { HOSTS, type Host, type RawAnswer, sendRaw } from '../support/hosts.ts'

/**
 * One table of requests, sent as bytes to every host: each must answer as the guard alone does, in status, in every header
 * the guard sets, and in its body. Adapters translate; here is the proof that they decide nothing.
 */
const GUARD_HEADERS = [
  'www-authenticate',
  'dpop-nonce',
  'cache-control',
  'access-control-expose-headers',
  'access-control-allow-origin',
  'retry-after',
  'content-type',
]

interface Scenario {
  readonly title: string
  readonly status: number
  readonly options?: GuardOptions
  readonly lines: (x: Exchange) => readonly string[]
  /** Hosts that cannot tell: a Fetch `Request` no longer has the target as it came. */
  readonly exceptFetchHosts?: true
}

const METADATA = '/.well-known/oauth-protected-resource'
const fields = (headers: Record<string, string>) =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
const post = (target: string, ...rest: readonly string[]) => [
  `POST ${target} HTTP/1.1`,
  'Host: mcp.example.com',
  ...rest,
  'Content-Length: 0',
]
const get = (target: string, ...rest: readonly string[]) => [
  `GET ${target} HTTP/1.1`,
  'Host: mcp.example.com',
  ...rest,
]

/** A token and a proof for it, one of them changed. */
const changed =
  (change: (x: Exchange) => { token?: string; proof?: string; scheme?: string }) =>
  (x: Exchange): readonly string[] =>
    post('/mcp', ...fields(x.headers(change(x))))

const proofWith = (claims: Record<string, unknown>, header = {}) =>
  changed((x) => {
    const token = x.token()
    return { token, proof: x.proof(token, { claims, header }) }
  })
const tokenWith = (claims: Record<string, unknown>, header = {}) =>
  changed((x) => ({ token: x.token({ claims, header }) }))

const SCENARIOS: readonly Scenario[] = [
  { title: 'a valid request', status: 200, lines: changed(() => ({})) },
  {
    title: 'a valid request with a query',
    status: 200,
    lines: (x) => post('/mcp?a=b', ...fields(x.headers())),
  },
  { title: 'a valid request, scheme in lower case', status: 200, lines: changed(() => ({ scheme: 'dpop' })) },
  { title: 'no credentials', status: 401, lines: () => post('/mcp') },
  { title: 'another scheme', status: 401, lines: () => post('/mcp', 'Authorization: Basic YTpi') },
  { title: 'a token in the query', status: 401, lines: (x) => post(`/mcp?access_token=${x.token()}`) },
  { title: 'a scheme without a token', status: 400, lines: () => post('/mcp', 'Authorization: DPoP') },
  { title: 'two tokens in one field', status: 400, lines: () => post('/mcp', 'Authorization: DPoP a b') },
  {
    title: 'garbage for a token',
    status: 401,
    lines: () => post('/mcp', 'Authorization: DPoP x', 'DPoP: y'),
  },
  {
    title: 'two Authorization fields',
    status: 400,
    lines: (x) => post('/mcp', ...fields(x.headers()), 'Authorization: Bearer x'),
  },
  {
    title: 'two credentials joined by a comma',
    status: 400,
    lines: (x) => post('/mcp', `Authorization: DPoP ${x.token()}, Bearer x`),
  },
  { title: 'two DPoP fields', status: 401, lines: (x) => post('/mcp', ...fields(x.headers()), 'DPoP: x') },
  {
    title: 'two proofs joined by a comma',
    status: 401,
    lines: changed((x) => {
      const token = x.token()
      return { token, proof: `${x.proof(token)}, ${x.proof(token)}` }
    }),
  },
  { title: 'a bound token as Bearer', status: 401, lines: changed(() => ({ scheme: 'Bearer' })) },
  { title: 'no proof', status: 401, lines: (x) => post('/mcp', `Authorization: DPoP ${x.token()}`) },
  { title: 'an expired token', status: 401, lines: tokenWith({ exp: 1 }) },
  { title: 'a token for another audience', status: 401, lines: tokenWith({ aud: 'https://other.example' }) },
  { title: 'a token of another issuer', status: 401, lines: tokenWith({ iss: 'https://other.example' }) },
  {
    title: 'an ID token',
    status: 401,
    lines: tokenWith({ client_id: undefined, nonce: 'n' }, { typ: 'JWT' }),
  },
  { title: 'a token by an unknown key', status: 401, lines: tokenWith({}, { kid: 'unknown' }) },
  {
    title: 'a token by another key',
    status: 401,
    lines: changed((x) => ({ token: x.token({ key: { ...generateKeyPair(), kid: x.issuerKey.kid } }) })),
  },
  { title: 'alg none', status: 401, lines: tokenWith({}, { alg: 'none' }) },
  { title: 'an unknown confirmation', status: 401, lines: tokenWith({ cnf: { 'x5t#S256': 'x' } }) },
  { title: 'an unbound token', status: 401, lines: tokenWith({ cnf: undefined }) },
  { title: 'a proof for another method', status: 401, lines: proofWith({ htm: 'GET' }) },
  { title: 'a proof for another URI', status: 401, lines: proofWith({ htu: 'https://evil.example/mcp' }) },
  { title: 'a proof for another token', status: 401, lines: proofWith({ ath: 'x'.repeat(43) }) },
  { title: 'an old proof', status: 401, lines: proofWith({ iat: 1 }) },
  { title: 'a proof of the future', status: 401, lines: proofWith({ iat: 9_999_999_999 }) },
  { title: 'a proof of another type', status: 401, lines: proofWith({}, { typ: 'JWT' }) },
  {
    title: 'a proof by another key',
    status: 401,
    lines: changed((x) => {
      const token = x.token()
      return { token, proof: x.proof(token, { key: generateKeyPair() }) }
    }),
  },
  {
    title: 'a scope that is missing',
    status: 403,
    options: { scopes: ['admin'] },
    lines: changed(() => ({})),
  },
  {
    title: 'a nonce that is missing',
    status: 401,
    options: { nonce: { secrets: ['s'.repeat(32)] } },
    lines: changed(() => ({})),
  },
  {
    title: 'unbound, where that is allowed',
    status: 200,
    options: { dpop: 'when-bound' },
    lines: changed((x) => ({ token: x.token({ claims: { cnf: undefined } }), scheme: 'Bearer' })),
  },
  {
    title: 'no credentials, both schemes',
    status: 401,
    options: { dpop: 'when-bound' },
    lines: () => post('/mcp'),
  },
  {
    title: 'a bound token as Bearer, both schemes',
    status: 401,
    options: { dpop: 'when-bound' },
    lines: changed(() => ({ scheme: 'Bearer' })),
  },
  { title: 'a trailing slash', status: 401, lines: (x) => post('/mcp/', ...fields(x.headers())) },
  { title: 'two slashes', status: 400, lines: (x) => post('//mcp', ...fields(x.headers())) },
  {
    title: 'dot segments',
    status: 400,
    exceptFetchHosts: true,
    lines: (x) => post('/x/../mcp', ...fields(x.headers())),
  },
  {
    title: 'a target at another host',
    status: 400,
    exceptFetchHosts: true,
    lines: (x) => post('https://evil.example/mcp', ...fields(x.headers())),
  },
  {
    title: 'a forged Host',
    status: 200,
    lines: (x) => [
      'POST /mcp HTTP/1.1',
      'Host: evil.example',
      ...fields(x.headers()),
      'X-Forwarded-Host: evil.example',
      'Content-Length: 0',
    ],
  },
  {
    title: 'HEAD with a proof for GET',
    status: 401,
    lines: (x) => {
      const token = x.token()
      return [
        'HEAD /mcp HTTP/1.1',
        'Host: a',
        ...fields(x.headers({ token, proof: x.proof(token, { method: 'GET' }) })),
      ]
    },
  },
  { title: 'the metadata', status: 200, lines: () => get(`${METADATA}/mcp`) },
  { title: 'the metadata, root form', status: 200, lines: () => get(METADATA) },
  { title: 'the metadata with a query', status: 200, lines: () => get(`${METADATA}/mcp?x=y`) },
  {
    title: 'a preflight for the metadata',
    status: 204,
    lines: () => [
      'OPTIONS /.well-known/oauth-protected-resource/mcp HTTP/1.1',
      'Host: a',
      'Origin: https://app.example',
      'Access-Control-Request-Method: GET',
    ],
  },
  { title: 'metadata of another path', status: 401, lines: () => get(`${METADATA}/other`) },
  {
    title: 'a preflight',
    status: 200,
    lines: () => [
      'OPTIONS /mcp HTTP/1.1',
      'Host: a',
      'Origin: https://app.example',
      'Access-Control-Request-Method: POST',
    ],
  },
  { title: 'OPTIONS that is no preflight', status: 401, lines: () => ['OPTIONS /mcp HTTP/1.1', 'Host: a'] },
]

describe.each(SCENARIOS)('$title', ({ status, options, lines, exceptFetchHosts }) => {
  let exchange: Exchange
  let reference: RawAnswer
  beforeAll(async () => {
    exchange = await Exchange.start()
  })
  afterAll(() => exchange.close())

  async function answerOf(name: string): Promise<RawAnswer & { runs: number }> {
    const host: Host = await (HOSTS[name] as (typeof HOSTS)['core'])(exchange.resource, {
      issuer: exchange.issuer,
      ...options,
    })
    try {
      const answer = await sendRaw(host.port, lines(exchange))
      return { ...answer, runs: host.runs() }
    } finally {
      await host.close()
    }
  }

  it(`is answered ${status} by the guard itself`, async () => {
    const answer = await answerOf('core')
    expect(answer.status).toBe(status)
    expect(answer.runs).toBe(status === 200 && !answer.body.includes('resource') ? 1 : 0)
    reference = answer
  })

  const hosts = Object.keys(HOSTS).filter((name) => name !== 'core')
  it.each(exceptFetchHosts ? ['express', 'fastify'] : hosts)('is answered the same by %s', async (name) => {
    const answer = await answerOf(name)
    expect(answer.status).toBe(reference.status)
    for (const header of GUARD_HEADERS) {
      if (header === 'content-type' && status === 200) continue
      expect([header, answer.headers[header]]).toEqual([header, reference.headers[header]])
    }
    expect(answer.body).toBe(reference.body)
    expect(answer.runs > 0).toBe(status === 200 && !reference.body.includes('"resource"'))
  })
})

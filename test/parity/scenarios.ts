import {
  type GuardOptions,
  type Reason,
  type RevocationSource,
  Unavailable,
  type UnavailableReason,
} from '@sharkguard/core'
import { type Exchange, generateKeyPair } from '../support/exchange.ts'

/** One request, as bytes, and what comes of it. */
export interface Scenario {
  readonly title: string
  readonly status: number
  /** What `onDecision` calls it; absent where nothing is refused. */
  readonly reason?: Reason | UnavailableReason
  readonly options?: GuardOptions
  readonly lines: (x: Exchange) => readonly string[]
  /** Sends the same bytes so often; the last answer counts. */
  readonly times?: number
  /** Has the issuer misbehave. */
  readonly prepare?: (x: Exchange) => void
  /** Hosts that cannot tell: a Fetch `Request` no longer has the target as it came. */
  readonly exceptFetchHosts?: true
}

const METADATA = '/.well-known/oauth-protected-resource'
const PREFLIGHT = ['Host: a', 'Origin: https://app.example', 'Access-Control-Request-Method: POST']

const fields = (headers: Record<string, string>) =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
const get = (target: string, ...rest: readonly string[]) => [
  `GET ${target} HTTP/1.1`,
  'Host: mcp.example.com',
  ...rest,
]
const post = (target: string, ...rest: readonly string[]) => [
  `POST ${target} HTTP/1.1`,
  'Host: mcp.example.com',
  ...rest,
  'Content-Length: 0',
]
/** The valid request, sent to this target. */
const to = (target: string) => (x: Exchange) => post(target, ...fields(x.headers()))

type Change = (x: Exchange) => { token?: string; proof?: string; scheme?: string }
const changed = (change: Change) => (x: Exchange) => post('/mcp', ...fields(x.headers(change(x))))
const valid = changed(() => ({}))

const proofWith = (claims: Record<string, unknown>, header = {}) =>
  changed((x) => {
    const token = x.token()
    return { token, proof: x.proof(token, { claims, header }) }
  })
const tokenWith = (claims: Record<string, unknown>, header = {}) =>
  changed((x) => ({ token: x.token({ claims, header }) }))

/** A source of revocations that answers always the same. */
const source = (check: () => 'revoked'): RevocationSource => ({
  name: 'fixed',
  open: () => ({ check, ready: async () => undefined, close: () => undefined }),
})
const failing = (reason: UnavailableReason) => () => {
  throw new Unavailable(reason, { retryAfter: 7 })
}

const LET_IN: readonly Scenario[] = [
  { title: 'a valid request', status: 200, lines: valid },
  { title: 'a valid request with a query', status: 200, lines: to('/mcp?a=b') },
  { title: 'a valid request, scheme in lower case', status: 200, lines: changed(() => ({ scheme: 'dpop' })) },
  {
    title: 'a valid request with field names in upper case',
    status: 200,
    lines: (x) => valid(x).map((line) => line.replace(/^[^:]+:/, (name) => name.toUpperCase())),
  },
  {
    title: 'a valid HEAD request',
    status: 200,
    lines: (x) => {
      const token = x.token()
      const headers = x.headers({ token, proof: x.proof(token, { method: 'HEAD' }) })
      return ['HEAD /mcp HTTP/1.1', 'Host: a', ...fields(headers)]
    },
  },
  {
    title: 'a valid request with a nonce demanded of others',
    status: 200,
    options: { dpop: 'when-bound', nonce: { secrets: ['s'.repeat(32)] } },
    lines: changed((x) => ({ token: x.token({ claims: { cnf: undefined } }), scheme: 'Bearer' })),
  },
  {
    title: 'unbound, where that is allowed',
    status: 200,
    options: { dpop: 'when-bound' },
    lines: changed((x) => ({ token: x.token({ claims: { cnf: undefined } }), scheme: 'Bearer' })),
  },
  {
    title: 'a forged Host',
    status: 200,
    lines: (x) => [
      'POST /mcp HTTP/1.1',
      'Host: evil.example',
      ...fields(x.headers()),
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: gopher',
      'Forwarded: host=evil.example',
      'Content-Length: 0',
    ],
  },
  {
    title: 'a target in absolute form, at the public origin',
    status: 200,
    lines: to('https://mcp.example.com/mcp'),
  },
  { title: 'a preflight', status: 200, lines: () => ['OPTIONS /mcp HTTP/1.1', ...PREFLIGHT] },
]

const METADATA_ANSWERS: readonly Scenario[] = [
  { title: 'the metadata', status: 200, lines: () => get(`${METADATA}/mcp`) },
  { title: 'the metadata, root form', status: 200, lines: () => get(METADATA) },
  { title: 'the metadata with a query', status: 200, lines: () => get(`${METADATA}/mcp?x=y`) },
  {
    title: 'the head of the metadata',
    status: 200,
    lines: () => [`HEAD ${METADATA}/mcp HTTP/1.1`, 'Host: a'],
  },
  {
    title: 'a preflight for the metadata',
    status: 204,
    lines: () => [`OPTIONS ${METADATA}/mcp HTTP/1.1`, ...PREFLIGHT],
  },
  { title: 'writing the metadata', status: 405, lines: () => post(`${METADATA}/mcp`) },
]

const CREDENTIALS: readonly Scenario[] = [
  { title: 'no credentials', status: 401, reason: 'credentials_missing', lines: () => post('/mcp') },
  {
    title: 'no credentials, both schemes',
    status: 401,
    reason: 'credentials_missing',
    options: { dpop: 'when-bound', scopes: ['mcp:read'] },
    lines: () => post('/mcp'),
  },
  {
    title: 'another scheme',
    status: 401,
    reason: 'credentials_missing',
    lines: () => post('/mcp', 'Authorization: Basic YTpi'),
  },
  {
    title: 'a token in the query',
    status: 401,
    reason: 'credentials_missing',
    lines: (x) => post(`/mcp?access_token=${x.token()}`),
  },
  {
    title: 'a scheme without a token',
    status: 400,
    reason: 'credentials_malformed',
    lines: () => post('/mcp', 'Authorization: DPoP'),
  },
  {
    title: 'two tokens in one field',
    status: 400,
    reason: 'credentials_malformed',
    lines: () => post('/mcp', 'Authorization: DPoP a b'),
  },
  {
    title: 'two Authorization fields',
    status: 400,
    reason: 'credentials_ambiguous',
    lines: (x) => post('/mcp', ...fields(x.headers()), 'Authorization: Bearer x'),
  },
  {
    title: 'the same Authorization field twice',
    status: 400,
    reason: 'credentials_ambiguous',
    lines: (x) => {
      const [authorization = '', dpop = ''] = fields(x.headers())
      return post('/mcp', authorization, dpop, authorization)
    },
  },
  {
    title: 'two credentials joined by a comma',
    status: 400,
    reason: 'credentials_ambiguous',
    lines: (x) => post('/mcp', `Authorization: DPoP ${x.token()}, Bearer x`),
  },
  {
    title: 'OPTIONS that is no preflight',
    status: 401,
    reason: 'credentials_missing',
    lines: () => ['OPTIONS /mcp HTTP/1.1', 'Host: a'],
  },
  {
    title: 'HEAD without credentials',
    status: 401,
    reason: 'credentials_missing',
    lines: () => ['HEAD /mcp HTTP/1.1', 'Host: a'],
  },
  {
    title: 'metadata of another path',
    status: 401,
    reason: 'credentials_missing',
    lines: () => get(`${METADATA}/other`),
  },
  {
    title: 'metadata by an alias of its path',
    status: 401,
    reason: 'credentials_missing',
    lines: () => get(`/x${METADATA}/mcp`),
  },
]

const TARGETS: readonly Scenario[] = [
  { title: 'a trailing slash', status: 401, reason: 'proof_target_mismatch', lines: to('/mcp/') },
  { title: 'another case', status: 401, reason: 'proof_target_mismatch', lines: to('/MCP') },
  { title: 'an escaped letter, which is the letter', status: 200, lines: to('/m%63p') },
  { title: 'an escaped slash', status: 401, reason: 'proof_target_mismatch', lines: to('/mcp%2F') },
  { title: 'a path below', status: 401, reason: 'proof_target_mismatch', lines: to('/mcp/admin') },
  { title: 'two slashes', status: 400, reason: 'target_ambiguous', lines: to('//mcp') },
  {
    title: 'a host after two slashes',
    status: 400,
    reason: 'target_ambiguous',
    lines: to('//evil.example/mcp'),
  },
  {
    title: 'dot segments',
    status: 400,
    reason: 'target_ambiguous',
    exceptFetchHosts: true,
    lines: to('/x/../mcp'),
  },
  {
    title: 'a target in absolute form, at another host',
    status: 400,
    reason: 'target_ambiguous',
    exceptFetchHosts: true,
    lines: to('https://evil.example/mcp'),
  },
]

const TOKENS: readonly Scenario[] = [
  {
    title: 'garbage for a token',
    status: 401,
    reason: 'token_malformed',
    lines: () => post('/mcp', 'Authorization: DPoP x', 'DPoP: y'),
  },
  {
    title: 'an ID token',
    status: 401,
    reason: 'token_type_unsupported',
    lines: tokenWith({ client_id: undefined, nonce: 'n' }, { typ: 'JWT' }),
  },
  {
    title: 'a token about nobody',
    status: 401,
    reason: 'token_claims_invalid',
    lines: tokenWith({ sub: undefined }),
  },
  {
    title: 'a logout token',
    status: 401,
    reason: 'token_type_unsupported',
    lines: tokenWith({}, { typ: 'logout+jwt' }),
  },
  {
    title: 'alg none',
    status: 401,
    reason: 'token_algorithm_unsupported',
    lines: tokenWith({}, { alg: 'none' }),
  },
  {
    title: 'a token of another issuer',
    status: 401,
    reason: 'token_issuer_unknown',
    lines: tokenWith({ iss: 'https://other.example' }),
  },
  {
    title: 'a token by an unknown key',
    status: 401,
    reason: 'token_key_unknown',
    lines: tokenWith({}, { kid: 'unknown' }),
  },
  {
    title: 'a token by another key',
    status: 401,
    reason: 'token_signature_invalid',
    lines: changed((x) => ({ token: x.token({ key: { ...generateKeyPair(), kid: x.issuerKey.kid } }) })),
  },
  { title: 'an expired token', status: 401, reason: 'token_expired', lines: tokenWith({ exp: 1 }) },
  {
    title: 'a token of tomorrow',
    status: 401,
    reason: 'token_not_yet_valid',
    lines: changed((x) => ({ token: x.token({ claims: { nbf: Math.floor(x.now()) + 100 } }) })),
  },
  {
    title: 'a token for another audience',
    status: 401,
    reason: 'audience_mismatch',
    lines: tokenWith({ aud: 'https://other.example' }),
  },
  {
    title: 'a revoked token',
    status: 401,
    reason: 'token_revoked',
    options: { revocation: source(() => 'revoked') },
    lines: valid,
  },
  {
    title: 'an unknown confirmation',
    status: 401,
    reason: 'confirmation_unsupported',
    lines: tokenWith({ cnf: { 'x5t#S256': 'x' } }),
  },
  { title: 'an unbound token', status: 401, reason: 'token_not_bound', lines: tokenWith({ cnf: undefined }) },
  {
    title: 'a bound token as Bearer',
    status: 401,
    reason: 'scheme_mismatch',
    lines: changed(() => ({ scheme: 'Bearer' })),
  },
  {
    title: 'a bound token as Bearer, both schemes',
    status: 401,
    reason: 'scheme_mismatch',
    options: { dpop: 'when-bound' },
    lines: changed(() => ({ scheme: 'Bearer' })),
  },
  {
    title: 'a scope that is missing',
    status: 403,
    reason: 'insufficient_scope',
    options: { scopes: ['admin', 'mcp:read'] },
    lines: valid,
  },
]

const PROOFS: readonly Scenario[] = [
  {
    title: 'no proof',
    status: 401,
    reason: 'proof_missing',
    lines: (x) => post('/mcp', `Authorization: DPoP ${x.token()}`),
  },
  {
    title: 'two DPoP fields',
    status: 401,
    reason: 'proof_ambiguous',
    lines: (x) => post('/mcp', ...fields(x.headers()), 'DPoP: x'),
  },
  {
    title: 'two proofs joined by a comma',
    status: 401,
    reason: 'proof_ambiguous',
    lines: changed((x) => {
      const token = x.token()
      return { token, proof: `${x.proof(token)}, ${x.proof(token)}` }
    }),
  },
  {
    title: 'garbage for a proof',
    status: 401,
    reason: 'proof_malformed',
    lines: changed(() => ({ proof: 'x' })),
  },
  {
    title: 'a proof of another type',
    status: 401,
    reason: 'proof_type_unsupported',
    lines: proofWith({}, { typ: 'JWT' }),
  },
  {
    title: 'a proof by a shared secret',
    status: 401,
    reason: 'proof_algorithm_unsupported',
    lines: proofWith({}, { alg: 'HS256' }),
  },
  {
    title: 'a proof by a key of another kind',
    status: 401,
    reason: 'proof_key_invalid',
    lines: proofWith({}, { jwk: { kty: 'oct', k: 'x' } }),
  },
  {
    title: 'a proof by another key than it names',
    status: 401,
    reason: 'proof_signature_invalid',
    lines: changed((x) => {
      const token = x.token()
      const key = { ...generateKeyPair(), publicJwk: x.agentKey.publicJwk }
      return { token, proof: x.proof(token, { key }) }
    }),
  },
  {
    title: 'a proof by another key',
    status: 401,
    reason: 'proof_key_mismatch',
    lines: changed((x) => {
      const token = x.token()
      return { token, proof: x.proof(token, { key: generateKeyPair() }) }
    }),
  },
  {
    title: 'a proof for another method',
    status: 401,
    reason: 'proof_method_mismatch',
    lines: proofWith({ htm: 'GET' }),
  },
  {
    title: 'HEAD with a proof for GET',
    status: 401,
    reason: 'proof_method_mismatch',
    lines: (x) => {
      const token = x.token()
      const headers = x.headers({ token, proof: x.proof(token, { method: 'GET' }) })
      return ['HEAD /mcp HTTP/1.1', 'Host: a', ...fields(headers)]
    },
  },
  {
    title: 'a proof for another URI',
    status: 401,
    reason: 'proof_target_mismatch',
    lines: proofWith({ htu: 'https://evil.example/mcp' }),
  },
  {
    title: 'a proof for another token',
    status: 401,
    reason: 'proof_token_mismatch',
    lines: proofWith({ ath: 'x'.repeat(43) }),
  },
  { title: 'an old proof', status: 401, reason: 'proof_expired', lines: proofWith({ iat: 1 }) },
  {
    title: 'a proof of the future',
    status: 401,
    reason: 'proof_not_yet_valid',
    lines: proofWith({ iat: 9_999_999_999 }),
  },
  {
    title: 'a nonce that is missing',
    status: 401,
    reason: 'proof_nonce_required',
    options: { nonce: { secrets: ['s'.repeat(32)] } },
    lines: valid,
  },
  { title: 'a proof used twice', status: 401, reason: 'proof_replayed', times: 2, lines: valid },
]

const UNKNOWNS: readonly Scenario[] = [
  {
    title: 'keys that cannot be had',
    status: 503,
    reason: 'keys_unavailable',
    prepare: (x) => x.answers.set('/jwks', { status: 500, body: '' }),
    lines: valid,
  },
  {
    title: 'revocations that cannot be known',
    status: 503,
    reason: 'revocation_unavailable',
    options: { revocation: source(failing('revocation_unavailable')) },
    lines: valid,
  },
  ...(
    [
      ['a replay store that does not answer', 503, 'replay_store_unavailable'],
      ['a replay store that is full', 503, 'replay_store_full'],
      ['a key that is used too often', 429, 'replay_quota_exceeded'],
    ] as const
  ).map(([title, status, reason]) => ({
    title,
    status,
    reason,
    options: { replayStore: { claim: failing(reason) } },
    lines: valid,
  })),
]

export const SCENARIOS: readonly Scenario[] = [
  ...LET_IN,
  ...METADATA_ANSWERS,
  ...CREDENTIALS,
  ...TARGETS,
  ...TOKENS,
  ...PROOFS,
  ...UNKNOWNS,
]

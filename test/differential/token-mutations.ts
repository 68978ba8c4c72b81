import { each, type Mutation, stranger } from './mutation.ts'

type Values = Record<string, unknown>
const claims = (kind: string, values: Values) =>
  each(`token ${kind}`, values, ({ token }, value) => Object.assign(token.claims, { [kind]: value }))
const header = (kind: string, values: Values) =>
  each(`token ${kind}`, values, ({ token }, value) => Object.assign(token.header, { [kind]: value }))

export const TOKEN_MUTATIONS: readonly Mutation[] = [
  ...claims('exp', {
    absent: undefined,
    text: '9999999999',
    null: null,
    past: 1,
    'a fraction': 9999999999.5,
  }),
  ...claims('iat', { absent: undefined, text: '1', 'in 2033': 2_000_000_000, past: 1 }),
  ...claims('nbf', { past: 1, 'in 2033': 2_000_000_000, text: '1' }),
  ...claims('sub', { absent: undefined, empty: '', number: 5 }),
  ...claims('jti', { absent: undefined, empty: '', number: 5 }),
  ...claims('client_id', { absent: undefined, number: 5 }),
  ...claims('aud', {
    absent: undefined,
    another: 'https://other.example/mcp',
    none: [],
    'with a number': [5],
    null: null,
  }),
  ...each(
    'token aud',
    { 'in a list': (a: string) => [a], 'among others': (a: string) => ['x', a] },
    (d, to) => {
      d.token.claims.aud = to(d.token.claims.aud as string)
    },
  ),
  ...each(
    'token aud',
    {
      'and a number': (a: string) => [a, 5],
      'with a slash': (a: string) => `${a}/`,
      prefix: (a: string) => a.slice(0, -1),
    },
    (d, to) => {
      d.token.claims.aud = to(d.token.claims.aud as string)
    },
  ),
  ...each(
    'token iss',
    { slash: (i: string) => `${i}/`, list: (i: string) => [i], absent: () => undefined },
    (d, to) => {
      d.token.claims.iss = to(d.token.claims.iss as string)
    },
  ),
  ...claims('scope', { list: ['mcp:read'], number: 5, empty: '' }),
  ...claims('act', { 'an actor': { sub: 'agent-2' }, text: 'agent-2', 'without sub': {} }),
  ...header('typ', {
    'application/at+jwt': 'application/at+jwt',
    'AT+JWT': 'AT+JWT',
    JWT: 'JWT',
    absent: undefined,
    'dpop+jwt': 'dpop+jwt',
    'logout+jwt': 'logout+jwt',
  }),
  [
    'token typ: JWT, of no client',
    ({ token }) => {
      token.header.typ = 'JWT'
      token.claims.client_id = undefined
    },
  ],
  [
    'token typ: JWT, an ID token',
    ({ token }) => {
      token.header.typ = 'JWT'
      Object.assign(token.claims, { client_id: undefined, nonce: 'n', at_hash: 'x' })
    },
  ],
  ...header('alg', { HS256: 'HS256', none: 'none', ES384: 'ES384', absent: undefined }),
  ...header('kid', { absent: undefined, unknown: 'unknown', number: 5 }),
  ...header('crit', { unknown: ['x'], empty: [], b64: ['b64'] }),
  ...header('b64', { false: false, true: true }),
  ...header('cty', { JWT: 'JWT', text: 'text/plain' }),
  ...header('zip', { DEF: 'DEF' }),
  ...header('jku', { elsewhere: 'https://evil.example/jwks' }),
  ...header('jwk', { 'a stranger’s': stranger.publicJwk }),
  [
    'token key: a stranger’s',
    ({ token }) => {
      token.key = stranger
    },
  ],
  ...each('token cnf', { absent: undefined, null: null, text: 'x', empty: {} }, ({ token }, cnf) => {
    token.claims.cnf = cnf
  }),
  ...each(
    'token cnf',
    { 'a stranger’s': stranger.jkt, list: [stranger.jkt], number: 5 },
    ({ token }, jkt) => {
      token.claims.cnf = { jkt }
    },
  ),
  ...each(
    'token cnf',
    { 'jkt and x5t#S256': { 'x5t#S256': 'x' }, 'jkt and kid': { kid: 'x' } },
    ({ token }, more) => {
      token.claims.cnf = { ...(token.claims.cnf as object), ...more }
    },
  ),
  [
    'token cnf: x5t#S256 alone',
    ({ token }) => {
      token.claims.cnf = { 'x5t#S256': 'x' }
    },
  ],
]

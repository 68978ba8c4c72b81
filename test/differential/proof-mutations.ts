import { base64urlAliases } from '../support/aliases.ts'
import { generateKeyPair, type KeyPair, thumbprint } from '../support/exchange.ts'
import type { Draft } from './draft.ts'
import { each, type Mutation, stranger } from './mutation.ts'

type Values = Record<string, unknown>
const proofClaims = (kind: string, values: Values) =>
  each(
    `proof ${kind}`,
    values,
    ({ proof }, value) => void (proof && Object.assign(proof.claims, { [kind]: value })),
  )
const proofHeader = (kind: string, values: Values) =>
  each(
    `proof ${kind}`,
    values,
    ({ proof }, value) => void (proof && Object.assign(proof.header, { [kind]: value })),
  )

const others = Object.fromEntries(
  ['ES384', 'EdDSA', 'PS256', 'RS256'].map((alg) => [alg, generateKeyPair(alg)]),
)

/** Another key, to which the token is bound. */
function provenBy(draft: Draft, key: KeyPair): void {
  if (draft.proof === undefined) return
  draft.proof.key = key
  Object.assign(draft.proof.header, { alg: key.alg, jwk: key.publicJwk })
  draft.token.claims.cnf = { jkt: key.jkt }
}

export const PROOF_MUTATIONS: readonly Mutation[] = [
  ...proofClaims('htm', { 'lower case': 'post', GET: 'GET', absent: undefined, number: 5 }),
  ...each(
    'proof htu',
    {
      query: (u: string) => `${u}?a=b`,
      fragment: (u: string) => `${u}#a`,
      userinfo: (u: string) => u.replace('//', '//x@'),
      'scheme in capitals': (u: string) => u.replace('http:', 'HTTP:'),
      'escaped letter': (u: string) => u.replace('mcp', 'm%63p'),
      'dot segments': (u: string) => u.replace('/mcp', '/x/../mcp'),
      'escaped dot segments': (u: string) => u.replace('/mcp', '/x/%2e%2e/mcp'),
      slash: (u: string) => `${u}/`,
      'path in capitals': (u: string) => u.replace('mcp', 'MCP'),
      'path below': (u: string) => `${u}/admin`,
      backslash: (u: string) => u.replace('/mcp', '\\mcp'),
      'tab inside': (u: string) => u.replace('mcp', 'm\tcp'),
      'space before': (u: string) => ` ${u}`,
      'one slash': (u: string) => u.replace('//', '/'),
      'another host': (u: string) => u.replace('127.0.0.1', '127.0.0.2'),
      'short host': (u: string) => u.replace('127.0.0.1', '127.1'),
      https: (u: string) => u.replace('http:', 'https:'),
      absent: () => undefined,
    },
    ({ proof }, to) => {
      if (proof) proof.claims.htu = to(proof.claims.htu as string)
    },
  ),
  ...each(
    'proof iat',
    {
      now: 0,
      '55 s ago': -55,
      '70 s ago': -70,
      '200 s ago': -200,
      '320 s ago': -320,
      'in 8 s': 8,
      'in 20 s': 20,
      'in 200 s': 200,
      'in 320 s': 320,
    },
    ({ proof }, offset) => {
      if (proof) proof.claims.iat = (proof.claims.iat as number) + offset
    },
  ),
  ...each(
    'proof iat',
    { 'a fraction': (t: number) => t + 0.5, text: String, absent: () => undefined, negative: () => -1 },
    ({ proof }, to) => {
      if (proof) proof.claims.iat = (to as (t: number) => unknown)(proof.claims.iat as number)
    },
  ),
  ...proofClaims('jti', { absent: undefined, empty: '', number: 5, '300 characters': 'x'.repeat(300) }),
  ...proofClaims('ath', { absent: undefined, wrong: 'x'.repeat(43), empty: '' }),
  ...proofClaims('nonce', { unasked: 'x', number: 5 }),
  ...proofClaims('exp', { past: 1, future: 9999999999, text: 'x' }),
  ...proofClaims('nbf', { past: 1, 'in 2033': 2_000_000_000 }),
  ...proofHeader('typ', {
    absent: undefined,
    JWT: 'JWT',
    capitals: 'DPOP+JWT',
    application: 'application/dpop+jwt',
    'at+jwt': 'at+jwt',
  }),
  ...proofHeader('alg', { none: 'none', HS256: 'HS256', ES384: 'ES384' }),
  ...proofHeader('crit', { unknown: ['x'], empty: [] }),
  ...proofHeader('b64', { false: false, true: true }),
  ...proofHeader('kid', { any: 'x' }),
  ...proofHeader('jwk', {
    absent: undefined,
    text: 'x',
    'a stranger’s': stranger.publicJwk,
    symmetric: { kty: 'oct', k: 'AAAA' },
  }),
  ...each(
    'proof jwk',
    {
      'with d': { d: 'x' },
      'with d, empty': { d: '' },
      'with p': { p: 'x' },
      'with oth': { oth: [] },
      'with kid and use': { kid: 'x', use: 'sig' },
      'with use enc': { use: 'enc' },
    },
    ({ proof }, more) => {
      if (proof) proof.header.jwk = { ...(proof.header.jwk as object), ...more }
    },
  ),
  ...each(
    'proof jwk',
    {
      'x with padding': (x: string) => `${x}=`,
      'x with a leading zero octet': (x: string) =>
        Buffer.concat([Buffer.alloc(1), Buffer.from(x, 'base64url')]).toString('base64url'),
      'x with unused bits': (x: string) => base64urlAliases(x).at(-1) as string,
    },
    ({ proof, token }, to) => {
      if (!proof) return
      const jwk = proof.header.jwk as Record<string, string>
      const spelled = { ...jwk, x: to(jwk.x as string) }
      proof.header.jwk = spelled
      // Bound by an issuer that hashes the text it is given.
      token.claims.cnf = { jkt: thumbprint(spelled) }
    },
  ),
  ...each('proof key', others, provenBy),
  [
    'proof key: a stranger’s',
    ({ proof }) => {
      if (!proof) return
      proof.key = stranger
      proof.header.jwk = stranger.publicJwk
    },
  ],
  [
    'proof signature: by another than jwk',
    ({ proof }) => {
      if (proof) proof.key = stranger
    },
  ],
  [
    'proof: sent twice',
    (draft) => {
      draft.times = 2
    },
  ],
]

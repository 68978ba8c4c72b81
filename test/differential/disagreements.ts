import type { Peer } from './judges.ts'

/** Requests that a peer decides otherwise than we do, and why ours is right. */
export interface Disagreement {
  /** Names of mutations; with ` + `, of several that do so only together. */
  readonly mutations: readonly string[]
  readonly ours: 'accepts' | 'refuses'
  readonly against: readonly Peer[]
  readonly why: string
  /** The major version of Node from which the runtime itself decides as we do, for the peer too. */
  readonly beforeNode?: number
}

const BOTH: readonly Peer[] = ['oauth4webapi', 'express-oauth2-jwt-bearer']
const OAUTH4WEBAPI: readonly Peer[] = ['oauth4webapi']
const EXPRESS: readonly Peer[] = ['express-oauth2-jwt-bearer']

const of = (kind: string, ...what: readonly string[]) => what.map((name) => `${kind}: ${name}`)

export const DISAGREEMENTS: readonly Disagreement[] = [
  {
    mutations: of('proof', 'sent twice'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 9449 §11.1: a proof is good once. The peers keep no memory of proofs and say so.',
  },
  {
    mutations: of('proof iat', '70 s ago', '200 s ago', 'in 20 s'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 9449 §11.1 asks for seconds or minutes. Ours takes 60 s of age and 10 s of skew, configurable to 300.',
  },
  {
    mutations: of('proof iat', 'in 200 s'),
    ours: 'refuses',
    against: OAUTH4WEBAPI,
    why: 'A proof made ahead of time is a proof that somebody could have collected (RFC 9449 §11.2).',
  },
  {
    mutations: [
      ...of('proof jwk', 'x with a leading zero octet', 'x with padding', 'x with unused bits'),
      ...of('token text', 'unused bits'),
      ...of('proof text', 'unused bits'),
    ],
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 7515 §2, RFC 7518 §6.2.1.2: one spelling. With a second one a revoked key or token comes back under another name.',
  },
  {
    mutations: [...of('token text', 'padding'), ...of('proof text', 'padding')],
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 7515 §2: base64url without padding, or one token has two names.',
  },
  {
    mutations: [...of('token JSON', 'a claim twice'), ...of('proof JSON', 'a claim twice')],
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 7519 §4 allows only to refuse or to take the last: what the issuer meant by two values nobody knows.',
  },
  {
    mutations: of('token JSON', 'a byte order mark'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 8259 §8.1: JSON on the wire has none.',
  },
  {
    mutations: of('token JSON', 'exp without end'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 7519 §2: a NumericDate is a date. 1e999 is Infinity to JSON.parse, and the token would never end.',
  },
  {
    mutations: of('token iat', 'in 2033'),
    ours: 'refuses',
    against: BOTH,
    why: 'A token of the future evades every rule that revokes what was issued before a date.',
  },
  {
    mutations: of('token iat', 'absent'),
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 9068 §2.2 requires it, and rules that revoke by date need it.',
  },
  {
    mutations: of('proof htu', 'backslash', 'one slash', 'short host', 'space before', 'tab inside'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 9449 §4.2: htu is a URI. These are none; the WHATWG parser of the peers repairs them into one.',
  },
  {
    mutations: of('proof htu', 'userinfo'),
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 9110 §4.2.4: an http URI with userinfo is to be taken for an error.',
  },
  {
    mutations: [...of('proof htu', 'escaped letter'), ...of('target', 'escaped letter')],
    ours: 'accepts',
    against: OAUTH4WEBAPI,
    why: 'RFC 9449 §4.3 (9) with RFC 3986 §6.2.2.2: an escaped unreserved character is that character.',
  },
  {
    mutations: of('proof htm', 'lower case'),
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 9110 §9.1: methods are case-sensitive.',
  },
  {
    mutations: of('proof jti', '300 characters'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 9449 §11.1: a server may refuse oversized values; ours takes 256 characters.',
  },
  {
    mutations: of('proof jti', 'empty'),
    ours: 'refuses',
    against: OAUTH4WEBAPI,
    why: 'RFC 9449 §4.2: jti is unique. Nothing is not.',
  },
  {
    mutations: of('proof jti', 'number'),
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 7519 §4.1.7: a string.',
  },
  {
    mutations: of('proof jwk', 'with oth', 'with p'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 9449 §4.3 (7): no private member, of whatever type of key.',
  },
  {
    mutations: of('proof jwk', 'with d, empty'),
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 9449 §4.3 (7): no private member, of whatever value. From Node 26 on the runtime refuses it for everybody.',
    beforeNode: 26,
  },
  {
    mutations: of('proof key', 'RS256'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 8725 §3.2: PKCS #1 v1.5 is no choice for a new protocol. It can be configured.',
  },
  {
    mutations: [
      ...of('token b64', 'false', 'true'),
      ...of('proof b64', 'false', 'true'),
      ...of('token zip', 'DEF'),
      ...of('token cty', 'JWT'),
    ],
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 7797 §7, RFC 7519 §5.2: no JWT has b64, zip is of encryption, cty JWT says that this is the outer of two. Not understood is refused.',
  },
  {
    mutations: of('token kid', 'number'),
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 7515 §4.1.4: a string.',
  },
  {
    mutations: of('token aud', 'and a number'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 7519 §4.1.3: a string, or strings.',
  },
  {
    mutations: of('token scope', 'list', 'number'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 8693 §4.2: a string. What a handler makes of anything else nobody knows.',
  },
  {
    mutations: of('token act', 'text', 'without sub'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 8693 §4.1: an object that names the actor. Somebody acts, and nobody can say who.',
  },
  {
    mutations: [...of('token sub', 'empty'), ...of('token jti', 'empty')],
    ours: 'refuses',
    against: BOTH,
    why: 'An identifier that is empty identifies nothing, and everybody without one is the same.',
  },
  {
    mutations: of('token sub', 'absent'),
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 9068 §2.2 requires it.',
  },
  {
    mutations: [
      ...of('token typ', 'JWT, an ID token', 'JWT, of no client', 'absent', 'dpop+jwt', 'logout+jwt'),
      ...of('scheme: Bearer for a token whose cnf is', 'of a certificate', 'a text', 'null'),
    ],
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 8725 §3.11 and §3.12, RFC 7800 §3.1: other kinds of JWT, and tokens bound in ways not understood here, open nothing.',
  },
  {
    mutations: of('scheme: Bearer for a token whose cnf is', 'empty'),
    ours: 'refuses',
    against: BOTH,
    why: 'RFC 7800 §3.1: the token says that it is bound. That nobody can say to what does not free it.',
  },
  {
    mutations: of('fields', 'Authorization twice'),
    ours: 'refuses',
    against: EXPRESS,
    why: 'RFC 9110 §5.3: the field is no list. Node drops the second one, so that a proxy and the server may each see another.',
  },
  {
    mutations: ['scheme: Bearer for an unbound token + target: two slashes'],
    ours: 'refuses',
    against: OAUTH4WEBAPI,
    why: 'RFC 3986 §4.2: what begins with two slashes names a host. Whoever resolves it may see another path than the router.',
  },
  {
    mutations: [...of('token client_id', 'absent'), ...of('token jti', 'absent'), ...of('token typ', 'JWT')],
    ours: 'accepts',
    against: OAUTH4WEBAPI,
    why: 'RFC 9068 §4 for all is `profile: rfc9068`. By default the tokens of older issuers pass too, where they cannot be another kind.',
  },
  {
    mutations: of('token cnf', 'jkt and kid', 'jkt and x5t#S256'),
    ours: 'accepts',
    against: OAUTH4WEBAPI,
    why: 'RFC 7800 §3.1: members beside are ignored; jkt is there and is proven.',
  },
  {
    mutations: of('scheme', 'Bearer for an unbound token, with proof'),
    ours: 'accepts',
    against: BOTH,
    why: 'RFC 9449 §7.2: a client may send proofs before it knows; an unbound token needs none, and this one proves nothing.',
  },
  {
    mutations: of('scheme', 'two spaces'),
    ours: 'accepts',
    against: EXPRESS,
    why: 'RFC 9110 §11.4: credentials = auth-scheme 1*SP token68.',
  },
]

/** Whether somebody looked at this disagreement: one of the mutations is listed with it. */
export function isListed(mutations: readonly string[], ours: Disagreement['ours'], peer: Peer): boolean {
  return DISAGREEMENTS.some(
    (listed) =>
      listed.ours === ours &&
      listed.against.includes(peer) &&
      listed.mutations.some((name) => name.split(' + ').every((part) => mutations.includes(part))),
  )
}

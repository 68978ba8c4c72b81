import { base64urlAliases } from '../support/aliases.ts'
import { each, type Mutation, stranger } from './mutation.ts'

const alias = (text: string, nth: number) => {
  const [h, p, s] = text.split('.') as [string, string, string]
  return `${h}.${p}.${base64urlAliases(s).at(nth)}`
}
/** What is signed rightly and then written otherwise. */
export const TEXT_MUTATIONS: readonly Mutation[] = [
  ...each('token text', { 'unused bits': -1, padding: 0, 'a space inside': 6 }, (draft, nth) => {
    draft.editToken = (text) => alias(text, nth)
  }),
  ...each('proof text', { 'unused bits': -1, padding: 0 }, (draft, nth) => {
    draft.editProof = (text) => alias(text, nth)
  }),
  ...each(
    'token text',
    { 'a part more': '.AAAA', 'a dot more': '.', 'a letter more': 'A' },
    (draft, more) => {
      draft.editToken = (text) => text + more
    },
  ),
  ...each('token text', { 'without signature': 2, 'two parts': 1 }, (draft, parts) => {
    draft.editToken = (text) => (parts === 2 ? text.replace(/[^.]*$/, '') : text.replace(/\.[^.]*$/, ''))
  }),
  ...each(
    'token JSON',
    {
      'a claim twice': (json: string) => json.replace('{', '{"scope":"admin",'),
      'exp without end': (json: string) => json.replace(/"exp":\d+/, '"exp":1e999'),
      'with spaces': (json: string) => json.replaceAll(',', ' ,\n'),
      'a byte order mark': (json: string) => `\ufeff${json}`,
      list: (json: string) => `[${json}]`,
    },
    (draft, edit) => {
      draft.editTokenJson = edit
    },
  ),
  ...each(
    'proof JSON',
    {
      'a claim twice': (json: string) => json.replace('{', '{"jti":"other",'),
      'iat without end': (json: string) => json.replace(/"iat":\d+/, '"iat":1e999'),
      'with spaces': (json: string) => json.replaceAll(',', ' ,\n'),
    },
    (draft, edit) => {
      draft.editProofJson = edit
    },
  ),
]

/** How it is sent. */
export const REQUEST_MUTATIONS: readonly Mutation[] = [
  ...each('scheme', { 'lower case': 'dpop', Basic: 'Basic', 'two spaces': 'DPoP ' }, (draft, scheme) => {
    draft.scheme = scheme
  }),
  [
    'scheme: Bearer for a bound token, with proof',
    (draft) => {
      draft.scheme = 'Bearer'
    },
  ],
  [
    'scheme: Bearer for a bound token',
    (draft) => {
      draft.scheme = 'Bearer'
      draft.proof = undefined
    },
  ],
  [
    'scheme: Bearer for an unbound token',
    (draft) => {
      draft.scheme = 'Bearer'
      draft.proof = undefined
      draft.token.claims.cnf = undefined
    },
  ],
  [
    'scheme: Bearer for an unbound token, with proof',
    (draft) => {
      draft.scheme = 'Bearer'
      draft.token.claims.cnf = undefined
    },
  ],
  ...each<unknown>(
    'scheme: Bearer for a token whose cnf is',
    {
      'of a certificate': { 'x5t#S256': 'x' },
      'a text': 'x',
      null: null,
      empty: {},
      'a jkt that is a list': { jkt: [stranger.jkt] },
      'a jkt that is a number': { jkt: 5 },
    },
    (draft, cnf) => {
      draft.scheme = 'Bearer'
      draft.proof = undefined
      draft.token.claims.cnf = cnf
    },
  ),
  [
    'fields: no proof',
    (draft) => {
      draft.proof = undefined
    },
  ],
  ...each('fields', { 'Authorization twice': 'Authorization', 'DPoP twice': 'DPoP' }, (draft, twice) => {
    draft.editFields = (fields) => fields.flatMap((field) => (field[0] === twice ? [field, field] : [field]))
  }),
  ...each(
    'fields',
    { 'a second credential, joined': ', Bearer x', 'a comma after it': ',', 'a word after it': ' x' },
    (draft, more) => {
      draft.editFields = (fields) =>
        fields.map(([name, value]) => [name, name === 'Authorization' ? value + more : value])
    },
  ),
  [
    'fields: the token in the query',
    (draft) => {
      draft.editFields = ([authorization]) => {
        draft.target = '/mcp'
        return [['X-Other', (authorization as [string, string])[1]]]
      }
    },
  ],
  ...each(
    'target',
    {
      query: '/mcp?a=b',
      'another path': '/admin',
      slash: '/mcp/',
      'escaped letter': '/m%63p',
      'two slashes': '//mcp',
      'in capitals': '/MCP',
    },
    (draft, target) => {
      draft.target = target
    },
  ),
  [
    'method: GET',
    (draft) => {
      draft.method = 'GET'
    },
  ],
]

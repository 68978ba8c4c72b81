/** One requirement of a specification, by the name that tests cite in their titles: `[id]`. */
export interface Requirement {
  readonly id: string
  readonly source: string
  readonly level: 'MUST' | 'SHOULD'
  readonly text: string
  /** Whom it binds, where that is not the guard: such a requirement needs no test here. */
  readonly binds?: 'host' | 'client' | 'issuer'
}

type Row = readonly [
  id: string,
  level: Requirement['level'],
  text: string,
  binds?: 'host' | 'client' | 'issuer',
]

function of(source: string, rows: readonly Row[]): Requirement[] {
  return rows.map(([id, level, text, binds]) => ({ id, source, level, text, ...(binds && { binds }) }))
}

const DPOP = of('RFC 9449', [
  ['9449-4.3-1', 'MUST', 'There is not more than one DPoP field'],
  ['9449-4.3-2', 'MUST', 'The DPoP field is a single well-formed JWT'],
  ['9449-4.3-3', 'MUST', 'All required claims of §4.2 are in it'],
  ['9449-4.3-4', 'MUST', 'Its typ is dpop+jwt'],
  ['9449-4.3-5', 'MUST', 'Its alg is a registered asymmetric algorithm, not none, supported and acceptable'],
  ['9449-4.3-6', 'MUST', 'Its signature verifies with the key in jwk'],
  ['9449-4.3-7', 'MUST', 'Its jwk has no private key'],
  ['9449-4.3-8', 'MUST', 'htm is the method of the request'],
  ['9449-4.3-9', 'MUST', 'htu is the URI of the request, without query and fragment, normalized'],
  ['9449-4.3-10', 'MUST', 'nonce is the one provided, where one was'],
  ['9449-4.3-11', 'MUST', 'It was made within an acceptable window'],
  ['9449-4.3-12a', 'MUST', 'ath is the hash of the access token'],
  ['9449-4.3-12b', 'MUST', 'The token is bound to the key of the proof'],
  ['9449-6.1', 'MUST', 'A bound token says so in cnf.jkt, by SHA-256 thumbprint'],
  ['9449-7.1-scheme', 'MUST', 'The scheme DPoP is compared case-insensitively'],
  ['9449-7.1-both', 'MUST', 'Access needs both the token and a valid proof'],
  ['9449-7.1-challenge', 'MUST', '401 carries a DPoP challenge; it should have algs'],
  ['9449-7.1-proxy', 'MUST', 'The scheme is not for Proxy-Authorization'],
  ['9449-7.2-downgrade', 'MUST', 'A bound token is refused as a Bearer token'],
  [
    '9449-7.2-several',
    'SHOULD',
    'With several challenges the error stands in that of the scheme used; ambiguous requests are 400',
  ],
  ['9449-8-nonce', 'MUST', 'A nonce is unpredictable and handed out with use_dpop_nonce'],
  ['9449-8.1-nqchar', 'MUST', 'DPoP-Nonce is one value of NQCHAR'],
  ['9449-8.2-success', 'SHOULD', 'A new nonce may ride on a success, which is then not to be stored'],
  ['9449-9-rs', 'MUST', 'A resource server demands its own nonce with 401 use_dpop_nonce'],
  ['9449-11.1-window', 'MUST', 'Proofs are accepted for a limited time only, at their own target'],
  ['9449-11.1-replay', 'SHOULD', 'jti is remembered for as long as the proof is acceptable'],
  ['9449-11.1-size', 'SHOULD', 'Oversized jti values do not exhaust memory'],
  ['9449-11.3-nonce', 'MUST', 'Once a nonce is demanded, no proof without one is accepted'],
  ['9449-11.5-typ', 'MUST', 'No other kind of JWT passes for a proof'],
  ['9449-11.6-alg', 'MUST', 'Only asymmetric algorithms of policy are accepted, none never'],
])

const BEARER = of('RFC 6750', [
  ['6750-2-header', 'MUST', 'Tokens are taken from the Authorization field alone (OAuth 2.1 §5.1)'],
  ['6750-3-charset', 'MUST', 'error and error_description are within %x20-21 / %x23-5B / %x5D-7E'],
  ['6750-3.1-status', 'SHOULD', '400 invalid_request, 401 invalid_token, 403 insufficient_scope'],
  ['6750-3.1-scope', 'SHOULD', 'insufficient_scope names the scopes that are needed'],
  ['6750-3.1-none', 'SHOULD', 'No error code where no credentials came'],
])

const TOKENS = of('RFC 9068', [
  ['9068-4-typ', 'MUST', 'typ is at+jwt or application/at+jwt (another only by profile)'],
  ['9068-4-iss', 'MUST', 'iss is exactly the issuer'],
  ['9068-4-aud', 'MUST', 'aud contains this resource'],
  ['9068-4-signature', 'MUST', 'The signature verifies with the issuer’s keys, alg none is refused'],
  ['9068-4-exp', 'MUST', 'The time is before exp'],
  ['9068-4-claims', 'MUST', 'iss, exp, aud, sub, client_id, iat and jti are there'],
])

const JWT = of('RFC 8725', [
  ['8725-2.4', 'SHOULD', 'Nothing compressed or encrypted is expanded'],
  ['8725-3.1', 'MUST', 'Algorithms are of an allow-list, each key is used with its own'],
  ['8725-3.2', 'MUST', 'Only algorithms that are sound and meet policy'],
  ['8725-3.4', 'MUST', 'Cryptographic input is validated: points are on their curve'],
  ['8725-3.8', 'MUST', 'The keys belong to the issuer'],
  ['8725-3.9', 'MUST', 'The audience is validated'],
  [
    '8725-3.10',
    'MUST',
    'Received claims are not trusted: kid injects nothing, jku, x5u and unknown issuers are not fetched',
  ],
  ['8725-3.11', 'SHOULD', 'Explicit typing'],
  ['8725-3.12', 'MUST', 'Kinds of JWT have mutually exclusive rules'],
  ['8725-3.14', 'SHOULD', 'Format and size are checked before anything else (8725bis)'],
])

const JOSE = of('RFC 7515–7519, 7638, 7800', [
  ['7515-2-base64url', 'MUST', 'base64url without padding, white space or other characters'],
  ['7515-4-object', 'MUST', 'A header is a JSON object'],
  ['7515-4.1.4', 'MUST', 'kid is a string'],
  ['7515-4.1.9', 'SHOULD', 'typ may leave application/ out; media types ignore case'],
  ['7515-4.1.11-crit', 'MUST', 'Critical extensions that are not understood are refused'],
  ['7515-7.1', 'MUST', 'The compact serialization has three parts'],
  ['7517-4.2', 'SHOULD', 'use and key_ops say what a key is for'],
  ['7517-5', 'SHOULD', 'Members of a set that are not understood are left out'],
  ['7518-6-minimal', 'MUST', 'Coordinates have their full length, RSA integers their least'],
  ['7519-4-duplicates', 'MUST', 'Claim names are unique, or the JWT is refused'],
  ['7519-4.1-types', 'MUST', 'exp, nbf and iat are numbers, aud a string or strings'],
  ['7638-3', 'MUST', 'A thumbprint is over the required members, in order'],
  ['7800-3.1', 'SHOULD', 'A confirmation that is not understood is not ignored'],
])

const OAUTH = of('RFC 8414, 8693, 8707, 9728', [
  ['8414-3.3', 'MUST', 'Metadata of another issuer is not used'],
  ['8693-4.1', 'MUST', 'Only the outermost actor counts'],
  ['8707-2-exact', 'MUST', 'The audience is compared exactly'],
  ['8707-2-fragment', 'MUST', 'A resource has no fragment'],
  ['9728-2-resource', 'MUST', 'resource is in the metadata'],
  ['9728-2-servers', 'SHOULD', 'authorization_servers lists the issuers'],
  ['9728-3.1', 'MUST', 'The well-known string is inserted before the path'],
  ['9728-3.2', 'MUST', 'The metadata is application/json with status 200'],
  ['9728-3.3', 'MUST', 'resource is identical to the identifier the URL was made of'],
  ['9728-5.1', 'SHOULD', 'resource_metadata is on every challenge'],
])

const MCP = of('MCP 2026-07-28', [
  ['MCP-R1', 'MUST', 'Protected resource metadata is implemented'],
  ['MCP-R2', 'MUST', 'It lists at least one authorization server'],
  ['MCP-R3', 'MUST', 'It is found by challenge or well-known URI'],
  ['MCP-R4', 'SHOULD', 'The well-known URI is at the path of the endpoint or at the root'],
  ['MCP-R5', 'SHOULD', 'scope is in the challenge'],
  ['MCP-R6', 'SHOULD', 'Scope sets are built consistently', 'host'],
  ['MCP-R7', 'SHOULD', 'scopes_supported is the least that is needed'],
  ['MCP-R8', 'MUST', 'Tokens are validated before anything is processed'],
  ['MCP-R9', 'MUST', 'The token was issued for this server'],
  ['MCP-R10', 'MUST', 'Tokens that do not name it as audience are refused'],
  ['MCP-R11', 'MUST', 'Only tokens for its own resources are accepted'],
  ['MCP-R12', 'MUST', 'No other tokens are accepted'],
  ['MCP-R13', 'MUST', 'The token is not passed on to other APIs', 'host'],
  ['MCP-R14', 'MUST', 'Invalid or expired tokens are 401'],
  ['MCP-R15', 'MUST', '401, 403 and 400 each for what they mean'],
  ['MCP-R16', 'MUST', 'No tokens in the query'],
  ['MCP-R17', 'MUST', 'Every request is authorized, sessions or not'],
  ['MCP-R18', 'SHOULD', 'Too little scope is 403 insufficient_scope with scope and resource_metadata'],
  ['MCP-R19', 'SHOULD', 'That scope is what this operation needs'],
  ['MCP-R20', 'SHOULD', 'All of it is in one challenge'],
  ['MCP-R21', 'MUST', 'Scope hierarchies count: `impliesScope` of @sharkguard/mcp', 'host'],
  ['MCP-R22', 'SHOULD', 'offline_access is neither in challenges nor in scopes_supported'],
  ['MCP-R23', 'SHOULD', 'The canonical URI is the identifier: no fragment, no slash added'],
  ['MCP-R24', 'MUST', 'HTTPS and secure storage', 'host'],
  ['MCP-R25', 'MUST', 'A state handle or session id authenticates nobody'],
  ['MCP-R26', 'SHOULD', 'Handles are bound to their user', 'host'],
  ['MCP-R27', 'MUST', 'Origin is validated', 'host'],
  ['MCP-R28', 'SHOULD', 'Local servers listen on 127.0.0.1', 'host'],
  ['MCP-R29', 'MUST', 'POST only; the protocol version agrees with the body', 'host'],
  ['MCP-R30', 'MUST', 'Mcp-Method and Mcp-Name are not trusted before the body is compared', 'host'],
  ['MCP-R31', 'MUST', 'Private caches do not cross authorization contexts', 'host'],
])

const MCP_DPOP = of('SEP-1932', [
  ['SEP-D1', 'MUST', 'Proofs are validated by RFC 9449 §4.3'],
  ['SEP-D2', 'MUST', 'iat is within five minutes, or less'],
  ['SEP-D3', 'MUST', 'Any failure is 401 with a challenge'],
  ['SEP-D4', 'SHOULD', 'invalid_dpop_proof for proofs, invalid_token for tokens'],
  ['SEP-D5', 'MUST', 'A bound token is not accepted under Bearer'],
  ['SEP-D6', 'SHOULD', 'jti is tracked'],
  ['SEP-D7', 'MUST', 'Without tracking, the window is short', 'host'],
  ['SEP-D8', 'SHOULD', 'Nonces where security is high'],
  ['SEP-D9', 'MUST', 'The audience is still validated'],
  ['SEP-D10', 'MUST', 'Asymmetric algorithms alone; ES256 always'],
  ['SEP-D11', 'MUST', 'The issuer names the algorithms', 'issuer'],
  ['SEP-D12', 'MUST', 'cnf.jkt in tokens, token_type DPoP', 'issuer'],
  ['SEP-D13', 'MUST', 'No token without a proof for clients that want bound ones', 'issuer'],
  ['SEP-D14', 'MUST', 'A fresh proof per request; nonces are used', 'client'],
  ['SEP-D15', 'MUST', 'Keys are protected', 'client'],
  ['SEP-D16', 'SHOULD', 'The metadata says which algorithms, and that binding is required'],
])

/** What binds a resource server, by the specifications it is built on. */
export const REQUIREMENTS: readonly Requirement[] = [
  ...DPOP,
  ...BEARER,
  ...TOKENS,
  ...JWT,
  ...JOSE,
  ...OAUTH,
  ...MCP,
  ...MCP_DPOP,
]

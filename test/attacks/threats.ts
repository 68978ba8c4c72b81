/**
 * A pitfall that somebody fell into, and the tests that keep us out: file and a part of the title, `folder/file › title`; no
 * title where all of the file is meant.
 */
export interface Threat {
  readonly threat: string
  readonly tests: readonly string[]
  /** Why there is nothing to test here. */
  readonly absent?: string
}

const t = (threat: string, ...tests: string[]): Threat => ({ threat, tests })
const absent = (threat: string, why: string, ...tests: string[]): Threat => ({ threat, tests, absent: why })
/** In the order of the list of pitfalls that we collected from peers, advisories and RFCs: the first is number 1. */
export const SIGNATURES_AND_KEYS: readonly Threat[] = [
  t('HMAC with a public key as its secret', 'attacks/algorithm-confusion › as its secret, of a token'),
  t(
    'alg none, in any spelling',
    'attacks/algorithm-confusion › %j, of a token',
    'attacks/algorithm-confusion › %j, of a proof',
  ),
  t(
    'an empty or truncated signature',
    'attacks/key-substitution › empty, of either',
    'attacks/key-substitution › %s, of a proof',
  ),
  t(
    'ECDSA with r or s zero, too large, or as DER',
    'attacks/key-substitution › %s, of a token',
    'core/runtime › never as DER, and no number out of range',
  ),
  t(
    'the header chooses the algorithm of a key that names none',
    'attacks/algorithm-confusion › published without alg verifies what is configured',
  ),
  t(
    'algorithm, type and curve that do not go together',
    'attacks/algorithm-confusion › does not fit ES256, nor Ed448',
    'attacks/algorithm-confusion › a P-256 key in a proof does not fit',
  ),
  t('a token that brings its own key', 'attacks/key-substitution › is never the one that the token brings'),
  t(
    'jku, x5u and x5c are fetched',
    'attacks/key-substitution › is never the one that the token brings',
    'attacks/key-substitution › of a proof is not fetched either',
  ),
  t(
    'a kid that is a path, SQL, a prototype’s member, huge, or no text',
    'attacks/kid-injection › finds no key and breaks nothing',
    'attacks/kid-injection › is no kid',
  ),
  t('one kid at two issuers', 'attacks/issuer-mix-up › are not trusted for one another'),
  t(
    'keys of a cache that run together',
    'attacks/issuer-mix-up › are not trusted for one another',
    'attacks/kid-injection › finds no key and breaks nothing',
  ),
  t(
    'published keys that are not for verification',
    'core/keys-weather › are left out',
    'core/public-jwk › refuses %j',
  ),
  t(
    'weak RSA, huge RSA, exponent 1',
    'attacks/key-substitution › RSA of 1024, 2047 or 8192 bits',
    'core/public-jwk › refuses a modulus of %i bits',
  ),
  t(
    'no kid and many keys',
    'core/keys-weather › of many keys that a token might mean four are tried',
    'core/access-token › without kid tries the keys that fit',
  ),
  absent(
    'an empty secret',
    'there are no secrets',
    'core/options › knows no symmetric algorithm and no none',
  ),
  t(
    'crit, b64 and zip are ignored',
    'attacks/dos-by-garbage › is malformed and nothing is done about it',
    'core/jws › sees %j',
  ),
  absent(
    'HMAC verification that is skipped',
    'there is none',
    'core/options › knows no symmetric algorithm and no none',
  ),
  t(
    'a signature is verified before policy is asked',
    'attacks/dos-by-garbage › that policy forbids has no signature verified and no key fetched',
  ),
]

export const TEXT_AND_PARSING: readonly Threat[] = [
  t(
    'one token in several spellings of base64url',
    'attacks/token-text-malleability › of a token is malformed, known or not',
    'attacks/token-text-malleability › of a proof is malformed, used or not',
    'properties/syntax › has no two spellings',
  ),
  t(
    'the twin of an ECDSA signature',
    'attacks/token-text-malleability › replays no proof',
    'attacks/token-text-malleability › is the same token to everything that knows tokens by their claims',
  ),
  t(
    'a JWE, a nested token, five parts',
    'attacks/dos-by-garbage › is malformed and nothing is done about it',
    'attacks/foreign-token-kinds › is malformed',
  ),
  t(
    'zip bombs and costly password hashes',
    'attacks/dos-by-garbage › is malformed and nothing is done about it',
  ),
  t(
    'megabytes of dots',
    'attacks/dos-by-garbage › is neither hashed nor parsed',
    'core/jws › refuses a megabyte of dots without cutting it',
  ),
  t(
    'JSON nested without end',
    'attacks/dos-by-garbage › claims nested without end are refused',
    'core/json › survives a hundred thousand levels',
  ),
  t(
    'a claim that comes twice',
    'attacks/token-text-malleability › makes a token or a proof malformed',
    'core/json › finds a duplicate wherever it is put',
  ),
  t(
    'invalid UTF-8, a byte order mark, lone surrogates, NUL',
    'core/json › refuses %s',
    'attacks/token-text-malleability › makes a token or a proof malformed',
  ),
  t(
    '__proto__, and claims that are no object',
    'core/access-token › __proto__ satisfies no claim',
    'core/access-token › a payload that is %s is malformed',
    'core/json › makes __proto__ a member like any other',
  ),
  t('the JSON serialization', 'attacks/foreign-token-kinds › is malformed'),
  t(
    'case and spaces of the scheme',
    'core/credentials › the scheme in any case',
    'attacks/header-injection › is an ambiguous or malformed request',
  ),
  t(
    'two Authorization fields, or two in one',
    'attacks/header-injection › is an ambiguous or malformed request',
    'parity/parity › is answered the same by %s',
  ),
  t(
    'a token in query, body or cookie',
    'attacks/header-injection › is not a credential',
    'attacks/header-injection › in a form or a cookie is not a credential',
    'core/decision › never sees a token, a proof or a credential',
  ),
]

export const CLAIMS: readonly Threat[] = [
  t('iss as a list or an object', 'attacks/issuer-mix-up › is every spelling but the configured one'),
  t('iss that begins or ends like ours', 'attacks/issuer-mix-up › is every spelling but the configured one'),
  t(
    'iss with a slash, in another case, with a port',
    'attacks/issuer-mix-up › is every spelling but the configured one',
  ),
  t('iss chooses where keys are fetched', 'attacks/issuer-mix-up › is not asked for anything'),
  t(
    'no check of aud, or none configured',
    'attacks/audience-confusion › is for nobody',
    'attacks/audience-confusion › cannot be made for the audience',
  ),
  t(
    'aud as a list, empty, with other types, in part',
    'attacks/audience-confusion › is for nobody',
    'attacks/audience-confusion › is for another resource',
  ),
  t(
    'aud with a slash, in another case, with a port',
    'attacks/audience-confusion › is for another resource',
    'attacks/audience-confusion › takes each exactly',
  ),
  t(
    'an audience that is a regular expression',
    'attacks/audience-confusion › cannot be made for the audience',
  ),
  t(
    'exp missing, as text, infinite, exactly now',
    'core/access-token › [9068-4-exp]',
    'core/access-token › exp %s never ends',
  ),
  t(
    'nbf and iat of the future, missing, of other types',
    'core/access-token › [7519-4.1.5-nbf]',
    'core/access-token › is not valid yet again when the clock is set back',
  ),
  t(
    'a clock that jumps, a tolerance that is no number',
    'attacks/replayed-proof › nor when the clock is set back',
    'attacks/jwks-bad-weather › and %s lets nothing pass',
    'core/options › names $name when it is $value',
  ),
  t('an ID token', 'attacks/foreign-token-kinds › is no access token'),
  t(
    'other JWTs of the same issuer',
    'attacks/foreign-token-kinds › is no access token',
    'core/profile › of the same issuer by its %j',
  ),
  t(
    'scope as a list, with tabs, in part',
    'attacks/scope-confusion › is none: 401',
    'attacks/scope-confusion › has too little',
  ),
  t('one sub at two issuers', 'attacks/issuer-mix-up › may have subjects of one name'),
  t(
    'act without end, inner actors that count',
    'attacks/confirmation-shapes › %j is refused',
    'attacks/confirmation-shapes › of inner actors, and may_act',
  ),
  t(
    'cnf of any other shape',
    'attacks/confirmation-shapes › is refused as DPoP and as Bearer',
    'attacks/confirmation-shapes › with jkt may have more that we do not know',
  ),
]

export const PROOFS: readonly Threat[] = [
  t('a bound token as Bearer', 'attacks/stolen-token › sent as %s is refused'),
  t('a proof by another key', 'attacks/stolen-token › with a proof of the attacker’s own key'),
  t(
    'a thumbprint over other members or another spelling',
    'core/public-jwk › is that of RFC 7638',
    'attacks/key-substitution › is refused when its %s is spelled otherwise',
  ),
  t(
    'one thumbprint for two keys, points on no curve or of small order',
    'attacks/key-substitution › of another type under the same thumbprint',
    'attacks/key-substitution › is a 401 when its point is on no curve',
    'attacks/key-substitution › for which anybody can sign',
  ),
  t(
    'symmetric and private keys in a proof',
    'attacks/key-substitution › full, empty or null',
    'attacks/key-substitution › is refused when it is the private key',
  ),
  t(
    'a proof without jwk, with x5c or jku',
    'attacks/key-substitution › is refused when it is %s',
    'attacks/key-substitution › of a proof is not fetched either',
  ),
  t(
    'another typ',
    'core/proof › [9449-11.5-typ]',
    'attacks/foreign-token-kinds › a proof is no token, and a token is no proof',
  ),
  t(
    'htm in another case, HEAD for GET, an override',
    'attacks/proof-for-another › %j is refused [9449-4.3-8]',
    'attacks/proof-for-another › is not made right by an override',
  ),
  t('htu of another host, scheme, port, path', 'attacks/proof-for-another › %j is refused [9449-4.3-9]'),
  t(
    'default ports, capitals, an empty path',
    'attacks/proof-for-another › is the same URL',
    'core/target-uri › compares %s with %s',
  ),
  t(
    'percent-encoding',
    'core/target-uri › compares %s with %s',
    'properties/syntax › only if the URL parser, which forgives more, thinks so too',
  ),
  t(
    'dot segments, backslashes, tabs, userinfo',
    'attacks/proof-for-another › %j is refused [9449-4.3-9]',
    'attacks/proof-for-another › does not open the path that its dot segments lead to',
  ),
  t(
    'other names of a host',
    'core/target-uri › compares %s with %s',
    'properties/syntax › of another origin is never the same',
  ),
  t('query and fragment in htu', 'attacks/proof-for-another › is the same URL'),
  t(
    'a forged Host',
    'attacks/host-header-spoofing › changes nothing: the proof is compared with the configured origin',
    'attacks/host-header-spoofing › with a path does not turn',
  ),
  t('X-Forwarded-* and Forwarded', 'attacks/host-header-spoofing › is not looked at'),
  t(
    'targets in absolute form, mounted paths',
    'attacks/host-header-spoofing › %s: %i',
    'parity/mounted › compares htu with the whole path',
  ),
  t(
    'method and URL of a sub-request',
    'attacks/host-header-spoofing › is not looked at',
    'attacks/proof-for-another › is not made right by an override',
  ),
  t(
    'iat at and beyond its bounds',
    'core/proof › [9449-4.3-11]',
    'attacks/proof-for-another › %d seconds off is refused',
  ),
  t(
    'exp and nbf of a proof, and claims nobody asked for',
    'core/proof › may have members and claims that nobody asked for',
    'core/proof › [9449-4.3-11]',
  ),
  t(
    'ath that is missing or of something else',
    'attacks/proof-for-another › is refused when ath is the hash %s',
    'attacks/proof-for-another › is refused: %s',
  ),
  t('jti missing, empty, huge, no text', 'core/proof › [9449-4.3-3]', 'core/proof › is as long for any jti'),
  t(
    'the same proof again',
    'attacks/replayed-proof › is refused the second time',
    'attacks/replayed-proof › spelled otherwise, or signed anew',
  ),
  t(
    'a memory shorter than the window',
    'attacks/replayed-proof › no proof is ever accepted twice',
    'core/memory-replay-store-property › no proof is accepted twice, whatever',
  ),
  t(
    'the same proof at the same time',
    'attacks/replayed-proof › nineteen times of twenty',
    'contracts/memory › ',
    'contracts/redis › ',
  ),
  t(
    'a victim’s jti burned before',
    'attacks/replayed-proof › is free for another: nobody can use up',
    'attacks/issuer-mix-up › share no replay memory',
  ),
  t(
    'bad requests that write to the store',
    'attacks/replayed-proof › is not used up by requests that are refused for anything else',
  ),
  t(
    'a store that is flooded',
    'core/memory-replay-store › of one hostile key are stopped at its quota',
    'core/memory-replay-store › gives up its oldest',
    'core/memory-replay-store-load › does not grow with time',
  ),
  t(
    'a store that does not answer',
    'attacks/jwks-bad-weather › lets nothing pass and tells nothing',
    'parity/parity › by the guard itself',
  ),
  t('Redis: atomicity, expiry, failover', 'contracts/redis › '),
  t('two DPoP fields', 'attacks/header-injection › is a bad proof: 401'),
  t(
    'a proof beside an unbound token',
    'attacks/stolen-token › leaves a proof beside it unread and unclaimed',
    'attacks/stolen-token › is not taken under DPoP',
  ),
  t(
    'a proof for another server',
    'attacks/proof-for-another › which has no ath, opens no resource',
    'attacks/proof-for-another › is refused there, though issuer, agent and key are the same',
  ),
]

export const NONCES_AND_CHALLENGES: readonly Threat[] = [
  t(
    'nonces that are forged, old, of the future, long',
    'core/nonce › that were made up are not accepted',
    'core/nonce › work in the year 2040',
    'attacks/nonce-evasion › but with %j is challenged',
  ),
  t(
    'a nonce instead of a window',
    'attacks/nonce-evasion › does not make an old proof young',
    'attacks/nonce-evasion › one that comes anyway is ignored',
  ),
  t(
    'a nonce of another server',
    'attacks/nonce-evasion › %s is none',
    'core/nonce › of one resource are nothing to another',
  ),
  t(
    'a client that is challenged for ever',
    'attacks/nonce-evasion › is challenged exactly once',
    'attacks/nonce-evasion › rides on every success',
  ),
  t(
    'challenges that are no challenges',
    'core/challenge › the field stays one line of the grammar',
    'core/challenge › no header begins within a value',
  ),
  t(
    'a status that means something else',
    'core/challenge › have the status that goes with their code',
    'attacks/scope-confusion › has too little',
  ),
  t(
    'texts that tell secrets',
    'attacks/header-injection › does not come back',
    'core/challenge › is static and within',
  ),
  t(
    'failures that look like a bad token',
    'attacks/jwks-bad-weather › are 503 with Retry-After, never 401',
    'parity/handler-fails › a handler that throws is a 500',
  ),
]

export const KEYS_AND_REVOCATION: readonly Threat[] = [
  t('a flood of unknown kids', 'attacks/kid-flood › cost at most six fetches and keep no honest agent out'),
  t(
    'good keys pushed out of a cache',
    'attacks/kid-flood › cost at most six fetches and keep no honest agent out',
    'attacks/kid-flood › do not hide a new key for longer than a cooldown',
  ),
  t(
    'an outage of the issuer',
    'core/keys › keeps the known keys for an hour past their age',
    'core/keys › is asked about ever more rarely',
    'attacks/jwks-bad-weather › end an hour after their age',
  ),
  t(
    'a stolen key that was withdrawn',
    'attacks/jwks-bad-weather › opens nothing from the moment of purge()',
    'attacks/jwks-bad-weather › opens nothing after ten minutes',
  ),
  t(
    'a key set that is empty, HTML, huge, slow, elsewhere',
    'attacks/jwks-slow-and-huge › leaves nothing to decide with',
    'attacks/jwks-bad-weather › do no harm while the old ones are known',
    'core/keys-weather › redirects are not followed',
  ),
  t(
    'fetches that end in another order',
    'core/keys › does not come back by a fetch that was on its way',
    'core/keys › once for thirty that need it',
  ),
  t(
    'metadata of another issuer, keys over http',
    'attacks/issuer-mix-up › is not used, though its keys would verify',
    'core/discovery › [8725-3.10]',
  ),
  t(
    'metadata that never comes',
    'attacks/jwks-slow-and-huge › leaves nothing to decide with',
    'core/keys-weather › ends at the deadline',
  ),
  t(
    'a cache of tokens that answers for others',
    'core/access-token › answers for no other token',
    'core/access-token › falls with the key that signed it',
  ),
  t(
    'a known token that skips its proof',
    'attacks/stolen-token › still has to come with its proof',
    'attacks/dos-by-garbage › a known token costs one verification',
  ),
  t(
    'claims that one request changes for the next',
    'core/access-token › has claims that nobody can change',
    'attacks/scope-confusion › what one request does to it the next does not see',
  ),
  t(
    'revocation by jti alone, or by text',
    'core/revocation/rule-set › compares a value with its own kind only',
    'core/revocation/revocation-list-bad-input › because',
  ),
  t(
    'a revocation list that is old, back, from elsewhere',
    'core/revocation/revocation-list-age › lets it decide silently for 5 seconds',
    'core/revocation/revocation-list-age › is not believed in a list that is not newer',
    'core/revocation/revocation-list-bad-input › unlike a good one',
  ),
  t(
    'status lists: wrong sub, index, size, a bomb',
    'core/revocation/status-list › %s is none: unavailable, and reported',
    'core/revocation/status-list › refuses a token whose index is outside of it',
    'properties/documents › says of each index what was put there',
  ),
  t(
    'introspection: active as text, kept beyond exp',
    'core/revocation/introspection › says nothing: unavailable, and reported',
    'core/revocation/introspection › never believes an answer past the end of the token',
  ),
]

export const ADAPTERS_AND_ISSUER: readonly Threat[] = [
  t(
    'an invalid token that passes as anonymous',
    'mcp/public-operations › refuses bad credentials also where none are needed',
  ),
  t(
    'paths that go round the guard',
    'parity/mounted › leaves what is beside it alone',
    'attacks/host-header-spoofing › %s: %i',
  ),
  t(
    'one caller’s identity for another',
    'parity/identities › never shows one of',
    'mcp/sessions › is refused when it is brought with another key',
  ),
  absent(
    'a callback that lets the request choose its issuer',
    'there is no callback',
    'attacks/issuer-mix-up › is not asked for anything',
  ),
  t(
    'many tokens at once',
    'attacks/dos-by-garbage › ten thousand',
    'attacks/header-injection › is an ambiguous or malformed request',
  ),
  t(
    'issuer: exchange that widens, refresh by another key, Bearer for a client with a key',
    'issuer/token-exchange › with %s is refused',
    'issuer/authorization-code › bind the token, and the refresh token',
    'issuer/dpop › are demanded of a client that is registered for bound tokens',
  ),
  t(
    'issuer: client assertions for another audience',
    'issuer/client-assertion › is for the issuer or its token endpoint',
    'issuer/client-assertion › %s is invalid_client',
  ),
]

export const THREATS: readonly (readonly [title: string, threats: readonly Threat[]])[] = [
  ['Signatures and keys', SIGNATURES_AND_KEYS],
  ['Text and parsing', TEXT_AND_PARSING],
  ['Claims', CLAIMS],
  ['Proofs', PROOFS],
  ['Nonces and challenges', NONCES_AND_CHALLENGES],
  ['Key sets, caches and revocation', KEYS_AND_REVOCATION],
  ['Adapters and issuer', ADAPTERS_AND_ISSUER],
]

import { requirements } from './requirement.ts'

/** The resource server: RFC 6750, 9068, 8707, 9728, 9700, and its parts of 7662, 8414 and 8693. */
export const RESOURCE = [
  ...requirements('RFC 6750', 'guard', [
    ['6750-2-header', 'MUST', 'Tokens are taken from the Authorization field alone (OAuth 2.1 §5.1)'],
    ['6750-3-challenge', 'MUST', 'A refusal for want of valid credentials carries WWW-Authenticate'],
    ['6750-3-once', 'MUST', 'No parameter of a challenge comes twice'],
    ['6750-3-charset', 'MUST', 'error and error_description are within %x20-21 / %x23-5B / %x5D-7E'],
    ['6750-3.1-status', 'SHOULD', '400 invalid_request, 401 invalid_token, 403 insufficient_scope'],
    ['6750-3.1-scope', 'SHOULD', 'insufficient_scope names the scopes that are needed'],
    ['6750-3.1-none', 'SHOULD', 'No error code where no credentials came'],
  ]),
  ...requirements('RFC 6750', 'host', [['6750-5.2-tls', 'MUST', 'TLS']]),
  ...requirements('RFC 9068', 'guard', [
    ['9068-2.1-rs256', 'MUST', 'RS256 is among the algorithms of tokens'],
    ['9068-4-typ', 'MUST', 'typ is at+jwt or application/at+jwt (another only by profile)'],
    ['9068-4-iss', 'MUST', 'iss is exactly the issuer'],
    ['9068-4-aud', 'MUST', 'aud contains this resource'],
    ['9068-4-signature', 'MUST', 'The signature verifies with the issuer’s keys, alg none is refused'],
    ['9068-4-exp', 'MUST', 'The time is before exp'],
    ['9068-4-claims', 'MUST', 'iss, exp, aud, sub, client_id, iat and jti are there'],
    ['9068-4-error', 'MUST', 'A token that fails any of these is invalid_token'],
  ]),
  ...requirements('RFC 8414', 'guard', [
    ['8414-3.1', 'MUST', 'The well-known string is inserted before the path of the issuer'],
    ['8414-3.3', 'MUST', 'Metadata of another issuer is not used'],
  ]),
  ...requirements('RFC 8693', 'guard', [
    ['8693-4.1', 'MUST', 'Only the outermost actor counts'],
    ['8693-4.2', 'MUST', 'scope is a string of names separated by spaces'],
  ]),
  ...requirements('RFC 8707', 'guard', [
    ['8707-2-exact', 'MUST', 'The audience is compared exactly'],
    ['8707-2-fragment', 'MUST', 'A resource has no fragment'],
  ]),
  ...requirements('RFC 9728', 'guard', [
    ['9728-2-resource', 'MUST', 'resource is in the metadata'],
    ['9728-2-servers', 'SHOULD', 'authorization_servers lists the issuers'],
    ['9728-3.1', 'MUST', 'The well-known string is inserted before the path'],
    ['9728-3.2', 'MUST', 'The metadata is application/json with status 200'],
    ['9728-3.2-empty', 'MUST', 'Members without elements are left out'],
    ['9728-3.3', 'MUST', 'resource is identical to the identifier the URL was made of'],
    ['9728-5.1', 'SHOULD', 'resource_metadata is on every challenge'],
  ]),
  ...requirements('RFC 9700', 'guard', [
    ['9700-2.2.1', 'SHOULD', 'Tokens are sender-constrained'],
    ['9700-2.3-audience', 'MUST', 'On every request the token is for this resource'],
    ['9700-2.3-privileges', 'SHOULD', 'On every request the token has the privileges that it needs'],
    ['9700-4.3.2', 'MUST', 'No tokens in the query'],
    ['9700-4.10.1', 'MUST', 'A stolen token without the key is refused'],
  ]),
  ...requirements('RFC 9700', 'host', [
    ['9700-4.13', 'MUST', 'A proxy strips what it adds; the guard looks at none of it'],
  ]),
  ...requirements('RFC 7662', 'guard', [
    ['7662-2.2-active', 'MUST', 'Only active: true, a boolean, is active'],
    ['7662-4-cache', 'MUST', 'An answer is not kept beyond exp'],
    ['7662-2.1-rs', 'MUST', 'It is asked with credentials of its own'],
  ]),
  ...requirements('Token Status List', 'guard', [
    ['TSL-5.1-typ', 'MUST', 'typ is statuslist+jwt'],
    ['TSL-5.1-claims', 'MUST', 'sub, iat and status_list are there'],
    ['TSL-6.2-idx', 'MUST', 'idx is a number of at least zero, uri a URI'],
    ['TSL-8.3-first', 'MUST', 'The token is validated before its status is asked for'],
    ['TSL-8.3-sub', 'MUST', 'sub is the URI that the token names'],
    ['TSL-8.3-exp', 'MUST', 'A list that has expired is not used'],
    ['TSL-8.3-range', 'MUST', 'An index outside of the list is refused'],
    ['TSL-8.1-accept', 'SHOULD', 'It is asked for as application/statuslist+jwt'],
    [
      'TSL-4.1-compress',
      'MUST',
      'lst is base64url of DEFLATE with ZLIB, entries from the least significant bit',
    ],
    ['TSL-13.7-cache', 'SHOULD', 'ttl and exp bound how long it is kept'],
  ]),
]

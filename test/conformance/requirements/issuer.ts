import { requirements } from './requirement.ts'

/** The authorization server: RFC 6749, 7636, 7009, 7591, 7592, 7662, 8414, 8693, 8707, 9068, 9207, 9700, Token Status List. */
export const ISSUER = [
  ...requirements('RFC 6749', 'issuer', [
    ['6749-4.1.2-once', 'MUST', 'A code is good once, and for ten minutes at most'],
    ['6749-4.1.2-replay', 'SHOULD', 'A code that comes twice ends the tokens it was good for'],
    ['6749-4.1.3-redirect', 'MUST', 'redirect_uri at the token endpoint is that of the request'],
    ['6749-4.1.3-client', 'MUST', 'A code is good for the client it was given to'],
    ['6749-5.1-store', 'MUST', 'Answers with tokens are not stored: Cache-Control no-store'],
    ['6749-5.2-401', 'MUST', 'Failed client authentication by Authorization is 401 with WWW-Authenticate'],
    ['6749-3.2-params', 'MUST', 'Parameters come at most once, unknown ones are ignored'],
    ['6749-6-scope', 'MUST', 'Refreshing gives no scope that was not granted'],
    ['6749-6-client', 'MUST', 'A refresh token is good for its client'],
  ]),
  ...requirements('RFC 7636', 'issuer', [
    ['7636-4.6', 'MUST', 'A code_verifier that does not match is invalid_grant'],
    ['7636-4.2-s256', 'MUST', 'S256 is supported'],
  ]),
  ...requirements('RFC 7009', 'issuer', [
    ['7009-2.1-client', 'MUST', 'The client is authenticated and the token is its own'],
    ['7009-2.1-refresh', 'MUST', 'Refresh tokens can be revoked'],
    ['7009-2.1-grant', 'SHOULD', 'With a refresh token the access tokens of its grant end'],
    ['7009-2.1-hint', 'MUST', 'A wrong hint does not keep a token from being found'],
    ['7009-2.2-unknown', 'MUST', 'An unknown or revoked token is 200'],
  ]),
  ...requirements('RFC 7591', 'issuer', [
    ['7591-2-unknown', 'MUST', 'Metadata that is not understood is ignored'],
    ['7591-3.2.1-201', 'MUST', 'Registration is 201 with client_id and all that was registered'],
    ['7591-3.2.1-secret', 'MUST', 'client_secret comes with client_secret_expires_at'],
    ['7591-3.2.1-unique', 'MUST', 'client_id is unique'],
    ['7591-3.2.2', 'MUST', 'Errors are 400 with invalid_redirect_uri or invalid_client_metadata'],
    ['7591-5-redirect', 'MUST', 'Redirect URIs are https, loopback, or of an application'],
    ['7591-3.2-store', 'MUST', 'The answer is not stored'],
  ]),
  ...requirements('RFC 7592', 'issuer', [
    ['7592-2-token', 'MUST', 'A wrong registration access token is 401, whether the client exists or not'],
    ['7592-2.1', 'MUST', 'GET answers the client, 200'],
    ['7592-2.2-replace', 'MUST', 'PUT replaces all that was registered'],
    ['7592-2.2-id', 'MUST', 'PUT names the client, and neither its token nor its times'],
    ['7592-2.3', 'MUST', 'DELETE is 204 and ends the client’s tokens'],
  ]),
  ...requirements('RFC 7662', 'issuer', [
    ['7662-2.1-auth', 'MUST', 'Who asks is authorized'],
    ['7662-2.2-checks', 'MUST', 'Expired, revoked and foreign tokens are inactive'],
    ['7662-2.2-inactive', 'SHOULD', 'An inactive token is {"active":false} and nothing more'],
  ]),
  ...requirements('RFC 8414', 'issuer', [
    ['8414-2-issuer', 'MUST', 'issuer is a URL without query and fragment'],
    ['8414-2-required', 'MUST', 'issuer, the endpoints and response_types_supported are there'],
    ['8414-3.1-issuer', 'MUST', 'It is at the well-known URI, inserted before the path'],
    ['8414-3.2', 'MUST', 'It is application/json with status 200, without empty lists'],
    ['8414-3.3-issuer', 'MUST', 'issuer is identical to what the URL was made of'],
  ]),
  ...requirements('RFC 8693', 'issuer', [
    ['8693-2.1', 'MUST', 'subject_token and its type are required; actor_token and its type come together'],
    ['8693-2.1-valid', 'MUST', 'The subject token is validated: signature, time, revocation'],
    ['8693-2.2.1', 'MUST', 'issued_token_type and token_type are answered'],
    ['8693-2.2.2', 'MUST', 'Bad tokens are invalid_request, bad targets invalid_target'],
    ['8693-4.1-issuer', 'SHOULD', 'Who acts is in act, outermost first, older ones kept'],
    ['8693-5-scope', 'MUST', 'The new token has no scope that the old one had not'],
  ]),
  ...requirements('RFC 8707', 'issuer', [
    [
      '8707-2-target',
      'MUST',
      'A resource that is unknown or no absolute URI without fragment is invalid_target',
    ],
    ['8707-2-aud', 'SHOULD', 'aud is what was asked for'],
    ['8707-2.2-subset', 'MUST', 'At the token endpoint resource is a part of what was granted'],
  ]),
  ...requirements('RFC 9068', 'issuer', [
    ['9068-2.1-signed', 'MUST', 'Access tokens are signed, typ at+jwt'],
    ['9068-2.2-claims', 'MUST', 'iss, exp, aud, sub, client_id, iat and jti are in them'],
    ['9068-2.2.3-scope', 'SHOULD', 'scope is in them where scopes were asked for'],
    ['9068-3-aud', 'MUST', 'aud is the resource asked for, else the default one'],
    ['9068-5-sub', 'SHOULD', 'No client can choose a sub that is somebody else’s'],
  ]),
  ...requirements('RFC 9207', 'issuer', [
    ['9207-2', 'MUST', 'iss is in every authorization response, errors too'],
    ['9207-2.3', 'MUST', 'The metadata says so'],
  ]),
  ...requirements('RFC 9700', 'issuer', [
    ['9700-2.1-redirect', 'MUST', 'Redirect URIs are compared exactly, loopback ports apart'],
    ['9700-2.1-open', 'MUST', 'Nothing redirects to where nobody registered'],
    ['9700-2.1.1-pkce', 'MUST', 'PKCE is demanded of public clients'],
    [
      '9700-2.1.1-downgrade',
      'MUST',
      'A code_verifier without a code_challenge is refused, and the other way round',
    ],
    ['9700-2.2.2', 'MUST', 'Refresh tokens of public clients are bound or rotated; reuse ends the grant'],
    ['9700-2.4', 'MUST', 'The resource owner password grant is not there'],
    ['9700-2.5', 'SHOULD', 'Clients can authenticate with a key'],
    ['9700-4.12', 'MUST', 'Redirects that follow credentials are 303, never 307'],
    ['9700-4.16', 'MUST', 'Authorization pages cannot be framed'],
  ]),
  ...requirements('Token Status List', 'issuer', [
    ['TSL-5.1-issuer', 'MUST', 'The list is a JWT with typ statuslist+jwt, sub, iat and status_list'],
    ['TSL-6.2-issuer', 'MUST', 'Tokens name idx and uri of their entry'],
    ['TSL-8.2-type', 'MUST', 'It is served as application/statuslist+jwt'],
    ['TSL-11.3-public', 'SHOULD', 'Its URI says nothing about the token'],
  ]),
]

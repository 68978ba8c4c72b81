import { requirements } from './requirement.ts'

/** Signatures, keys and JWTs: RFC 7515 to 7519, 7638, 7800, 8725. */
export const JOSE = [
  ...requirements('RFC 7515', 'guard', [
    ['7515-2-base64url', 'MUST', 'base64url without padding, white space or other characters'],
    ['7515-4-object', 'MUST', 'A header is a JSON object'],
    ['7515-4-unique', 'MUST', 'Its member names are unique'],
    ['7515-4.1.1', 'MUST', 'alg is there, is understood, and goes with the key'],
    ['7515-4.1.2', 'MUST', 'Keys are not fetched from where a header says, unless that is trusted: never'],
    ['7515-4.1.4', 'MUST', 'kid is a string'],
    ['7515-4.1.9', 'SHOULD', 'typ may leave application/ out; media types ignore case'],
    ['7515-4.1.11-crit', 'MUST', 'Critical extensions that are not understood are refused'],
    ['7515-5.2', 'MUST', 'Every step of validation succeeds, or the JWS is refused'],
    ['7515-5.3', 'MUST', 'Strings are compared as code points, without transformation'],
    ['7515-7.1', 'MUST', 'The compact serialization has three parts'],
  ]),
  ...requirements('RFC 7517', 'guard', [
    ['7517-4.2', 'SHOULD', 'use and key_ops say what a key is for'],
    ['7517-4-members', 'MUST', 'Members of a key that are not understood are ignored'],
    ['7517-5', 'SHOULD', 'Keys of a set that are not understood are left out'],
  ]),
  ...requirements('RFC 7518', 'guard', [
    ['7518-3.3-size', 'MUST', 'RSA keys have 2048 bits or more'],
    ['7518-3.4-length', 'MUST', 'An ECDSA signature is r and s at full length, nothing else'],
    ['7518-3.6-none', 'MUST', 'An unsecured JWS is not accepted'],
    ['7518-6-minimal', 'MUST', 'Coordinates have their full length, RSA integers their least'],
  ]),
  ...requirements('RFC 7519', 'guard', [
    ['7519-2-dates', 'MUST', 'NumericDate is a number of seconds, with or without fraction'],
    ['7519-4-duplicates', 'MUST', 'Claim names are unique, or the JWT is refused'],
    ['7519-4-unknown', 'MUST', 'Claims that are not understood are ignored'],
    ['7519-4.1-types', 'MUST', 'exp, nbf and iat are numbers, aud a string or strings'],
    ['7519-4.1.3-aud', 'MUST', 'Who is not named in aud refuses the JWT'],
    ['7519-4.1.4-exp', 'MUST', 'On or after exp it is not accepted'],
    ['7519-4.1.5-nbf', 'MUST', 'Before nbf it is not accepted'],
    ['7519-7.2', 'MUST', 'A JWT that fails any step of validation is refused'],
  ]),
  ...requirements('RFC 7638', 'guard', [
    ['7638-3', 'MUST', 'A thumbprint is over the required members, in order'],
  ]),
  ...requirements('RFC 7800', 'guard', [
    ['7800-3.1', 'SHOULD', 'A confirmation that is not understood is not ignored'],
    ['7800-3.1-object', 'MUST', 'cnf is a JSON object'],
  ]),
  ...requirements('RFC 8725', 'guard', [
    ['8725-2.4', 'SHOULD', 'Nothing compressed or encrypted is expanded'],
    ['8725-3.1', 'MUST', 'Algorithms are of an allow-list, each key is used with its own'],
    ['8725-3.2', 'MUST', 'Only algorithms that are sound and meet policy'],
    ['8725-3.3', 'MUST', 'All cryptographic operations are validated; one that fails refuses the JWT'],
    ['8725-3.4', 'MUST', 'Cryptographic input is validated: points are on their curve'],
    ['8725-3.7', 'MUST', 'Header and claims are UTF-8'],
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
  ]),
  ...requirements('RFC 8725', 'issuer', [
    ['8725-3.5', 'MUST', 'Keys have enough entropy'],
    ['8725-3.11-issuer', 'SHOULD', 'Every kind of JWT it signs has a typ of its own'],
  ]),
]

import { expect, it } from 'vitest'
import { createChallenges } from '../src/challenge.ts'

const challenge = createChallenges({
  bearer: true,
  proofAlgorithms: ['ES256'],
  resourceMetadataUrl: 'https://a.example/m',
  scopes: [],
})
const METADATA = 'resource_metadata="https://a.example/m"'
const EXPIRED = 'error="invalid_token", error_description="The access token has expired"'
const AMBIGUOUS = 'error="invalid_request", error_description="More than one Authorization credential"'

/** Where both schemes are offered, the error stands in the one that was used and in no other. */
it.each([
  ['token_expired', 'DPoP', `DPoP ${EXPIRED}, algs="ES256", ${METADATA}, Bearer ${METADATA}`],
  ['token_expired', 'Bearer', `Bearer ${EXPIRED}, ${METADATA}, DPoP algs="ES256", ${METADATA}`],
  ['credentials_missing', undefined, `Bearer ${METADATA}, DPoP algs="ES256", ${METADATA}`],
  [
    'credentials_ambiguous',
    'DPoP',
    `DPoP ${AMBIGUOUS}, algs="ES256", ${METADATA}, Bearer ${AMBIGUOUS}, ${METADATA}`,
  ],
] as const)('%s by %s is answered in these words', (reason, used, expected) => {
  expect(challenge(reason, used)).toBe(expected)
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseChallenges } from '../../../test/support/challenges.ts'
import { createChallenges } from '../src/challenge.ts'
import { REFUSALS, type Reason } from '../src/refusal.ts'

const METADATA = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'
const POLICY = {
  bearer: false,
  proofAlgorithms: ['ES256', 'EdDSA'],
  resourceMetadataUrl: METADATA,
  scopes: [],
}
const REASONS = Object.keys(REFUSALS) as Reason[]
const required = createChallenges(POLICY)
const whenBound = createChallenges({ ...POLICY, bearer: true, scopes: ['mcp:read', 'mcp:write'] })

describe('the challenge of a guard that demands DPoP', () => {
  it.each(REASONS)(
    'for %s is one DPoP challenge with algs and resource_metadata [9449-7.1-challenge] [9728-5.1] [6750-3-challenge] [6750-3-once]',
    (reason) => {
      const { error, description } = REFUSALS[reason]
      for (const used of [undefined, 'DPoP', 'Bearer'] as const) {
        expect(parseChallenges(required(reason, used))).toEqual([
          {
            scheme: 'DPoP',
            parameters: {
              ...(error === undefined ? {} : { error, error_description: description }),
              algs: 'ES256 EdDSA',
              resource_metadata: METADATA,
            },
          },
        ])
      }
    },
  )

  it('names the scopes an operation needs, all in one challenge [6750-3.1-scope] [MCP-R20]', () => {
    const [challenge] = parseChallenges(required('insufficient_scope', 'DPoP', ['a', 'b']))
    expect(challenge?.parameters).toMatchObject({ error: 'insufficient_scope', scope: 'a b' })
  })
})

describe('the challenges of a guard that takes Bearer too', () => {
  it.each(REASONS)(
    'for %s put the error in the scheme that was used, which comes first [9449-7.2-several]',
    (reason) => {
      const failure = REFUSALS[reason].error
      for (const used of [undefined, 'DPoP', 'Bearer'] as const) {
        const challenges = parseChallenges(whenBound(reason, used))
        expect(challenges.map(({ scheme }) => scheme)).toEqual(
          used === 'DPoP' ? ['DPoP', 'Bearer'] : ['Bearer', 'DPoP'],
        )
        for (const { scheme, parameters } of challenges) {
          const named = scheme === used || reason === 'credentials_ambiguous'
          expect(parameters.error, `${used} ${scheme}`).toBe(named ? failure : undefined)
          expect(parameters.resource_metadata).toBe(METADATA)
          expect(parameters.scope).toBe('mcp:read mcp:write')
          expect(parameters.algs).toBe(scheme === 'DPoP' ? 'ES256 EdDSA' : undefined)
        }
      }
    },
  )

  it('have no error when no credentials came [6750-3.1-none]', () => {
    for (const challenge of parseChallenges(whenBound('credentials_missing', undefined))) {
      expect(challenge.parameters.error).toBeUndefined()
      expect(challenge.parameters.error_description).toBeUndefined()
    }
  })
})

describe('whatever is in a parameter', () => {
  it('the field stays one line of the grammar and one value of the parameter', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'grapheme' })), (url, scopes) => {
        const challenges = createChallenges({ ...POLICY, bearer: true, resourceMetadataUrl: url })
        const field = challenges('insufficient_scope', 'DPoP', scopes)
        expect(field).toMatch(/^[\x20-\x7e]*$/)
        const parsed = parseChallenges(field)
        expect(parsed.map(({ scheme }) => scheme)).toEqual(['DPoP', 'Bearer'])
        const kept = (text: string) => text.replace(/[^\x20-\x7e]/g, '')
        expect(parsed[0]?.parameters.resource_metadata).toBe(kept(url))
        expect(parsed[0]?.parameters.scope).toBe(scopes.length > 0 ? kept(scopes.join(' ')) : undefined)
      }),
    )
  })

  it('no header begins within a value', () => {
    const url = 'https://h.example/"\\, Basic realm="x"\r\nSet-Cookie: a=b'
    const field = createChallenges({ ...POLICY, resourceMetadataUrl: url })('credentials_missing', undefined)
    expect(field).not.toMatch(/[\r\n]/)
    expect(parseChallenges(field)).toHaveLength(1)
  })
})

describe('the texts of refusals', () => {
  it.each(REASONS)('%s is static and within %%x20-21 / %%x23-5B / %%x5D-7E [6750-3-charset]', (reason) => {
    expect(REFUSALS[reason].description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  })

  it('have the status that goes with their code [6750-3.1-status] [MCP-R15] [9068-4-error]', () => {
    const STATUS = {
      invalid_request: 400,
      invalid_token: 401,
      invalid_dpop_proof: 401,
      use_dpop_nonce: 401,
      insufficient_scope: 403,
    }
    for (const { error, status } of Object.values(REFUSALS)) {
      expect(status).toBe(error === undefined ? 401 : STATUS[error])
    }
  })
})

describe('the strict parser of these tests', () => {
  it.each([
    '',
    'DPoP ',
    'DPoP a',
    'DPoP a=b',
    'DPoP a="b',
    'DPoP a="b",c="d"',
    'DPoP a="b"  , c="d"',
    'DPoP a="b", a="c"',
    'DPoP a="b";c="d"',
    'DPoP a="\u0007"',
    'DPoP a="é"',
    'a="b"',
    ', DPoP a="b"',
    'DPoP a="b", ',
  ])('refuses %j', (field) => {
    expect(() => parseChallenges(field)).toThrow(SyntaxError)
  })

  it('tells schemes from parameters', () => {
    expect(parseChallenges('Bearer, DPoP a="b\\"c", d="", Basic realm="x, y=\\"z\\""')).toEqual([
      { scheme: 'Bearer', parameters: {} },
      { scheme: 'DPoP', parameters: { a: 'b"c', d: '' } },
      { scheme: 'Basic', parameters: { realm: 'x, y="z"' } },
    ])
  })
})

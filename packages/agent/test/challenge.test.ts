import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findRefusal, parseChallenges } from '../src/challenge.ts'

const plain = (value: string | null) =>
  parseChallenges(value).map(({ scheme, params, token68 }) => [scheme, token68 ?? Object.fromEntries(params)])

describe('parseChallenges', () => {
  it.each<[string, unknown[]]>([
    ['Bearer', [['bearer', {}]]],
    ['DPoP algs="ES256 EdDSA"', [['dpop', { algs: 'ES256 EdDSA' }]]],
    [
      'Bearer realm="x", error="e",scope = "a b" , DPoP algs=ES256',
      [
        ['bearer', { realm: 'x', error: 'e', scope: 'a b' }],
        ['dpop', { algs: 'ES256' }],
      ],
    ],
    [
      'Bearer, DPoP error="invalid_token"',
      [
        ['bearer', {}],
        ['dpop', { error: 'invalid_token' }],
      ],
    ],
    [
      'Basic YWJj==, Bearer  realm="a, Basic b=\\"c\\\\"',
      [
        ['basic', 'YWJj=='],
        ['bearer', { realm: 'a, Basic b="c\\' }],
      ],
    ],
    [', ,DPoP  Error=use_dpop_nonce ,\t,', [['dpop', { error: 'use_dpop_nonce' }]]],
    ['Negotiate', [['negotiate', {}]]],
    ['DPoP error=', [['dpop', 'error=']]],
    ['DPoP __proto__="x"', [['dpop', { ['__proto__']: 'x' }]]],
    ['', []],
  ])('reads %s', (value, expected) => {
    expect(plain(value)).toEqual(expected)
  })

  it.each([
    'error="x"',
    'DPoP error="x',
    'DPoP error="x" scope="y"',
    'DPoP error="x", error="y"',
    'DPoP error="x", ERROR="y"',
    'DPoP error="x"; scope="y"',
    'DPoP error="a\nb"',
    'DPoP "x"',
    'Basic YWJj, realm="x"',
    'DPoP =x',
    `DPoP a="${'x'.repeat(20_000)}"`,
  ])('takes nothing from %j', (value) => {
    expect(parseChallenges(value)).toEqual([])
  })

  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/)
  const text = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,12}$/)
  const quote = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`
  const params = fc.uniqueArray(fc.tuple(token, text), {
    maxLength: 4,
    selector: ([name]) => name.toLowerCase(),
  })
  const challenges = fc.array(fc.tuple(token, params), { minLength: 1, maxLength: 4 })
  const comma = fc.constantFrom(',', ', ', ' ,', '\t, ,')

  it('reads back whatever can be written', () => {
    fc.assert(
      fc.property(challenges, comma, (list, separator) => {
        const written = list.map(([scheme, pairs]) =>
          [scheme, pairs.map(([name, value]) => `${name}=${quote(value)}`).join(separator)]
            .join(' ')
            .trimEnd(),
        )
        const read = parseChallenges(written.join(separator))
        expect(read.map(({ scheme, params }) => [scheme, [...params]])).toEqual(
          list.map(([scheme, pairs]) => [
            scheme.toLowerCase(),
            pairs.map(([name, value]) => [name.toLowerCase(), value]),
          ]),
        )
      }),
    )
  })

  it('never throws, and never sees a parameter that is not in the text', () => {
    const soup = fc.array(
      fc.constantFrom('DPoP', 'Bearer', ' ', ',', '=', '"', '\\', 'a', 'error', '\t', 'é', '\0'),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          soup.map((parts) => parts.join('')),
        ),
        (value) => {
          for (const { scheme, params } of parseChallenges(value)) {
            expect(value.toLowerCase()).toContain(scheme)
            for (const name of params.keys()) expect(value.toLowerCase()).toContain(name)
          }
        },
      ),
    )
  })

  it('takes linear time for hostile text', () => {
    // By the square of its length, this would outlast the test.
    for (const piece of ['a ', 'a=', 'a="', ' ', 'a="\\', 'a, ', 'a=b,']) {
      expect(() => parseChallenges(piece.repeat(200_000))).not.toThrow()
    }
  })
})

describe('findRefusal', () => {
  const errorOf = (value: string) =>
    findRefusal(new Headers({ 'www-authenticate': value }))?.params.get('error')

  it('prefers what DPoP says, and takes Bearer where only that says something', () => {
    expect(errorOf('Bearer error="b", DPoP error="d"')).toBe('d')
    expect(errorOf('Bearer error="b", DPoP algs="ES256"')).toBe('b')
    expect(errorOf('Digest error="x"')).toBeUndefined()
    expect(findRefusal(new Headers())).toBeUndefined()
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRules, RULE_KINDS } from '../../src/revocation/rules.ts'

const rule = { k: 'cid', v: 'agent-1', b: 1_800_000_000, x: 1_800_086_460, c: true }

describe('Rules of a list', () => {
  it('are understood with and without what is optional', () => {
    const bare = { k: 'jti', v: 'a', x: 0 }
    expect(parseRules([rule, bare])).toEqual([rule, bare])
    expect(parseRules([])).toEqual([])
  })

  it('are understood in every kind', () => {
    expect(parseRules(RULE_KINDS.map((k) => ({ ...rule, k })))).toHaveLength(7)
  })

  it('may carry members that say nothing about what is revoked', () => {
    expect(parseRules([{ ...rule, l: 'L2' }])).toHaveLength(1)
  })

  it.each([
    ['an unknown kind', { k: 'all' }],
    ['a kind that every object has', { k: 'constructor' }],
    ['no kind', { k: undefined }],
    ['an empty value', { v: '' }],
    ['a value that is no string', { v: 7 }],
    ['a value of 1,025 characters', { v: 'a'.repeat(1025) }],
    ['a pattern of 129 characters', { k: 'glob', v: 'a'.repeat(129) }],
    ['a pattern of 129 code points', { k: 'glob', v: '😀'.repeat(129) }],
    ['b as a string', { b: '1800000000' }],
    ['b null', { b: null }],
    ['b with a fraction', { b: 1.5 }],
    ['b negative', { b: -1 }],
    ['no x', { x: undefined }],
    ['x infinite', { x: Number.POSITIVE_INFINITY }],
    ['c as a string', { c: 'true' }],
  ])('are not understood, none of them, because of %s', (_, change) => {
    expect(() => parseRules([rule, { ...rule, ...change }])).toThrow('rule 1 is not understood')
  })

  it('are understood up to the limits', () => {
    expect(parseRules([{ ...rule, v: 'a'.repeat(1024) }])).toHaveLength(1)
    expect(parseRules([{ ...rule, k: 'glob', v: '😀'.repeat(128) }])).toHaveLength(1)
  })

  it.each([undefined, null, {}, 'rules', 1, { length: 0 }])('are an array, not %j', (value) => {
    expect(() => parseRules(value)).toThrow(TypeError)
  })

  it('are either returned as they are, or refused with a TypeError, whatever comes', () => {
    const nearly = fc.record(
      {
        k: fc.oneof(fc.constantFrom(...RULE_KINDS, 'all'), fc.jsonValue()),
        v: fc.oneof(fc.string(), fc.jsonValue()),
        b: fc.oneof(fc.nat(), fc.jsonValue()),
        x: fc.oneof(fc.nat(), fc.jsonValue()),
        c: fc.oneof(fc.boolean(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(fc.array(nearly, { maxLength: 3 }), fc.jsonValue()), (value) => {
        try {
          for (const { k, v, b, x, c } of parseRules(value)) {
            expect(RULE_KINDS).toContain(k)
            expect(v).not.toBe('')
            expect([typeof v, typeof x]).toEqual(['string', 'number'])
            expect(['number', 'undefined']).toContain(typeof b)
            expect(['boolean', 'undefined']).toContain(typeof c)
          }
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

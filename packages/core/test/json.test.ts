import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deepFreeze, parseJsonObject } from '../src/json.ts'

const parse = (text: string) => parseJsonObject(new TextEncoder().encode(text))

describe('parseJsonObject', () => {
  it('reads any object as JSON.parse does, however it is spaced [7515-4-object]', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        fc.pre(!/\\ud[89a-f]/i.test(text))
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it.each([
    ['at the top', '{"exp":1,"exp":9}'],
    ['with equal values', '{"a":1,"a":1}'],
    ['nested', '{"cnf":{"jkt":"a","jkt":"b"}}'],
    ['in an object of an array', '{"a":[{"b":1,"b":2}]}'],
    ['after a nested object', '{"a":{"b":1},"c":2,"a":3}'],
    ['spelled with an escape', '{"exp":1,"\\u0065xp":9}'],
    ['spelled with an escaped surrogate pair', '{"😀":1,"\\ud83d\\ude00":2}'],
    ['spread over lines', '{"a" : 1 ,\n\t"a"\r\n:2}'],
    ['named __proto__', '{"__proto__":1,"__proto__":2}'],
    ['empty', '{"":1,"":2}'],
  ])('refuses a member name that comes twice, %s [7519-4-duplicates]', (_, text) => {
    expect(parse(text)).toBeUndefined()
  })

  it.each([
    ['in different objects', '{"a":{"b":1},"c":{"b":2}}'],
    ['as a value too', '{"a":"a","b":"a"}'],
    ['as a string of an array', '{"a":["a","a"],"b":"a:"}'],
    ['with an escaped quote before a colon', '{"a":"\\":","b":1}'],
    ['with an escaped backslash at its end', '{"a\\\\":1,"a":2}'],
  ])('accepts a name that is there twice without being a duplicate: %s', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  it('finds a duplicate wherever it is put', () => {
    const entries = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 2 })), {
      selector: ([name]) => name,
      minLength: 1,
    })
    fc.assert(
      fc.property(entries, fc.nat(), fc.nat(), (entries, which, where) => {
        const members = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
        fc.pre(!/\\ud[89a-f]/i.test(members.join()))
        expect(parse(`{${members}}`)).toBeDefined()
        members.splice(where % (members.length + 1), 0, members[which % members.length] as string)
        expect(parse(`{${members}}`)).toBeUndefined()
      }),
    )
  })

  it.each([
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['an overlong encoding', [0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]],
    ['a stray continuation byte', [0x7b, 0x22, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
    ['a surrogate in UTF-8', [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['a NUL after it', [0x7b, 0x7d, 0x00]],
    ['nothing', []],
  ])('refuses %s', (_, bytes) => {
    expect(parseJsonObject(Uint8Array.from(bytes))).toBeUndefined()
  })

  it.each([
    ['a lone high surrogate', '{"a":"\\ud800"}'],
    ['a lone low surrogate', '{"a":"\\udc00"}'],
    ['a lone surrogate in a name', '{"\\ud800":1}'],
    ['a lone surrogate deep down', '{"a":[{"b":["\\udfff"]}]}'],
    ['surrogates the wrong way round', '{"a":"\\ude00\\ud83d"}'],
  ])('refuses %s', (_, text) => {
    expect(parse(text)).toBeUndefined()
  })

  it('accepts a surrogate pair, escaped or not', () => {
    expect(parse('{"a":"\\ud83d\\ude00"}')).toEqual({ a: '😀' })
    expect(parse('{"a":"😀"}')).toEqual({ a: '😀' })
  })

  it.each([
    '[]',
    '"a"',
    '1',
    'null',
    'true',
    '',
    ' ',
    '{',
    '{}{}',
    "{'a':1}",
    '{"a":1,}',
    '{"a":NaN}',
    '{"a":01}',
  ])('refuses %s, which is no object', (text) => {
    expect(parse(text)).toBeUndefined()
  })

  it('makes __proto__ a member like any other and touches no prototype', () => {
    const value = parse('{"__proto__":{"scope":"admin"},"constructor":1}')
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true)
    expect((value as { scope?: string }).scope).toBeUndefined()
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as { scope?: string }).scope).toBeUndefined()
  })

  it('survives a hundred thousand levels', () => {
    for (const text of [
      `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
      `{"a":${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}}`,
      `{"\\u0061":${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
    ]) {
      expect(() => parse(text)).not.toThrow()
    }
  })
})

describe('deepFreeze', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })

  it('freezes every level', () => {
    const value = { a: { b: [{ c: 1 }] } }
    expect(deepFreeze(value)).toBe(true)
    expect(Object.isFrozen(value.a.b[0])).toBe(true)
    expect(Object.isFrozen(value.a.b)).toBe(true)
    expect(() => value.a.b.push({ c: 2 })).toThrow(TypeError)
  })

  it('gives up beyond 32 levels', () => {
    expect(deepFreeze(nested(32))).toBe(true)
    expect(deepFreeze(nested(33))).toBe(false)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { base64urlAliases } from '../../../test/support/aliases.ts'
import { isCanonicalBase64url } from '../src/base64url.ts'

describe('isCanonicalBase64url', () => {
  it('accepts what an encoder makes of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(isCanonicalBase64url(Buffer.from(bytes).toString('base64url'))).toBe(true)
      }),
    )
  })

  it('refuses every other spelling of the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url')
        for (const alias of base64urlAliases(text)) expect(isCanonicalBase64url(alias), alias).toBe(false)
      }),
    )
  })

  it('accepts text exactly when decoding and encoding gives it back', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ABQgwhAEIM_-09+/= \n.'), maxLength: 12 })
    fc.assert(
      fc.property(text, (text) => {
        const roundTrip = Buffer.from(text, 'base64url').toString('base64url')
        expect(isCanonicalBase64url(text)).toBe(roundTrip === text)
      }),
    )
  })

  it.each(['', 'AA', 'AAA', 'AAAA', 'AQ', 'Ag', 'Aw', 'AAE', '-_8'])('accepts %j', (text) => {
    expect(isCanonicalBase64url(text)).toBe(true)
  })

  it.each(['A', 'AAAAA', 'AB', 'Af', 'AAB', 'AAD', 'AA==', 'A+A/', 'AA\n', 'ÀA', 'AA\u0000A', '．AAA'])(
    'refuses %j',
    (text) => {
      expect(isCanonicalBase64url(text)).toBe(false)
    },
  )
})

import { expect, it } from 'vitest'
import { parsePublicJwk } from '../src/public-jwk.ts'

const n = `s${'A'.repeat(340)}Q`
const accepts = (e: unknown) => parsePublicJwk({ kty: 'RSA', n, e } as never) !== undefined

/** Odd numbers of one to four octets, in each of base64url's three lengths; `BAE` has its high bits in the first letter. */
it.each(['Aw', 'EQ', 'BAE', '_v8', 'AQAB', 'BAAB', '_____w'])('%s is an exponent', (e) => {
  expect(accepts(e)).toBe(true)
})

it.each(['', 'A', 'Ag', 'BAI', 'AQAA', 'AAEAAQ', 'AAM', 'AQ', '______8', 'AQAB=', 65537, null])(
  '%j is none: even, one, too long, or spelled in another way',
  (e) => {
    expect(accepts(e)).toBe(false)
  },
)

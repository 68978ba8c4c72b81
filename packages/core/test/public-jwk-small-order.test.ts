import { expect, it } from 'vitest'
import { parsePublicJwk } from '../src/public-jwk.ts'

/** The encodings of Ed25519's points of order 1, 2, 4 and 8, canonical or not, without the sign: RFC 8032 §5.1.3, little-endian. */
const POINTS = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
]
const withSign = (hex: string) => hex.slice(0, 62) + (Number.parseInt(hex.slice(62), 16) | 0x80).toString(16)
const accepts = (hex: string) =>
  parsePublicJwk({ kty: 'OKP', crv: 'Ed25519', x: Buffer.from(hex, 'hex').toString('base64url') }) !==
  undefined

it.each(POINTS)('%s is no key, with either sign: one signature by it may be true of any text', (hex) => {
  expect(accepts(hex)).toBe(false)
  expect(accepts(withSign(hex))).toBe(false)
})

it.each(POINTS)('what differs from %s in one octet of its middle may be one', (hex) => {
  const other = hex.slice(0, 20) + (Number.parseInt(hex.slice(20, 22), 16) ^ 1).toString(16).padStart(2, '0')
  expect(accepts(other + hex.slice(22))).toBe(true)
})

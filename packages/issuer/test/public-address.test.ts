import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { literalAddress } from '../src/public-fetch/address.ts'
import { isLoopbackAddress, isPublicAddress } from '../src/public-fetch/public-address.ts'

const octet = fc.integer({ min: 0, max: 255 })
const group = fc.integer({ min: 0, max: 0xffff })
const ipv4 = fc
  .tuple(fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 203, 224, 255, 8, 93), octet, octet, octet)
  .map((octets) => octets.join('.'))
const ipv6 = fc
  .tuple(
    fc.constantFrom(0, 0x64, 0x2000, 0x2001, 0x2002, 0x2620, 0x2a00, 0x3fff, 0xfc00, 0xfe80, 0xff02),
    fc.array(group, { minLength: 7, maxLength: 7 }),
  )
  .map(([first, rest]) => [first, ...rest].map((each) => each.toString(16)).join(':'))

describe('whether an address is public', () => {
  it('is what another library says of IPv4', () => {
    fc.assert(
      fc.property(ipv4, (address) => {
        expect(isPublicAddress(address)).toBe(ipaddr.parse(address).range() === 'unicast')
        expect(isLoopbackAddress(address)).toBe(ipaddr.parse(address).range() === 'loopback')
      }),
      { numRuns: 5000 },
    )
  })

  it('is never more than another library says of IPv6, and no less where networks are', () => {
    fc.assert(
      fc.property(ipv6, (address) => {
        const isUnicast = ipaddr.parse(address).range() === 'unicast'
        if (isPublicAddress(address)) expect(isUnicast).toBe(true)
        if (address.startsWith('2a00')) expect(isPublicAddress(address)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  it.each(['', 'localhost', '1.2.3', '1.2.3.4.5', '::ffff:8.8.8.8', '8.8.8.8%lo', '[2a00::1]'])(
    'is no for %j',
    (text) => {
      expect(isPublicAddress(text)).toBe(false)
      expect(isLoopbackAddress(text)).toBe(false)
    },
  )
})

it.each([
  ['http://127.1/', '127.0.0.1'],
  ['http://2130706433/', '127.0.0.1'],
  ['http://0x7f.0.0.1/', '127.0.0.1'],
  ['http://127.0.0.1./', '127.0.0.1'],
  ['http://[0:0::1]/', '::1'],
  ['http://example.com/', undefined],
  ['http://1.2.3.4.example/', undefined],
])('the host of %s is the address %s', (url, address) => {
  expect(literalAddress(new URL(url).hostname)).toBe(address)
})

import { describe, expect, it } from 'vitest'
import { base64urlAliases } from '../../../test/support/aliases.ts'
import { base64url } from '../../../test/support/exchange.ts'
import { decodePart, hasUnsupportedExtension, mediaType, parseCompactJws } from '../src/jws.ts'

// RFC 7515 appendix A.3.1
const HEADER = 'eyJhbGciOiJFUzI1NiJ9'
const PAYLOAD =
  'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
const SIGNATURE = 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q'
const JWS = `${HEADER}.${PAYLOAD}.${SIGNATURE}`

describe('parseCompactJws', () => {
  it('cuts the example of RFC 7515 A.3 at its dots [7515-7.1]', () => {
    expect(parseCompactJws(JWS, 8192)).toEqual({
      header: HEADER,
      payload: PAYLOAD,
      signature: SIGNATURE,
      signed: `${HEADER}.${PAYLOAD}`,
    })
  })

  it('takes text as long as the limit and no longer', () => {
    expect(parseCompactJws(JWS, JWS.length)).toBeDefined()
    expect(parseCompactJws(JWS, JWS.length - 1)).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['no dot', HEADER],
    ['one dot', `${HEADER}.${PAYLOAD}`],
    ['five parts, as a JWE has', `${HEADER}..${PAYLOAD}.${SIGNATURE}.${SIGNATURE}`],
    ['a fourth part', `${JWS}.${SIGNATURE}`],
    ['a dot at the end', `${JWS}.`],
    ['a dot at the start', `.${JWS}`],
    ['no header', `.${PAYLOAD}.${SIGNATURE}`],
    ['no payload', `${HEADER}..${SIGNATURE}`],
    ['no signature', `${HEADER}.${PAYLOAD}.`],
    ['dots alone', '..'],
    ['the JSON serialization', JSON.stringify({ protected: HEADER, payload: PAYLOAD, signature: SIGNATURE })],
    ['the scheme before it', `DPoP ${JWS}`],
  ])('refuses %s', (_, text) => {
    expect(parseCompactJws(text, 8192)).toBeUndefined()
  })

  it.each(['header', 'payload', 'signature'] as const)(
    'refuses every alias of the %s [7515-2-base64url]',
    (name) => {
      const parts = { header: HEADER, payload: PAYLOAD, signature: SIGNATURE }
      for (const alias of base64urlAliases(parts[name])) {
        const { header, payload, signature } = Object.assign({}, parts, { [name]: alias })
        expect(parseCompactJws(`${header}.${payload}.${signature}`, 8192), alias).toBeUndefined()
      }
    },
  )

  it('refuses a megabyte of dots without cutting it', () => {
    expect(parseCompactJws('.'.repeat(1e6), 8192)).toBeUndefined()
  })
})

describe('decodePart', () => {
  it('decodes the payload of RFC 7515 A.3, line breaks and all', () => {
    expect(decodePart(PAYLOAD)).toEqual({ iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true })
  })

  it.each(['[]', '"x"', 'null', '{"a":1,"a":2}', '\ufeff{}'])('answers undefined for %s', (text) => {
    expect(decodePart(base64url(text))).toBeUndefined()
  })
})

describe('mediaType', () => {
  it.each([
    ['at+jwt', 'at+jwt'],
    ['AT+JWT', 'at+jwt'],
    ['application/at+jwt', 'at+jwt'],
    ['Application/At+Jwt', 'at+jwt'],
    ['application/application/at+jwt', 'application/at+jwt'],
    ['text/at+jwt', 'text/at+jwt'],
    [' at+jwt', ' at+jwt'],
    ['', ''],
    [undefined, undefined],
    [null, undefined],
    [['at+jwt'], undefined],
  ])('reads %j as %j [7515-4.1.9]', (typ, expected) => {
    expect(mediaType(typ)).toBe(expected)
  })
})

describe('hasUnsupportedExtension', () => {
  it.each([
    { crit: ['exp'] },
    { crit: [] },
    { crit: null },
    { crit: ['b64'], b64: false },
    { b64: true },
    { b64: false },
    { zip: 'DEF' },
    { enc: 'A256GCM' },
    { cty: 'JWT' },
    { cty: 'application/jwt' },
  ])('sees %j [7515-4.1.11-crit]', (header) => {
    expect(hasUnsupportedExtension({ alg: 'ES256', ...header })).toBe(true)
  })

  it.each([{}, { cty: 'json' }, { x5t: 'a', 'x5t#S256': 'b', kid: 'c' }])('sees nothing in %j', (header) => {
    expect(hasUnsupportedExtension({ alg: 'ES256', ...header })).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import { VECTORS } from '../../packages/core/test/vectors/jws.ts'
import { RUNTIMES, verifyJws } from './verify-jws.ts'

/** The examples of RFC 7515, 7520, 7797, 8037 and 9449, through all that the guard does before it reads claims. */
const JOE = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
const SECRET = {
  kty: 'oct',
  k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
}
const KEYS = [SECRET, ...VECTORS.map(({ jwk }) => jwk)]

describe.each(RUNTIMES)('the examples of the RFCs, in the %s runtime', (_, runtime) => {
  it.each(VECTORS.filter(({ source }) => !source.includes('7520')))(
    '$source verifies with its own key and with no other [7515-5.2]',
    async ({ jwk, input, signature }) => {
      const text = `${input}.${signature}`
      expect(await verifyJws(runtime, text, KEYS)).toBe('valid')
      expect(await verifyJws(runtime, text, [jwk])).toBe('valid')
      expect(
        await verifyJws(
          runtime,
          text,
          KEYS.filter((key) => key !== jwk),
        ),
      ).not.toBe('valid')
    },
  )

  it.each(VECTORS.filter(({ source }) => source.includes('7520')))(
    '$source verifies with the key of its kid alone',
    async ({ alg, jwk, input, signature }) => {
      const text = `${input}.${signature}`
      const kid = 'bilbo.baggins@hobbiton.example'
      expect(await verifyJws(runtime, text, [{ ...jwk, kid }])).toBe('valid')
      expect(await verifyJws(runtime, text, [{ ...jwk, kid, use: 'sig', alg }])).toBe('valid')
      for (const other of [{ kid: 'frodo' }, { use: 'enc' }, { alg: 'HS256' }, { key_ops: ['sign'] }]) {
        expect(await verifyJws(runtime, text, [{ ...jwk, kid, ...other }])).toBe('no key')
      }
    },
  )

  it.each([
    [
      'RFC 7515 A.1, HS256',
      `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
      'algorithm',
    ],
    ['RFC 7515 A.5, unsecured', `eyJhbGciOiJub25lIn0.${JOE}.`, 'format'],
    ['RFC 7515 A.5, with a signature', `eyJhbGciOiJub25lIn0.${JOE}.AAAA`, 'algorithm'],
    [
      'RFC 7515 A.7, flattened JSON',
      JSON.stringify({ payload: JOE, protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'AAAA' }),
      'format',
    ],
    [
      'RFC 7797 §4.2, unencoded and detached',
      'eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY',
      'format',
    ],
  ])('%s is refused, whatever keys there are [7515-5.2] [7518-3.6-none]', async (_, text, outcome) => {
    expect(await verifyJws(runtime, text, KEYS)).toBe(outcome)
  })
})

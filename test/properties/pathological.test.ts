import { describe, expect, it } from 'vitest'
import { TARGETS } from '../fuzz/targets.ts'

/**
 * A quarter of a megabyte of what makes parsers slow. What grows with the square of the input takes minutes here and ends at the
 * time limit of a test; what is linear takes milliseconds. No clock decides.
 */
const LENGTH = 262_144
const filled = (unit: string) => unit.repeat(Math.ceil(LENGTH / unit.length))

const PATHOLOGICAL: [string, string][] = [
  ['dots', filled('.')],
  ['base64url', filled('A')],
  ['parts', filled('e30.')],
  ['spaces', `DPoP${filled(' ')}`],
  ['spaces before a quote', `${filled(' ')}"`],
  ['tabs', filled('DPoP\t')],
  ['quotes', filled('"')],
  ['backslashes in a string', `{"${filled('\\\\')}":1}`],
  ['a string without end', `{"${filled('a')}`],
  ['brackets', `{"a":${filled('[')}`],
  ['braces', filled('{"a":')],
  ['members', `{${filled('"a":1,')}"b":1}`],
  ['escapes', `{"a":"${filled('\\u0061')}"}`],
  ['segments', `https://h.example/${filled('a/')}`],
  ['dot segments', `https://h.example/${filled('../')}`],
  ['percent signs', `https://h.example/${filled('%41')}`],
  ['half percent signs', `https://h.example/${filled('%4')}`],
  ['at signs', `https://${filled('@')}h.example/`],
  ['colons', `https://h.example:${filled('8')}/`],
  ['question marks', `/${filled('?')}`],
  ['lines', filled('a\n')],
  ['fields', `GET\n/mcp\n${filled('DPoP: x\n')}`],
  ['stars', `${'*a'.repeat(64)}\n${filled('a')}`],
  ['classes', `${'*[a-z]'.repeat(21)}\n${filled('a')}`],
]

describe.each(Object.entries(TARGETS))('%s', (_, target) => {
  it.each(PATHOLOGICAL)('takes %s in linear time', async (_, text) => {
    await target(Buffer.from(text, 'latin1'))
    expect(text.length).toBeGreaterThanOrEqual(LENGTH)
  })
})

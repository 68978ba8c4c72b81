import { describe, expect, it } from 'vitest'
import { isSameTargetUri, normalizeTargetUri } from '../src/dpop/target-uri.ts'

const BASE = 'https://mcp.example.com'

describe('what is no URI', () => {
  it('is the same as itself, octet by octet, and as nothing else that is none', () => {
    const [one, other] = [`${BASE}/a|b`, `${BASE}/c|d`]
    expect([normalizeTargetUri(one), normalizeTargetUri(other)]).toEqual([undefined, undefined])
    expect(isSameTargetUri(one, one)).toBe(true)
    expect(isSameTargetUri(one, other)).toBe(false)
  })

  it.each(['%', '%4', '%4-', '%-4', '%4g', '%g4', '%zz'])(
    'has %j in its host, path, query or fragment',
    (text) => {
      const places = [
        `https://x${text}y.example/`,
        `${BASE}/x${text}-`,
        `${BASE}/?x${text}-`,
        `${BASE}/#x${text}-`,
      ]
      for (const uri of places) {
        expect(normalizeTargetUri(uri.replace(text, '%41')), uri).toBeDefined()
        expect(normalizeTargetUri(uri), uri).toBeUndefined()
      }
    },
  )
})

it('percent-encodings that stay are written in upper case', () => {
  expect(normalizeTargetUri(`${BASE}/a%2fb%c3%a9`)).toBe(`${BASE}/a%2Fb%C3%A9`)
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { matchesGlob } from '../src/revocation/glob.ts'

describe("The issuer's GLOB", () => {
  it('agrees with what SQLite 3.40.1 said of 3,000 random pairs', () => {
    const url = new URL('../../core/test/vectors/sqlite-glob.json', import.meta.url)
    const vectors: [string, string, 0 | 1][] = JSON.parse(readFileSync(url, 'utf8'))
    expect(vectors).toHaveLength(3000)
    const wrong = vectors.filter(([pattern, text, said]) => matchesGlob(pattern, text) !== (said === 1))
    expect(wrong).toEqual([])
  })

  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['shark_agent_*', 'Shark_agent_x', false],
    ['a?c', 'a😀c', true],
    ['[a-', 'a', false],
    ['[]', ']', false],
    ['[^', '^', false],
    ['[a-]', '-', true],
    ['[]-a]', '_', false],
    ['[^]]', ']', false],
    ['a', 'a\u0000b', true],
  ])('%j and %j: %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected)
  })
})

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { codePoints, compileGlob, matchesGlob } from '../../src/revocation/glob.ts'
import { randomPairs } from './glob-pairs.ts'

const matches = (pattern: string, text: string) => matchesGlob(compileGlob(pattern), codePoints(text))
const python = spawnSync('python3', ['-c', 'import sqlite3'])

describe('GLOB', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['shark_agent_*', 'shark_agent_x', true],
    ['shark_agent_*', 'Shark_agent_x', false],
    ['a?c', 'abc', true],
    ['a?c', 'a😀c', true],
    ['a??c', 'a😀c', false],
    ['[a-c]', 'b', true],
    ['[^a-c]', 'b', false],
    ['[!a]', '!', true],
    ['[!a]', 'b', false],
    ['[]a]', ']', true],
    ['[^]a]', ']', false],
    ['[]-a]', '_', false],
    ['[]-a]', '-', true],
    ['[a-]', '-', true],
    ['[z-a]', 'z', true],
    ['[z-a]', 'a', false],
    ['[a', '[a', false],
    ['*[', 'x[', false],
    ['a\\*', 'a\\b', true],
    ['*a*b*c', 'xxaxxbxxc', true],
    ['*a*b*c', 'xxaxxcxxb', false],
    ['a', 'a\u0000b', true],
  ])('%j and %j: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })

  it('agrees with what SQLite 3.40.1 said of 3,000 random pairs', () => {
    const url = new URL('../vectors/sqlite-glob.json', import.meta.url)
    const vectors: [string, string, 0 | 1][] = JSON.parse(readFileSync(url, 'utf8'))
    expect(vectors).toHaveLength(3000)
    const wrong = vectors.filter(([pattern, text, said]) => matches(pattern, text) !== (said === 1))
    expect(wrong).toEqual([])
    expect(vectors.filter(([, , said]) => said === 1).length).toBeGreaterThan(700)
  })

  if (python.status !== 0) console.log('GLOB against real SQLite: skipped, there is no python3 with sqlite3')

  it.skipIf(python.status !== 0)('agrees with real SQLite on 10,000 random pairs', () => {
    const pairs = randomPairs(10_000, Date.now())
    const script = new URL('./sqlite-glob.py', import.meta.url).pathname
    const { stdout } = spawnSync('python3', [script], { input: JSON.stringify(pairs), encoding: 'utf8' })
    const said: (0 | 1)[] = JSON.parse(stdout)
    const wrong = pairs.filter(([pattern, text], i) => matches(pattern, text) !== (said[i] === 1))
    expect(wrong).toEqual([])
  })

  it.each([
    ['stars', `${'*a'.repeat(63)}*b`],
    ['a long class after a star', `*[${'b'.repeat(120)}]c`],
    ['stars and question marks', `${'*?'.repeat(63)}b`],
  ])('takes time in proportion to the text for a hostile pattern: %s', (_, pattern) => {
    const glob = compileGlob(pattern)
    const text = codePoints('a'.repeat(100_000))
    // Trying all ways would outlast the test.
    expect(matchesGlob(glob, text)).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import type { Refusal } from '../src/refusal.ts'
import { isSameScope, isScope, parseScopes, requireScopes } from '../src/scopes.ts'

function reasonOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as Refusal).reason
  }
  return 'accepted'
}

describe('parseScopes', () => {
  it.each([
    [{}, []],
    [{ scope: '' }, []],
    [{ scope: 'a' }, ['a']],
    [{ scope: 'a b  c ' }, ['a', 'b', 'c']],
    [{ scope: 'a a b' }, ['a', 'b']],
    [{ scope: 'read read:all' }, ['read', 'read:all']],
    [{ scp: 'a b' }, ['a', 'b']],
    [{ scp: ['a', 'b'] }, ['a', 'b']],
    [{ scope: 'a', scp: ['b'] }, ['a']],
    [{ scope: '', scp: 'b' }, []],
  ])('reads %j as %j', (claims, scopes) => {
    expect(parseScopes(claims)).toEqual(scopes)
  })

  it.each([
    { scope: ['a', 'b'] },
    { scope: 1 },
    { scope: { a: true } },
    { scope: true },
    { scope: null },
    { scope: null, scp: 'admin' },
    { scope: 'a\tb' },
    { scope: 'a\nb' },
    { scope: 'a"b' },
    { scope: 'a\\b' },
    { scope: 'é' },
    { scp: [1] },
    { scp: ['a b'] },
    { scp: [''] },
    { scp: { a: true } },
    { scp: null },
  ])('refuses %j', (claims) => {
    expect(reasonOf(() => parseScopes(claims))).toBe('token_claims_invalid')
  })
})

describe('requireScopes', () => {
  it.each([
    [[], []],
    [['a'], []],
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
  ])('lets %j do what needs %j', (granted, needed) => {
    expect(reasonOf(() => requireScopes(granted, needed, isSameScope))).toBe('accepted')
  })

  it.each([
    [[], ['a']],
    [['a'], ['a', 'b']],
    [['read:all'], ['read']],
    [['read'], ['read:all']],
    [['Read'], ['read']],
    [['a b'], ['a']],
    [['toString'], ['valueOf']],
  ])('does not let %j do what needs %j', (granted, needed) => {
    expect(reasonOf(() => requireScopes(granted, needed, isSameScope))).toBe('insufficient_scope')
  })
})

describe('isScope', () => {
  it.each(['a', 'mcp:read', 'https://x/y', '!#$%&', '~'])('accepts %j', (scope) => {
    expect(isScope(scope)).toBe(true)
  })
  it.each(['', ' ', 'a b', '"', '\\', '\u007f', 'é', 'a\n', 1, null, undefined, ['a']])(
    'refuses %j',
    (scope) => {
      expect(isScope(scope)).toBe(false)
    },
  )
})

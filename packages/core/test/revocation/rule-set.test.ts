import { describe, expect, it } from 'vitest'
import type { AccessToken } from '../../src/access-token.ts'
import { RuleSet } from '../../src/revocation/rule-set.ts'
import type { RevocationRule } from '../../src/revocation/rules.ts'
import { actor, NOW, tokenOf } from './tokens.ts'

const X = NOW + 86_400

function revoked(token: AccessToken, ...rules: RevocationRule[]): boolean {
  const set = new RuleSet()
  set.add(rules, NOW)
  return set.revokes(token)
}

describe('A rule set', () => {
  const token = tokenOf({ id: 'jti-x', issuedAt: NOW - 10 })

  it('revokes nothing when empty', () => {
    expect(revoked(token)).toBe(false)
  })

  it.each<[RevocationRule['k'], string, string]>([
    ['jti', 'jti-x', 'jti-y'],
    ['gid', 'grant-1', 'grant-2'],
    ['cid', 'agent-1', 'agent-2'],
    ['sub', 'user-1', 'user-2'],
    ['jkt', 'key-1', 'key-2'],
    ['glob', 'agent-*', 'agent-[2-9]'],
    ['kid', 'kid-1', 'kid-2'],
  ])('revokes by %s what has that value, and nothing else', (k, mine, other) => {
    expect(revoked(token, { k, v: mine, x: X })).toBe(true)
    expect(revoked(token, { k, v: other, x: X })).toBe(false)
    expect(revoked(token, { k, v: mine, b: NOW - 10, x: X })).toBe(false)
    expect(revoked(token, { k, v: mine, b: NOW - 9, x: X })).toBe(true)
  })

  it('compares a value with its own kind only', () => {
    for (const k of ['gid', 'cid', 'sub', 'jkt', 'glob', 'kid'] as const) {
      expect(revoked(token, { k, v: 'jti-x', x: X })).toBe(false)
    }
  })

  it('does not revoke a token for a claim that it does not have', () => {
    const bare = tokenOf({ grant: undefined, jkt: undefined, keyId: undefined })
    for (const k of ['gid', 'jkt', 'kid'] as const)
      expect(revoked(bare, { k, v: 'undefined', x: X })).toBe(false)
  })

  it('decides a token of the same second by the whole second it was issued in', () => {
    const rule = { k: 'cid', v: 'agent-1', b: NOW + 1, x: X } as const
    expect(revoked(tokenOf({ issuedAt: NOW }), rule)).toBe(true)
    expect(revoked(tokenOf({ issuedAt: NOW + 0.999 }), rule)).toBe(true)
    expect(revoked(tokenOf({ issuedAt: NOW + 1 }), rule)).toBe(false)
    expect(revoked(tokenOf({ issuedAt: NOW + 1.5 }), rule)).toBe(false)
  })

  it('keeps the latest cut-off, whatever comes first, and says when something changed', () => {
    const early = { k: 'sub', v: 'user-1', b: NOW - 20, x: X } as const
    const late = { ...early, b: NOW }
    const set = new RuleSet()
    expect(set.add([late], NOW)).toBe(true)
    expect(set.add([early, late], NOW)).toBe(false)
    expect(set.revokes(token)).toBe(true)
    expect(set.add([{ k: 'sub', v: 'user-1', x: X }], NOW)).toBe(true)
    expect(set.add([late], NOW)).toBe(false)
    expect(set.revokes(tokenOf({ issuedAt: NOW + 100 }))).toBe(true)
    expect(set.size).toBe(1)
  })

  it('looks at the chain of actors for rules with c, and for no others', () => {
    const derived = tokenOf({
      clientId: 'agent-2',
      subject: 'user-2',
      jkt: 'key-2',
      actors: [actor('agent-2', 'key-2'), actor('agent-1', 'key-1')],
    })
    for (const [k, v] of [
      ['cid', 'agent-1'],
      ['sub', 'agent-1'],
      ['jkt', 'key-1'],
      ['glob', '*-1'],
    ] as const) {
      expect(revoked(derived, { k, v, x: X })).toBe(false)
      expect(revoked(derived, { k, v, x: X, c: false })).toBe(false)
      expect(revoked(derived, { k, v, x: X, c: true })).toBe(true)
      expect(revoked(derived, { k, v, b: derived.issuedAt, x: X, c: true })).toBe(false)
    }
    expect(revoked(token, { k: 'cid', v: 'agent-1', x: X, c: true })).toBe(true)
  })

  it('counts the subject of a derived token among its chain, and nobody where there is no chain', () => {
    const own = { clientId: 'agent-2', subject: 'agent-1', grant: 'other' }
    const derived = tokenOf({ ...own, actors: [actor('agent-2')] })
    for (const [k, v] of [
      ['cid', 'agent-1'],
      ['glob', '*-1'],
    ] as const) {
      expect(revoked(derived, { k, v, x: X, c: true })).toBe(true)
      expect(revoked(derived, { k, v, x: X })).toBe(false)
      expect(revoked(tokenOf(own), { k, v, x: X, c: true })).toBe(false)
    }
  })

  it('does not let a later rule without c widen one with c', () => {
    const derived = tokenOf({ clientId: 'agent-2', issuedAt: NOW, actors: [actor('agent-1')] })
    const chain = { k: 'cid', v: 'agent-1', b: NOW, x: X, c: true } as const
    expect(revoked(derived, chain, { k: 'cid', v: 'agent-1', b: NOW + 5, x: X })).toBe(false)
  })

  it('remembers what patterns say of a client only until they change', () => {
    const set = new RuleSet()
    set.add([{ k: 'glob', v: 'other-*', x: X }], NOW)
    expect(set.revokes(token)).toBe(false)
    set.add([{ k: 'glob', v: 'agent-?', b: NOW - 9, x: X }], NOW)
    expect(set.revokes(token)).toBe(true)
    set.purge(X + 61)
    expect(set.revokes(token)).toBe(false)
  })

  it('forgets rules a minute after they expire, not before, and not those that were prolonged', () => {
    const set = new RuleSet()
    const short = { k: 'jti', v: 'jti-x', x: NOW + 10 } as const
    const rules: RevocationRule[] = [{ k: 'glob', v: 'agent-1', x: NOW + 10 }]
    for (let i = 0; i < 1000; i++) rules.push({ k: 'jti', v: `old-${i}`, x: NOW + 10 })
    set.add([...rules, short, { ...short, x: NOW + 1000 }], NOW)
    set.purge(NOW + 69)
    expect(set.size).toBe(1002)
    for (let i = 0; i < 30; i++) set.purge(NOW + 70, 100)
    expect(set.size).toBe(1)
    expect(set.revokes(token)).toBe(true)
  })

  it('does not take in what has expired', () => {
    const set = new RuleSet()
    expect(set.add([{ k: 'jti', v: 'jti-x', x: NOW - 61 }], NOW)).toBe(false)
    expect(set.size).toBe(0)
  })

  it('refuses more than 1,024 patterns, and keeps those it has', () => {
    const set = new RuleSet()
    const globs = Array.from({ length: 1024 }, (_, i) => ({ k: 'glob', v: `agent-1${i}*`, x: X }) as const)
    set.add(globs, NOW)
    expect(set.add(globs, NOW)).toBe(false)
    expect(() => set.add([{ k: 'glob', v: 'agent-*', x: X }], NOW)).toThrow(RangeError)
    expect(set.revokes(tokenOf({ clientId: 'agent-15' }))).toBe(true)
  })

  it('refuses more than two million rules, unless some of them have expired', () => {
    const set = new RuleSet()
    const fill = (prefix: string, count: number, x: number, now: number) => {
      for (let i = 0; i < count; i += 1000) {
        const batch = Array.from(
          { length: 1000 },
          (_, j) => ({ k: 'jti', v: `${prefix}${i + j}`, x }) as const,
        )
        set.add(batch, now)
      }
    }
    fill('short', 1_000_000, NOW + 10, NOW)
    fill('long', 1_000_000, X, NOW)
    expect(() => fill('more', 1000, X, NOW)).toThrow(RangeError)
    expect(set.revokes(tokenOf({ id: 'long999999' }))).toBe(true)
    fill('more', 1000, X, NOW + 70)
    expect(set.size).toBe(1_001_000)
    expect(set.revokes(tokenOf({ id: 'more999' }))).toBe(true)
  })
})

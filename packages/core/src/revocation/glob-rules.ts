import { codePoints, compileGlob, type Glob, matchesGlob } from './glob.ts'

/** Texts whose cut-off is remembered, before all are forgotten: as many as tokens are. */
const MAX_REMEMBERED = 50_000

interface GlobRule {
  readonly glob: Glob
  before: number
  expiresAt: number
}

/** Patterns with their cut-offs. What all of them together say of a text is remembered until they change. */
export class GlobRules {
  readonly #rules = new Map<string, GlobRule>()
  readonly #cutoffs = new Map<string, number>()

  get size(): number {
    return this.#rules.size
  }

  has(pattern: string): boolean {
    return this.#rules.has(pattern)
  }

  /** @returns whether more is revoked now */
  add(pattern: string, before: number, expiresAt: number): boolean {
    const known = this.#rules.get(pattern)
    if (known !== undefined && known.before >= before) {
      known.expiresAt = Math.max(known.expiresAt, expiresAt)
      return false
    }
    if (known === undefined) this.#rules.set(pattern, { glob: compileGlob(pattern), before, expiresAt })
    else Object.assign(known, { before, expiresAt: Math.max(known.expiresAt, expiresAt) })
    this.#cutoffs.clear()
    return true
  }

  /** The latest cut-off of all patterns that match; -Infinity where none does. */
  cutoff(text: string): number {
    const remembered = this.#cutoffs.get(text)
    if (remembered !== undefined) return remembered
    const points = codePoints(text)
    let cutoff = Number.NEGATIVE_INFINITY
    for (const { glob, before } of this.#rules.values()) {
      if (before > cutoff && matchesGlob(glob, points)) cutoff = before
    }
    if (this.#cutoffs.size >= MAX_REMEMBERED) this.#cutoffs.clear()
    this.#cutoffs.set(text, cutoff)
    return cutoff
  }

  purge(now: number): void {
    const before = this.#rules.size
    for (const [pattern, rule] of this.#rules) if (rule.expiresAt <= now) this.#rules.delete(pattern)
    if (this.#rules.size !== before) this.#cutoffs.clear()
  }
}

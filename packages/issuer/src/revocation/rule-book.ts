import type { Act, Revocable } from '../records.ts'
import type { IssuerStore } from '../store.ts'
import { matchesGlob } from './glob.ts'
import type { RevocationRule } from './rules.ts'

/** What can be revoked, but for when it was issued. */
export type Selectable = Omit<Revocable, 'issuedAt'>

interface Cutoff {
  /** Infinite where all are revoked. */
  before: number
  /** The latest that is finite. */
  timed: number
  expiresAt: number
}

/**
 * All rules of the store by what they select, brought up to date by whatever is new in it: what a token costs does not
 * depend on how many there are, patterns apart.
 */
export class RuleBook {
  readonly #store: IssuerStore
  readonly #clock: () => number
  readonly #cutoffs = new Map<string, Cutoff>()
  readonly #globs = new Map<string, Cutoff>()
  readonly #chainGlobs = new Map<string, Cutoff>()
  #seq = 0
  #sweepAt = 1000

  constructor(store: IssuerStore, clock: () => number) {
    this.#store = store
    this.#clock = clock
  }

  /** Whether what was issued then has been revoked. */
  async revokes(revocable: Revocable): Promise<boolean> {
    await this.#sync()
    return Math.floor(revocable.issuedAt) < this.#fold(revocable, ({ before }) => before)
  }

  /** The first second that no rule with a date reaches; -Infinity where there is no such rule. */
  async clearFrom(selectable: Selectable): Promise<number> {
    await this.#sync()
    return this.#fold(selectable, ({ timed }) => timed)
  }

  async #sync(): Promise<void> {
    const since = this.#seq
    const { seq, rules } = await this.#store.rulesSince(since)
    for (const rule of rules) this.#add(rule)
    if (seq >= since) {
      this.#seq = Math.max(this.#seq, seq)
      return
    }
    // The store was emptied, and counts from the beginning. What was revoked stays so here.
    this.#seq = 0
    await this.#sync()
  }

  #fold(selectable: Selectable, read: (cutoff: Cutoff) => number): number {
    let latest = Number.NEGATIVE_INFINITY
    const take = (cutoff: Cutoff | undefined) => {
      if (cutoff !== undefined) latest = Math.max(latest, read(cutoff))
    }
    for (const key of keysOf(selectable)) take(this.#cutoffs.get(key))
    for (const [pattern, cutoff] of this.#globs) if (matchesGlob(pattern, selectable.clientId)) take(cutoff)
    if (this.#chainGlobs.size > 0) {
      for (const { sub } of chainOf(selectable)) {
        for (const [pattern, cutoff] of this.#chainGlobs) if (matchesGlob(pattern, sub)) take(cutoff)
      }
    }
    return latest
  }

  #add(rule: RevocationRule): void {
    if (rule.k === 'glob') {
      raise(this.#globs, rule.v, rule)
      if (rule.c) raise(this.#chainGlobs, rule.v, rule)
      return
    }
    this.#sweep()
    raise(this.#cutoffs, `${rule.k} ${rule.v}`, rule)
    if (rule.c && (rule.k === 'cid' || rule.k === 'sub')) raise(this.#cutoffs, `party ${rule.v}`, rule)
    if (rule.c && rule.k === 'jkt') raise(this.#cutoffs, `party-key ${rule.v}`, rule)
  }

  /** Forgets what has expired whenever the book has doubled: cheap on average. */
  #sweep(): void {
    if (this.#cutoffs.size < this.#sweepAt) return
    const now = this.#clock()
    for (const table of [this.#cutoffs, this.#globs, this.#chainGlobs]) {
      for (const [key, { expiresAt }] of table) if (expiresAt <= now) table.delete(key)
    }
    this.#sweepAt = Math.max(1000, 2 * this.#cutoffs.size)
  }
}

function raise(
  table: Map<string, Cutoff>,
  key: string,
  { b = Number.POSITIVE_INFINITY, x }: RevocationRule,
): void {
  const known = table.get(key)
  const timed = Number.isFinite(b) ? b : Number.NEGATIVE_INFINITY
  if (known === undefined) table.set(key, { before: b, timed, expiresAt: x })
  else {
    known.before = Math.max(known.before, b)
    known.timed = Math.max(known.timed, timed)
    known.expiresAt = Math.max(known.expiresAt, x)
  }
}

function keysOf(selectable: Selectable): readonly string[] {
  const { jti, gid, clientId, subject, jkt } = selectable
  const keys = [`gid ${gid}`, `cid ${clientId}`, `sub ${subject}`]
  if (jti !== undefined) keys.push(`jti ${jti}`)
  if (jkt !== undefined) keys.push(`jkt ${jkt}`)
  for (const party of chainOf(selectable)) {
    keys.push(`party ${party.sub}`)
    if (party.jkt !== undefined) keys.push(`party-key ${party.jkt}`)
  }
  return keys
}

/** Everyone in a delegation chain, from the subject to whoever acts last; nobody where nobody acts. */
export function chainOf({ subject, act }: Pick<Selectable, 'subject' | 'act'>): readonly Omit<Act, 'act'>[] {
  if (act === undefined) return []
  const chain: Omit<Act, 'act'>[] = [{ sub: subject }]
  for (let actor: Act | undefined = act; actor !== undefined; actor = actor.act) chain.push(actor)
  return chain
}

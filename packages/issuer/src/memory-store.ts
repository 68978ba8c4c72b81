import { createClock } from './clock.ts'
import type { RevocationRule } from './revocation/rules.ts'
import { type IssuerStore, type Kind, StoreUnavailable } from './store.ts'

/** Records of a kind at most. Kinds not named: 100,000. */
const LIMITS: Partial<Record<Kind, number>> = {
  token: 500_000,
  refresh: 500_000,
  claim: 500_000,
  audit: 10_000,
}
const LIMIT = 100_000
/** Kinds of which the oldest gives way to the newest. */
const LOGS: ReadonlySet<Kind> = new Set(['audit'])

/** For tests. */
export interface MemoryStoreOptions {
  /** Seconds since the epoch. Default: the system's clock. Give it the issuer's, if that has one of its own. */
  readonly clock?: () => number
  /** Records of a kind at most. Default: 500,000 tokens, refresh tokens and claims, 10,000 audit events, 100,000 of others. */
  readonly limits?: Readonly<Partial<Record<Kind, number>>>
}

/** As JSON, so that nobody holds what another one changes, and what comes back is what any other store would give. */
interface Entry {
  json: string
  expiresAt: number
  readonly indexes: readonly string[]
}

/** Everything in this process, gone when it ends; for one instance. */
export function memoryStore(options: MemoryStoreOptions = {}): IssuerStore {
  const { limits = {} } = options
  const clock = createClock(options.clock)
  const kinds = new Map<Kind, Shelf>()
  const waiting = new Set<() => void>()
  let rules: { seq: number; rule: RevocationRule }[] = []
  let seq = 0

  function shelf(kind: Kind): Shelf {
    const existing = kinds.get(kind)
    if (existing !== undefined) return existing
    const created = new Shelf(limits[kind] ?? LIMITS[kind] ?? LIMIT, LOGS.has(kind))
    kinds.set(kind, created)
    return created
  }

  return {
    get: async (kind, id) => parse(shelf(kind).get(id, clock())),

    async add(kind, id, record, { expiresAt = Number.POSITIVE_INFINITY, indexes = [] } = {}) {
      return shelf(kind).add(id, { json: JSON.stringify(record), expiresAt, indexes }, clock())
    },

    async update(kind, id, change, expiresAt) {
      const entry = shelf(kind).get(id, clock())
      if (entry === undefined) return undefined
      entry.json = JSON.stringify(change(JSON.parse(entry.json)))
      entry.expiresAt = expiresAt ?? entry.expiresAt
      return JSON.parse(entry.json)
    },

    async take(kind, id) {
      const entry = shelf(kind).get(id, clock())
      if (entry !== undefined) shelf(kind).remove(id)
      return parse(entry)
    },

    async list(kind, { index, offset = 0, limit = 50 } = {}) {
      const { entries, total } = shelf(kind).list(index, offset, limit, clock())
      return { data: entries.map(({ json }) => JSON.parse(json)), total }
    },

    async appendRules(added) {
      const now = clock()
      rules = rules.filter(({ rule }) => rule.x > now)
      for (const rule of added) rules.push({ seq: ++seq, rule })
      for (const wake of waiting) wake()
      return seq
    },

    async rulesSince(since) {
      const now = clock()
      const after = rules.filter((entry) => entry.seq > since && entry.rule.x > now)
      return { seq, rules: after.map(({ rule }) => rule) }
    },

    waitForRules(since, seconds, signal) {
      if (seq > since || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, seconds * 1000)
        signal.addEventListener('abort', done)
        waiting.add(done)
      })
    },
  }
}

function parse(entry: Entry | undefined) {
  return entry === undefined ? undefined : JSON.parse(entry.json)
}

/** Records of one kind, in the order in which they came. */
class Shelf {
  readonly #entries = new Map<string, Entry>()
  readonly #lists = new Map<string, Set<Entry>>()
  readonly #limit: number
  readonly #isLog: boolean
  #sweepAt = 1000
  #sweptAt = 0

  constructor(limit: number, isLog: boolean) {
    this.#limit = limit
    this.#isLog = isLog
  }

  get(id: string, now: number): Entry | undefined {
    const entry = this.#entries.get(id)
    return entry !== undefined && entry.expiresAt > now ? entry : undefined
  }

  add(id: string, entry: Entry, now: number): boolean {
    if (this.get(id, now) !== undefined) return false
    this.remove(id)
    this.#makeRoom(now)
    this.#entries.set(id, entry)
    for (const index of entry.indexes) {
      const list = this.#lists.get(index)
      if (list === undefined) this.#lists.set(index, new Set([entry]))
      else list.add(entry)
    }
    return true
  }

  remove(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    for (const index of entry.indexes) {
      const list = this.#lists.get(index)
      list?.delete(entry)
      if (list?.size === 0) this.#lists.delete(index)
    }
  }

  /** Newest first. In two passes: nothing is made of the many that are not on the page. */
  list(index: string | undefined, offset: number, limit: number, now: number) {
    const all = index === undefined ? this.#entries : this.#lists.get(index)
    let total = 0
    for (const { expiresAt } of all?.values() ?? []) if (expiresAt > now) total++
    const end = total - offset
    const entries: Entry[] = []
    let place = 0
    for (const entry of all?.values() ?? []) {
      if (place >= end) break
      if (entry.expiresAt <= now) continue
      if (place >= end - limit) entries.push(entry)
      place++
    }
    return { entries: entries.reverse(), total }
  }

  /** Sweeps when the shelf has doubled since it last did, or is full, but then once a second at most: cheap on average. */
  #makeRoom(now: number): void {
    const size = this.#entries.size
    if (size < this.#limit && size < this.#sweepAt) return
    if (size < this.#limit || Math.abs(now - this.#sweptAt) >= 1) {
      this.#sweptAt = now
      for (const [id, { expiresAt }] of this.#entries) if (expiresAt <= now) this.remove(id)
      this.#sweepAt = Math.max(1000, 2 * this.#entries.size)
    }
    if (this.#entries.size < this.#limit) return
    if (!this.#isLog) throw new StoreUnavailable('issuer: the store is full')
    this.remove(this.#entries.keys().next().value as string)
  }
}

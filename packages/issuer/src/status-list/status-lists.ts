import type { Settings } from '../options.ts'
import { randomSecret } from '../random.ts'
import type { IssuedToken, StatusBits, StatusReference } from '../records.ts'
import { SharedAttempts, STORE_PATIENCE } from '../shared-attempts.ts'
import { everyRecord } from '../store.ts'
import { shuffledIndices } from './shuffled-indices.ts'

/** Indices that an instance takes at a time. */
const BLOCK = 32
/** Seconds after which it does not use what is left of them. */
const BLOCK_LIFE = 600
/** Bits in one record. */
const CHUNK = 8192
/** Longer than any clock is wrong: a bit outlives its token by this. */
const SKEW = 60

/** Indices of one list that are this instance's to give away. */
interface Block {
  readonly list: number
  readonly indices: number[]
  readonly takenAt: number
}

/**
 * Which tokens are not valid, a bit each, in lists of equal size. The store has the bits and says which indices are taken, so
 * that instances agree; a list that is full is followed by another, and kept as long as its tokens may live.
 */
export class StatusLists {
  readonly #settings: Settings
  readonly #size: number
  readonly #listeners = new Set<(list: number) => void>()
  #block: Block | undefined
  readonly #taking = new SharedAttempts<void>(STORE_PATIENCE)
  #order: { readonly list: number; readonly indices: Uint32Array } | undefined

  constructor(settings: Settings, size: number) {
    this.#settings = settings
    this.#size = size
  }

  /** The place of a new token: no other has it, nor ever will. */
  async allot(): Promise<StatusReference> {
    for (;;) {
      const block = this.#block
      const age = block === undefined ? Number.POSITIVE_INFINITY : this.#settings.clock() - block.takenAt
      const idx = age >= 0 && age < BLOCK_LIFE ? block?.indices.pop() : undefined
      if (block !== undefined && idx !== undefined) return { list: block.list, idx }
      await this.#taking.run(() => this.#takeBlock())
    }
  }

  /** Sets the bits of tokens. They stay set until the token has expired. */
  async revoke(tokens: readonly IssuedToken[]): Promise<void> {
    const chunks = new Map<string, { list: number; chunk: number; indices: number[]; until: number }>()
    for (const { status, expiresAt } of tokens) {
      if (status === undefined) continue
      const { list, idx } = status
      const chunk = Math.floor(idx / CHUNK)
      const id = `${list}:${chunk}`
      const gathered = chunks.get(id) ?? { list, chunk, indices: [], until: 0 }
      gathered.indices.push(idx % CHUNK)
      gathered.until = Math.max(gathered.until, expiresAt + SKEW)
      chunks.set(id, gathered)
    }
    for (const [id, gathered] of chunks) await this.#setBits(id, gathered)
    for (const list of new Set([...chunks.values()].map(({ list }) => list))) {
      for (const listener of this.#listeners) listener(list)
    }
  }

  /** Calls `listener` when this instance has changed a list. */
  onChange(listener: (list: number) => void): void {
    this.#listeners.add(listener)
  }

  /** Numbers of all lists that have tokens which may live, newest first. */
  async numbers(): Promise<readonly number[]> {
    const numbers: number[] = []
    for await (const { number } of everyRecord(this.#settings.store, 'statusList')) numbers.push(number)
    return numbers
  }

  /** A list, a bit per token, from the least significant on; `undefined` if there is none of this number. */
  async bits(number: number): Promise<Uint8Array | undefined> {
    const { store } = this.#settings
    const list = await store.get('statusList', `${number}`)
    if (list === undefined) return undefined
    const bytes = new Uint8Array(list.size / 8)
    for await (const { chunk, bits } of everyRecord(store, 'statusBits', `list:${number}`)) {
      bytes.set(decode(bits), (chunk * CHUNK) / 8)
    }
    return bytes
  }

  async #setBits(
    id: string,
    {
      list,
      chunk,
      indices,
      until,
    }: { list: number; chunk: number; indices: readonly number[]; until: number },
  ): Promise<void> {
    const { store } = this.#settings
    const merge = (record: StatusBits): StatusBits => {
      const bytes = decode(record.bits)
      for (const index of indices) bytes[index >> 3] = (bytes[index >> 3] as number) | (1 << (index & 7))
      return { ...record, bits: encode(bytes), until: Math.max(record.until, until) }
    }
    for (;;) {
      const known = await store.get('statusBits', id)
      const last = Math.max(until, known?.until ?? 0)
      if ((await store.update('statusBits', id, merge, last)) !== undefined) return
      const empty = { list, chunk, bits: encode(new Uint8Array(CHUNK / 8)), until }
      if (await store.add('statusBits', id, merge(empty), { expiresAt: until, indexes: [`list:${list}`] }))
        return
    }
  }

  async #takeBlock(): Promise<void> {
    const { store, clock, longestLife } = this.#settings
    const [newest] = (await store.list('statusList', { limit: 1 })).data
    const number = newest?.number ?? 0
    let start: number | undefined
    const taken = await store.update('statusList', `${number}`, (list) => {
      start = list.next < list.size ? list.next : undefined
      return start === undefined ? list : { ...list, next: start + BLOCK }
    })
    if (taken === undefined || start === undefined) {
      await this.#addList(number + 1)
      return
    }
    if (taken.next === taken.size) {
      // What is left of blocks is used up for a while yet.
      await store.update('statusList', `${number}`, (list) => list, clock() + BLOCK_LIFE + longestLife + SKEW)
    }
    if (this.#order?.list !== number) {
      this.#order = { list: number, indices: await shuffledIndices(taken.secret, taken.size) }
    }
    const indices = [...this.#order.indices.subarray(start, taken.next)]
    this.#block = { list: number, indices, takenAt: clock() }
  }

  /** Of two instances that find the last list full, one adds the next. */
  async #addList(number: number): Promise<void> {
    const list = { number, size: this.#size, secret: randomSecret(), next: 0 }
    await this.#settings.store.add('statusList', `${number}`, list)
  }
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

function decode(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
}

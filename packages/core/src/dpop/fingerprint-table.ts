const SHARDS = 256
const SMALLEST = 16
/** Slots in use, dead ones included, beyond which a shard is rebuilt. */
const FULL = 0.7

/**
 * A set of fingerprints with the second each dies at, in typed arrays: 12 bytes a slot. Open addressing; a dead slot is
 * passed by when looking and taken when adding. Cut into shards, so that growing one is short: about a hundredth of a
 * millisecond per thousand entries.
 */
export class FingerprintTable {
  readonly #shards: (Shard | undefined)[] = new Array<Shard | undefined>(SHARDS).fill(undefined)

  /** Whether the fingerprint is there and dies after `floor`. */
  has(high: number, low: number, floor: number): boolean {
    return this.#shards[high & (SHARDS - 1)]?.has(high, low, floor) ?? false
  }

  /** Adds a fingerprint that is not there. What dies at or before `floor` may be overwritten. */
  add(high: number, low: number, dies: number, floor: number): void {
    const index = high & (SHARDS - 1)
    let shard = this.#shards[index]
    if (shard === undefined || shard.used >= shard.slots * FULL) {
      shard = new Shard(shard, floor)
      this.#shards[index] = shard
    }
    shard.add(high, low, dies, floor)
  }
}

class Shard {
  readonly slots: number
  /** Slots that are not empty. */
  used = 0
  readonly #high: Uint32Array
  readonly #low: Uint32Array
  /** 0 for an empty slot. */
  readonly #dies: Uint32Array

  /** Takes over what is alive of another shard, with room for as much again. */
  constructor(from: Shard | undefined, floor: number) {
    const live = from === undefined ? 0 : from.#countLive(floor)
    let slots = SMALLEST
    while (slots * FULL < live * 1.5 + 1) slots *= 2
    this.slots = slots
    this.#high = new Uint32Array(slots)
    this.#low = new Uint32Array(slots)
    this.#dies = new Uint32Array(slots)
    if (from !== undefined) from.#moveLive(this, floor)
  }

  has(high: number, low: number, floor: number): boolean {
    const mask = this.slots - 1
    for (let slot = low & mask; this.#dies[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#low[slot] === low && this.#high[slot] === high) return (this.#dies[slot] as number) > floor
    }
    return false
  }

  add(high: number, low: number, dies: number, floor: number): void {
    const mask = this.slots - 1
    let slot = low & mask
    while (this.#dies[slot] !== 0 && (this.#dies[slot] as number) > floor) slot = (slot + 1) & mask
    if (this.#dies[slot] === 0) this.used++
    this.#high[slot] = high
    this.#low[slot] = low
    this.#dies[slot] = dies
  }

  #countLive(floor: number): number {
    let live = 0
    for (const dies of this.#dies) if (dies > floor) live++
    return live
  }

  #moveLive(to: Shard, floor: number): void {
    for (let slot = 0; slot < this.slots; slot++) {
      const dies = this.#dies[slot] as number
      if (dies > floor) to.add(this.#high[slot] as number, this.#low[slot] as number, dies, floor)
    }
  }
}

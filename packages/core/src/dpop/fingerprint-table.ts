const SHARDS = 256
const SMALLEST = 16
/** Slots in use, dead ones included, beyond which a shard is rebuilt. */
const FULL = 0.75
/** Slots per live entry after that: room for a third as much again. */
const SPACIOUS = 1.8

/**
 * A set of fingerprints with the second each dies at, in typed arrays: 12 bytes a slot. Open addressing; a dead slot is
 * passed by when looking and taken when adding. Cut into shards, so that growing one is short: about a hundredth of a
 * millisecond per thousand entries.
 */
export class FingerprintTable {
  readonly #shards: (Shard | undefined)[] = new Array<Shard | undefined>(SHARDS).fill(undefined)

  /** Whether the fingerprint is there and dies after `floor`, which is 0 at least. */
  has(high: number, low: number, floor: number): boolean {
    return this.#shards[high & (SHARDS - 1)]?.has(high, low, floor) ?? false
  }

  /**
   * Adds a fingerprint that is not there. What dies at or before `floor` may be overwritten.
   * @param dies from 1 to 2³² - 1
   */
  add(high: number, low: number, dies: number, floor: number): void {
    const index = high & (SHARDS - 1)
    let shard = this.#shards[index]
    if (shard === undefined || shard.isFull) {
      shard = new Shard(shard, floor)
      this.#shards[index] = shard
    }
    shard.add(high, low, dies, floor)
  }
}

class Shard {
  readonly #slots: number
  /** Slots that are not empty. */
  #used = 0
  readonly #high: Uint32Array
  readonly #low: Uint32Array
  /** 0 for an empty slot. */
  readonly #dies: Uint32Array

  /** Takes over what is alive of another shard, with room for more. */
  constructor(from: Shard | undefined, floor: number) {
    const live = from === undefined ? 0 : from.#countLive(floor)
    const slots = Math.max(SMALLEST, Math.ceil(live * SPACIOUS))
    this.#slots = slots
    this.#high = new Uint32Array(slots)
    this.#low = new Uint32Array(slots)
    this.#dies = new Uint32Array(slots)
    if (from !== undefined) from.#moveLive(this, floor)
  }

  get isFull(): boolean {
    return this.#used >= this.#slots * FULL
  }

  has(high: number, low: number, floor: number): boolean {
    for (let slot = this.#home(low); this.#dies[slot] !== 0; slot = this.#next(slot)) {
      if (this.#low[slot] === low && this.#high[slot] === high) return (this.#dies[slot] as number) > floor
    }
    return false
  }

  add(high: number, low: number, dies: number, floor: number): void {
    let slot = this.#home(low)
    while (this.#dies[slot] !== 0 && (this.#dies[slot] as number) > floor) slot = this.#next(slot)
    if (this.#dies[slot] === 0) this.#used++
    this.#high[slot] = high
    this.#low[slot] = low
    this.#dies[slot] = dies
  }

  /** Any number of slots will do: the fingerprint is spread evenly over them. */
  #home(low: number): number {
    return Math.floor((low / 2 ** 32) * this.#slots)
  }

  #next(slot: number): number {
    return slot + 1 === this.#slots ? 0 : slot + 1
  }

  #countLive(floor: number): number {
    let live = 0
    for (const dies of this.#dies) if (dies > floor) live++
    return live
  }

  #moveLive(to: Shard, floor: number): void {
    for (let slot = 0; slot < this.#slots; slot++) {
      const dies = this.#dies[slot] as number
      if (dies > floor) to.add(this.#high[slot] as number, this.#low[slot] as number, dies, floor)
    }
  }
}

import type { Fingerprint } from './fingerprint.ts'

const CELLS = 8192
/** Seconds of expiry that are counted together. */
const SLICE = 8

/** Where a key is counted. */
type Cells = readonly [number, number]

/**
 * Counts live entries per key in fixed memory: two counters by two halves of a secret hash, the smaller of which is at most
 * what other keys in the same two cells add. So it may count too much for an honest key only when that key shares both
 * cells with hostile ones, which nobody can arrange.
 */
export function createQuota(limit: number, fingerprint: (text: string) => Fingerprint) {
  const live = new Uint32Array(2 * CELLS)
  const slices = new Map<number, Uint32Array>()

  function cellsOf(jkt: string): Cells {
    const { high, low } = fingerprint(jkt)
    return [high & (CELLS - 1), CELLS + (low & (CELLS - 1))]
  }

  return {
    cellsOf,

    isExceeded([first, second]: Cells): boolean {
      return Math.min(live[first] as number, live[second] as number) >= limit
    },

    count(cells: Cells, dies: number): void {
      const index = Math.floor(dies / SLICE)
      let slice = slices.get(index)
      if (slice === undefined) {
        slice = new Uint32Array(2 * CELLS)
        slices.set(index, slice)
      }
      for (const cell of cells) {
        live[cell] = (live[cell] as number) + 1
        slice[cell] = (slice[cell] as number) + 1
      }
    },

    /** Stops counting what died at or before `floor`, a slice at a time. */
    forget(floor: number): void {
      for (const [index, slice] of slices) {
        if ((index + 1) * SLICE - 1 > floor) continue
        for (let cell = 0; cell < slice.length; cell++)
          live[cell] = (live[cell] as number) - (slice[cell] as number)
        slices.delete(index)
      }
    },
  }
}

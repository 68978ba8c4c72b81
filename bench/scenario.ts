import type { Spread } from './measure.ts'

/** One line of the report. */
export interface Row {
  readonly work: string
  readonly contender: string
  /** What the numbers are: `'× limit'` unless another unit stands there. */
  readonly unit?: string
  readonly wall: Spread
  readonly cpu?: Spread
  /** Median wall time of one check. */
  readonly micros?: number
}

export interface Findings {
  readonly rows: readonly Row[]
  /** What was left out, and why. */
  readonly notes: readonly string[]
}

export interface Settings {
  readonly rounds: number
  /** Rounds before those that are not counted. */
  readonly warmup: number
  /** Checks in one turn of one contender. */
  readonly batch: number
}

export interface Scenario {
  readonly name: string
  readonly title: string
  run(settings: Settings): Promise<Findings>
}

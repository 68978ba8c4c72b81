import type { Spread } from './measure.ts'

/** One line of the report. */
export interface Row {
  readonly work: string
  readonly contender: string
  /** By name, unit and all; {@link LIMIT_WALL} and {@link LIMIT_CPU} are the ones that compare between machines. */
  readonly figures: Readonly<Record<string, Spread>>
}

/** Wall and CPU time as multiples of one synchronous verification of a P-256 signature in the same round. */
export const LIMIT_WALL = 'wall, × limit'
export const LIMIT_CPU = 'CPU, × limit'

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
  /** Whether the other libraries run too, or sharkGuard alone. */
  readonly peers: boolean
  /** Whether the large sizes are tried as well, which take minutes. */
  readonly large: boolean
}

export interface Scenario {
  readonly name: string
  readonly title: string
  run(settings: Settings): Promise<Findings>
}

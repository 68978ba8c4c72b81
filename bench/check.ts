import { readFileSync, writeFileSync } from 'node:fs'
import type { Spread } from './measure.ts'
import { digits } from './report.ts'
import { type Findings, LIMIT_CPU, LIMIT_WALL } from './scenario.ts'

/** Ratios by work and figure, as they were when they were good. */
export type Baseline = Readonly<Record<string, number>>

/** What is slower than this times the baseline is named; a busy machine alone makes this much. */
const TOLERANCE = 1.3
const SLACK = 0.02

const FILE = new URL('../baseline.json', import.meta.url)

export const readBaseline = () => JSON.parse(readFileSync(FILE, 'utf8')) as Baseline

export function writeBaseline(found: readonly Findings[]): void {
  const figures = [...ratiosOf(found)].map(([name, { median }]) => [name, Number(digits(median))])
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(figures), null, 2)}\n`)
}

/**
 * A line for each ratio: the baseline, what it is now, and what to think of it. By the best tenth of the rounds: what is
 * really slower is slower in each, and what the machine did beside is not in the best.
 */
export function compare(found: readonly Findings[], baseline: Baseline): string[] {
  const now = ratiosOf(found)
  const lines = [...now].map(([name, { median, p10 }]) => {
    const before = baseline[name]
    if (before === undefined) return `new     ${name}: ${digits(median)}`
    const verdict = p10 > before * TOLERANCE + SLACK ? 'SLOWER ' : 'ok     '
    return `${verdict} ${name}: ${digits(median)} (best tenth ${digits(p10)}), baseline ${digits(before)}`
  })
  const missing = Object.keys(baseline).filter((name) => !now.has(name))
  return [...lines, ...missing.map((name) => `missing ${name}`)]
}

function ratiosOf(found: readonly Findings[]): Map<string, Spread> {
  const ratios = new Map<string, Spread>()
  for (const { work, contender, figures } of found.flatMap(({ rows }) => rows)) {
    // CPU time hardly knows what else the machine does; side by side is about the time that passes.
    const figure = work.endsWith('at once') ? LIMIT_WALL : LIMIT_CPU
    const of = figures[figure]
    if (contender === 'sharkguard' && of !== undefined) ratios.set(`${work}; ${figure}`, of)
  }
  return ratios
}

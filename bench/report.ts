import { cpus } from 'node:os'
import type { Findings, Row, Scenario } from './scenario.ts'

export interface Report {
  readonly node: string
  readonly cpus: string
  readonly date: string
  readonly scenarios: readonly (Findings & { readonly name: string; readonly title: string })[]
}

export function createReport(found: readonly { scenario: Scenario; findings: Findings }[]): Report {
  return {
    node: process.version,
    cpus: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    date: new Date().toISOString(),
    scenarios: found.map(({ scenario: { name, title }, findings }) => ({ name, title, ...findings })),
  }
}

const COLUMNS = ['', 'wall', 'p10–p90', 'CPU', 'p10–p90', '']

/** One table per kind of work, the fastest first. */
export function formatFindings(title: string, { rows, notes }: Findings): string {
  const works = [...new Set(rows.map(({ work }) => work))]
  const tables = works.map((work) => {
    const sorted = rows.filter((row) => row.work === work).sort(byUnitThenWall)
    return `${work}\n${table([COLUMNS, ...sorted.map(cells)])}`
  })
  return [`## ${title}`, ...tables, ...notes.map((note) => `– ${note}`)].join('\n\n')
}

function byUnitThenWall(a: Row, b: Row): number {
  return (a.unit ?? '').localeCompare(b.unit ?? '') || a.wall.median - b.wall.median
}

function cells({ contender, wall, cpu, unit = '× limit', micros }: Row): string[] {
  const range = (of: typeof wall) => (of.p10 === of.p90 ? '' : `${digits(of.p10)}–${digits(of.p90)}`)
  return [
    contender,
    digits(wall.median),
    range(wall),
    cpu === undefined ? '' : digits(cpu.median),
    cpu === undefined ? '' : range(cpu),
    micros === undefined ? unit : `${unit}, ${digits(micros)} µs`,
  ]
}

function digits(value: number): string {
  return value < 0.1 ? value.toFixed(4) : value < 10 ? value.toFixed(2) : value.toFixed(1)
}

function table(rows: readonly string[][]): string {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const align = (cell: string, column: number) =>
    column === 0 || column === COLUMNS.length - 1
      ? cell.padEnd(widths[column] ?? 0)
      : cell.padStart(widths[column] ?? 0)
  return rows.map((row) => `  ${row.map(align).join('  ').trimEnd()}`).join('\n')
}

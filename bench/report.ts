import { cpus, loadavg } from 'node:os'
import type { Spread } from './measure.ts'
import type { Findings, Row, Scenario } from './scenario.ts'

/** What was measured, each scenario with where and when. */
export interface Report {
  readonly scenarios: readonly Measured[]
}

export interface Measured extends Findings {
  readonly name: string
  readonly title: string
  readonly node: string
  readonly cpus: string
  /** Processes that wanted to run, on average over the last minute: how much the machine did beside. */
  readonly load: number
  readonly date: string
}

export function measured({ name, title }: Scenario, findings: Findings): Measured {
  return {
    name,
    title,
    node: process.version,
    cpus: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    load: loadavg()[0] ?? 0,
    date: new Date().toISOString(),
    ...findings,
  }
}

export function formatReport({ scenarios }: Report): string {
  const sections = scenarios.map(({ title, node, cpus, load, date, ...findings }) => {
    const notes = [
      ...findings.notes,
      `Node ${node.slice(1)}, ${cpus}, load ${load.toFixed(1)}, ${date.slice(0, 16)}`,
    ]
    return formatFindings(title, { ...findings, notes })
  })
  return [
    '# Measured',
    'Made by `pnpm bench --out`; how to read it: [performance.md](../../performance.md).',
    ...sections,
    '',
  ].join('\n\n')
}

/** Markdown, one table per kind of work. */
export function formatFindings(title: string, { rows, notes }: Findings): string {
  const works = [...new Set(rows.map(({ work }) => work))]
  const tables = works.map((work) =>
    table(
      work,
      rows.filter((row) => row.work === work),
    ),
  )
  return [`### ${title}`, ...tables, ...notes.map((note) => `- ${note}`)].join('\n\n')
}

function table(work: string, rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))]
  const lines = [
    [work, ...columns],
    ...rows.map(({ contender, figures }) => [contender, ...columns.map((column) => cell(figures[column]))]),
  ]
  const widths = [work, ...columns].map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const pad = (text: string, i: number) =>
    i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)
  const [head, ...body] = lines.map((line) => `| ${line.map(pad).join(' | ')} |`)
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [head, rule, ...body].join('\n')
}

function cell(of: Spread | undefined): string {
  if (of === undefined) return ''
  const { median, p10, p90 } = of
  return p10 === p90 ? digits(median) : `${digits(median)} (${digits(p10)}–${digits(p90)})`
}

export function digits(value: number): string {
  if (value === 0) return '0'
  return value < 0.1
    ? value.toFixed(4)
    : value < 10
      ? value.toFixed(2)
      : value < 100
        ? value.toFixed(1)
        : value.toFixed(0)
}

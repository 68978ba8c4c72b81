import type { Report } from './report.ts'
import { LIMIT_CPU, type Row } from './scenario.ts'
import { type Bar, barChart, lineChart } from './svg.ts'

/** What is drawn, by the scenario it is drawn from. */
const CHARTS: Readonly<Record<string, [name: string, draw: (rows: readonly Row[], made: string) => string]>> =
  {
    verify: ['warm-dpop.svg', warmDpop],
    http: ['http.svg', http],
    scale: ['scale.svg', scale],
  }

/** Draws what a report has figures for; names and contents of the files. */
export function drawCharts({ scenarios }: Report): [string, string][] {
  return scenarios.flatMap(({ name, rows, node, cpus }) => {
    const chart = CHARTS[name]
    return chart === undefined ? [] : [[chart[0], chart[1](rows, `Node ${node.slice(1)}, ${cpus}`)]]
  })
}

function warmDpop(rows: readonly Row[], made: string): string {
  const bars = rows.filter(({ work }) => work === 'DPoP, warm').map((row) => barOf(row, LIMIT_CPU))
  return barChart({
    title: 'What verifying one DPoP request costs',
    subtitle: `in verifications of one P-256 signature, the least that anybody needs · ${made}`,
    groups: [{ name: '', bars }],
  })
}

function http(rows: readonly Row[], made: string): string {
  const frameworks = [...new Set(rows.map(({ work }) => work))]
  return barChart({
    title: 'DPoP requests per second, against the same server doing one raw verification',
    subtitle: `1 is that server; longer is faster · ${made}`,
    groups: frameworks.map((name) => ({
      name,
      bars: rows
        .filter(({ work, contender }) => work === name && contender !== 'bare' && contender !== 'raw')
        .map((row) => barOf(row, 'req/s, × raw'))
        .sort((a, b) => b.value - a.value),
    })),
  })
}

function scale(rows: readonly Row[], made: string): string {
  const works = [...new Set(rows.map(({ work }) => work))]
  return lineChart({
    title: 'What one request costs as the numbers grow',
    subtitle: `in verifications of one P-256 signature; how many there are, in powers of ten · ${made}`,
    lines: works.map((name) => ({
      name,
      points: rows
        .filter(({ work }) => work === name)
        .map((row): [number, number] => [sizeOf(row), row.figures[LIMIT_CPU]?.median ?? 0]),
    })),
  })
}

function barOf({ contender, figures }: Row, figure: string): Bar {
  return { label: contender, value: figures[figure]?.median ?? 0, ours: contender === 'sharkguard' }
}

function sizeOf({ contender }: Row): number {
  return Number(contender.replaceAll(',', ''))
}

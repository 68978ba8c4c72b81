import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawCharts } from './charts.ts'
import { formatReport, measured, type Report } from './report.ts'
import type { Findings, Scenario } from './scenario.ts'

/** Writes what one scenario found; what others found before stays, so that each can be measured when it is quiet. */
export function addToReport(folder: string, scenario: Scenario, findings: Findings): void {
  const file = join(folder, 'report.json')
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report).scenarios : []
  const now = measured(scenario, findings)
  const known = before.some(({ name }) => name === now.name)
  const scenarios = known ? before.map((old) => (old.name === now.name ? now : old)) : [...before, now]
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, `${JSON.stringify({ scenarios })}\n`)
  writeFileSync(join(folder, 'tables.md'), formatReport({ scenarios }))
  for (const [name, svg] of drawCharts({ scenarios })) writeFileSync(join(folder, name), svg)
}

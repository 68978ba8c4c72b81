import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createReport, formatFindings } from './report.ts'
import type { Findings, Scenario, Settings } from './scenario.ts'
import { concurrency } from './scenarios/concurrency.ts'
import { refusals } from './scenarios/refusals.ts'
import { replay } from './scenarios/replay.ts'
import { replayRedis } from './scenarios/replay-redis.ts'
import { algorithms, verification } from './scenarios/verify.ts'

const scenarios: readonly Scenario[] = [verification, refusals, concurrency, algorithms, replay, replayRedis]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
})

const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name))
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

const settings: Settings = values.quick
  ? { rounds: 5, warmup: 3, batch: 50 }
  : { rounds: 20, warmup: 10, batch: 100 }
const found: { scenario: Scenario; findings: Findings }[] = []
for (const scenario of scenarios) {
  if (positionals.length > 0 && !positionals.includes(scenario.name)) continue
  const findings = await scenario.run(settings)
  found.push({ scenario, findings })
  console.log(`${formatFindings(scenario.title, findings)}\n`)
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(createReport(found), null, 1)}\n`)

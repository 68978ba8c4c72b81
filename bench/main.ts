import { parseArgs } from 'node:util'
import { compare, readBaseline, writeBaseline } from './check.ts'
import { addToReport } from './out.ts'
import { formatFindings } from './report.ts'
import type { Findings, Scenario, Settings } from './scenario.ts'
import { concurrency } from './scenarios/concurrency.ts'
import { http } from './scenarios/http.ts'
import { load } from './scenarios/load.ts'
import { refusals } from './scenarios/refusals.ts'
import { replay } from './scenarios/replay.ts'
import { replayRedis } from './scenarios/replay-redis.ts'
import { scale } from './scenarios/scale.ts'
import { start } from './scenarios/start.ts'
import { algorithms, verification } from './scenarios/verify.ts'
import { web } from './scenarios/web.ts'

const scenarios: readonly Scenario[] = [
  verification,
  refusals,
  concurrency,
  algorithms,
  load,
  http,
  scale,
  replay,
  replayRedis,
  start,
  web,
]

/** The ones whose ratios are compared with the baseline: half a minute. */
const CHECKED: readonly Scenario[] = [verification, refusals, concurrency]

const USAGE = `bench [scenario…]   all of ${scenarios.map(({ name }) => name).join(', ')} by default
  --quick            fewer rounds, smaller sizes
  --alone            sharkGuard without the peers
  --out FOLDER       also writes report.json, tables.md and charts there; a report that is there already is added to
  --check            compares ratios with bench/baseline.json; a report, never a failure
  --baseline         measures the same and writes bench/baseline.json`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    out: { type: 'string' },
    check: { type: 'boolean', default: false },
    baseline: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name))
if (values.help || unknown.length > 0) {
  console.error(unknown.length > 0 ? `unknown: ${unknown.join(', ')}\n${USAGE}` : USAGE)
  process.exit(values.help ? 0 : 2)
}

if (values.check || values.baseline) {
  const found: Findings[] = []
  const settings: Settings = { rounds: 40, warmup: 30, batch: 40, peers: false, large: false }
  for (const scenario of CHECKED) found.push(await scenario.run(settings))
  if (values.baseline) writeBaseline(found)
  console.log(compare(found, readBaseline()).join('\n'))
} else {
  const settings: Settings = values.quick
    ? { rounds: 20, warmup: 40, batch: 40, peers: !values.alone, large: false }
    : { rounds: 60, warmup: 40, batch: 40, peers: !values.alone, large: true }
  for (const scenario of scenarios) {
    if (positionals.length > 0 && !positionals.includes(scenario.name)) continue
    const findings = await scenario.run(settings)
    console.log(`${formatFindings(scenario.title, findings)}\n`)
    if (values.out !== undefined) addToReport(values.out, scenario, findings)
  }
}

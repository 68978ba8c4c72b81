import { parseArgs } from 'node:util'
import { manyGuards } from './many-guards.ts'
import { manyTokens } from './many-tokens.ts'
import { outage } from './outage.ts'
import { propagation } from './propagation.ts'
import { evaluation } from './rules.ts'
import { formatTable, type Table } from './table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '100' }, guards: { type: 'string', default: '1000' } },
})

const parts: Readonly<Record<string, () => Promise<Table>>> = {
  propagation: () => propagation(Number(values.runs)),
  guards: () => manyGuards(Number(values.guards)),
  tokens: manyTokens,
  rules: evaluation,
  outage,
}

const unknown = positionals.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}
let isBroken = false
for (const [name, measure] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const table = await measure()
  console.log(formatTable(table))
  for (const rule of table.broken ?? []) {
    console.error(`broken: ${rule}`)
    isBroken = true
  }
}
process.exit(isBroken ? 1 : 0)

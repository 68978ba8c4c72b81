import { parseArgs } from 'node:util'
import { manyGuards } from './many-guards.ts'
import { manyTokens } from './many-tokens.ts'
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
}

const unknown = positionals.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}
for (const [name, measure] of Object.entries(parts)) {
  if (positionals.length === 0 || positionals.includes(name)) console.log(formatTable(await measure()))
}
process.exit(0)

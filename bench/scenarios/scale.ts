import { rawVerify } from '../contenders/raw-verify.ts'
import { exchanges, LIMIT, rowsOf } from '../course.ts'
import { type Lane, race, single } from '../measure.ts'
import type { Dimension, Filled } from '../scale/dimension.ts'
import { issuers } from '../scale/issuers.ts'
import { keys } from '../scale/keys.ts'
import { replayEntries } from '../scale/replay-entries.ts'
import { rules } from '../scale/rules.ts'
import { tokens } from '../scale/tokens.ts'
import type { Row, Scenario, Settings } from '../scenario.ts'
import { createWorld } from '../world.ts'

const DIMENSIONS: readonly Dimension[] = [tokens, keys, issuers, rules, replayEntries]

export const scale: Scenario = {
  name: 'scale',
  title: 'What one request costs when there is much of something',
  async run(settings) {
    const rows: Row[] = []
    for (const dimension of DIMENSIONS) rows.push(...(await measure(dimension, settings)))
    return {
      rows,
      notes: ['tokens, keys: beyond 50,000 and 10,000 the ones not used for longest are forgotten'],
    }
  },
}

/** All sizes of one dimension in the same rounds. */
async function measure({ name, request, sizes, fill }: Dimension, settings: Settings): Promise<Row[]> {
  const world = await createWorld()
  const signers = world.clients(100)
  const guards = new Map<string, Filled>()
  for (const size of sizes(settings)) guards.set(size.toLocaleString('en'), await fill(world, size))
  const lanes: Lane<number>[] = [
    { name: LIMIT, accepts: true, checks: (count) => exchanges(world, signers, count).map(rawVerify) },
    ...[...guards].map(([size, { checks }]) => ({ name: size, accepts: true, checks })),
  ]
  const samples = await race({ ...settings, lanes, batch: () => settings.batch })
  for (const { close } of guards.values()) close()
  world.close()
  const order = [...guards.keys()]
  return rowsOf(`${name} (${request})`, samples)
    .filter(({ contender }) => contender !== LIMIT)
    .sort((a, b) => order.indexOf(a.contender) - order.indexOf(b.contender))
    .map((row) => withMemory(row, guards.get(row.contender)?.bytesEach))
}

function withMemory(row: Row, bytesEach: number | undefined): Row {
  if (bytesEach === undefined) return row
  return { ...row, figures: { ...row.figures, 'bytes each': single(bytesEach) } }
}

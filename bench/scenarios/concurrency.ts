import { rawVerifyInThreadPool } from '../contenders/raw-verify.ts'
import { createCourse, type ExchangeLane, exchanges, rowsOf } from '../course.ts'
import { arriving, quantile, type Run, race, single, turns } from '../measure.ts'
import type { Row, Scenario } from '../scenario.ts'
import type { Exchange } from '../world.ts'

export const concurrency: Scenario = {
  name: 'concurrency',
  title: 'Warm DPoP, requests arriving side by side',
  async run(settings) {
    const { world, known, entrants, limit, dpop, absent, close } = await createCourse(settings)
    const rows: Row[] = []
    for (const concurrent of [1, 8, 64]) {
      const run = arriving(concurrent)
      const lanes: ExchangeLane[] = [
        // The limit stays one at a time, so that the ratios of all loads compare.
        { ...limit, run: arriving(1) },
        { ...limit, name: 'raw, thread pool', checks: (batch) => batch.map(rawVerifyInThreadPool) },
        ...entrants.flatMap((entrant) => dpop(entrant) ?? []),
      ]
      const batch = () => exchanges(world, known, Math.max(settings.batch, 8 * concurrent))
      for (const row of rowsOf(
        `DPoP, warm, ${concurrent} at once`,
        await race({ ...settings, lanes, batch, run }),
      )) {
        const lane = lanes.find(({ name }) => name === row.contender) as ExchangeLane
        const turn = await turnOf(lane, batch, run, settings.rounds)
        rows.push({ ...row, figures: { ...row.figures, 'turn p99, ms': single(turn) } })
      }
    }
    close()
    return { rows, notes: [...absent, 'turn: how long the event loop serves nobody else'] }
  },
}

/** The 99th percentile. Apart from the race, since watching the turns keeps the loop spinning. */
async function turnOf(lane: ExchangeLane, batch: () => readonly Exchange[], run: Run, rounds: number) {
  const lengths: number[] = []
  for (let round = 0; round < Math.ceil(rounds / 4); round++) {
    const checks = await lane.checks(batch())
    for (const length of await turns(() => (lane.run ?? run)(checks, true))) lengths.push(length)
  }
  return quantile(
    lengths.sort((a, b) => a - b),
    0.99,
  )
}

import { createCourse, type ExchangeLane, exchanges, rowsOf } from '../course.ts'
import { arriving, quantile, race, spread, turns } from '../measure.ts'
import type { Row, Scenario } from '../scenario.ts'

export const concurrency: Scenario = {
  name: 'concurrency',
  title: 'Warm DPoP, requests arriving side by side',
  async run(settings) {
    const { world, known, entrants, limit, dpop, absent, close } = await createCourse()
    const rows: Row[] = []
    for (const concurrent of [1, 8, 64]) {
      const work = `DPoP, warm, ${concurrent} at once`
      const run = arriving(concurrent)
      const lanes: ExchangeLane[] = [
        // The limit stays one at a time, so that the ratios of all loads compare.
        { ...limit, run: arriving(1) },
        { ...limit, name: 'raw crypto.verify, at once' },
        ...entrants.flatMap((entrant) => dpop(entrant) ?? []),
      ]
      const batch = () => exchanges(world, known, Math.max(settings.batch, 4 * concurrent))
      rows.push(...rowsOf(work, await race({ ...settings, lanes, batch, run })))
      for (const lane of lanes) {
        const lengths: number[] = []
        for (let round = 0; round < Math.ceil(settings.rounds / 4); round++) {
          const checks = await lane.checks(batch())
          lengths.push(...(await turns(() => (lane.run ?? run)(checks, true))))
        }
        const p99 = quantile(
          lengths.sort((a, b) => a - b),
          0.99,
        )
        rows.push({
          work,
          contender: lane.name,
          unit: 'ms, turn of the event loop, p99',
          wall: spread([p99]),
        })
      }
    }
    close()
    return { rows, notes: absent }
  },
}

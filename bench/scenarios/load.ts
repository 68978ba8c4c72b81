import { rawVerify } from '../contenders/raw-verify.ts'
import { createCourse, exchanges } from '../course.ts'
import { atRate, oneByOne, quantile, single } from '../measure.ts'
import type { Row, Scenario } from '../scenario.ts'

/** The shares of what one core can verify at all that arrive, whoever can keep up or not. */
const SHARES = [0.25, 0.5, 0.75]

export const load: Scenario = {
  name: 'load',
  title:
    'Warm DPoP, requests arriving by chance at a share of the limit, whether or not the ones before are done',
  async run(settings) {
    const { world, known, entrants, limit, dpop, absent, close } = await createCourse(settings)
    const lanes = [limit, ...entrants.flatMap((entrant) => dpop(entrant) ?? [])]
    const batch = () => exchanges(world, known, settings.batch * 5)
    for (let round = 0; round < Math.ceil(settings.warmup / 5); round++) {
      for (const lane of lanes) await oneByOne(await lane.checks(batch()), true)
    }
    const rows: Row[] = []
    for (const share of SHARES) {
      const measured = new Map(
        lanes.map(({ name }) => [name, { latencies: [] as number[], turns: [] as number[] }]),
      )
      for (let round = 0; round < Math.ceil(settings.rounds / 5); round++) {
        const raw = batch().map(rawVerify)
        const start = performance.now()
        await oneByOne(raw, true)
        const perMillisecond = (share * raw.length) / (performance.now() - start)
        for (const lane of lanes) {
          const { latencies, turns } = await atRate(perMillisecond, await lane.checks(batch()))
          const of = measured.get(lane.name)
          for (const latency of latencies) of?.latencies.push(latency)
          for (const turn of turns) of?.turns.push(turn)
        }
      }
      for (const [contender, { latencies, turns }] of measured) {
        rows.push({
          work: `at ${100 * share} %`,
          contender,
          figures: {
            'latency p50, ms': quantileOf(latencies, 0.5),
            'latency p99, ms': quantileOf(latencies, 0.99),
            'turn p99, ms': quantileOf(turns, 0.99),
          },
        })
      }
    }
    close()
    return { rows, notes: absent }
  },
}

function quantileOf(values: number[], q: number) {
  return single(
    quantile(
      values.sort((a, b) => a - b),
      q,
    ),
  )
}

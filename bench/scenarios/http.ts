import { type Host, PINNED, startHost, startLoad } from '../http/processes.ts'
import { FRAMEWORKS, type Framework, type Front } from '../http/protocol.ts'
import { quantile, type Spread, spread } from '../measure.ts'
import type { Row, Scenario, Settings } from '../scenario.ts'

const CONNECTIONS = 64
const REQUESTS = 4000
/** Rounds that are not counted: compilers take about ten thousand requests to settle. */
const WARMUP = 3
const PEERS: readonly Front[] = ['jose by hand', 'oauth4webapi', 'better-auth', 'atproto']

export const http: Scenario = {
  name: 'http',
  title: `Warm DPoP over HTTP, ${CONNECTIONS} connections, a fresh proof for each request`,
  async run(settings) {
    const load = await startLoad()
    const rows: Row[] = []
    for (const framework of FRAMEWORKS) rows.push(...(await measure(framework, load, settings)))
    load.stop()
    const where = PINNED ? 'each on a core of its own' : 'on whatever cores there are'
    return {
      rows,
      notes: [
        `server and load in processes of their own, ${where}`,
        'raw: the same framework, one crypto.verify of always the same signature, and nothing else',
      ],
    }
  },
}

type Load = Awaited<ReturnType<typeof startLoad>>

/** One round of one server. */
interface Round {
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly cpu: number
  readonly rss: number
}

async function measure(framework: Framework, load: Load, settings: Settings): Promise<Row[]> {
  const fronts = ['bare', 'raw', 'sharkguard', ...(settings.peers ? peersOn(framework) : [])]
  const hosts: Host[] = []
  for (const front of fronts) hosts.push(await startHost(framework, front, load.resource))
  const measured = new Map<Front, Round[]>(fronts.map((front) => [front, []]))
  for (let round = -WARMUP; round < Math.ceil(settings.rounds / 6); round++) {
    await load.prepare(REQUESTS)
    for (let i = 0; i < hosts.length; i++) {
      const host = hosts[(i + round + WARMUP) % hosts.length] as Host
      const result = await fire(host, load)
      if (round >= 0) measured.get(host.front)?.push(result)
    }
  }
  for (const host of hosts) host.stop()
  const raw = measured.get('raw') ?? []
  return [...measured].map(([contender, rounds]) => ({
    work: framework,
    contender,
    figures: {
      'req/s, × raw': spread(rounds.map(({ rate }, i) => rate / (raw[i]?.rate ?? Number.NaN))),
      'req/s': of(rounds, 'rate'),
      'p50, ms': of(rounds, 'p50'),
      'p99, ms': of(rounds, 'p99'),
      'CPU per request, µs': of(rounds, 'cpu'),
      'RSS, MB': of(rounds, 'rss'),
    },
  }))
}

function peersOn(framework: Framework): readonly Front[] {
  return framework === 'express' ? [...PEERS, 'express-oauth2-jwt-bearer'] : PEERS
}

async function fire(host: Host, load: Load): Promise<Round> {
  const before = await host.usage()
  const { seconds, latencies, failed } = await load.fire(host.port, CONNECTIONS, REQUESTS)
  const { cpu, rss } = await host.usage()
  if (failed > 0) throw new Error(`${host.front} refused ${failed} of ${latencies.length} requests`)
  const sorted = [...latencies].sort((a, b) => a - b)
  return {
    rate: latencies.length / seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    cpu: (cpu - before.cpu) / latencies.length,
    rss: rss / 1e6,
  }
}

function of(rounds: readonly Round[], figure: keyof Round): Spread {
  return spread(rounds.map((round) => round[figure]))
}

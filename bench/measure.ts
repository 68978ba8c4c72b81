import { performance } from 'node:perf_hooks'
import type { Check } from './contender.ts'

/** Microseconds for one check. CPU counts every thread of the process. */
export interface Sample {
  readonly wall: number
  readonly cpu: number
}

export interface Spread {
  readonly median: number
  readonly p10: number
  readonly p90: number
}

/** One runner in a race: makes its checks for the batch of this round. */
export interface Lane<Batch> {
  readonly name: string
  checks(batch: Batch): readonly Check[] | Promise<readonly Check[]>
  /** What each check must answer; anything else ends the race. */
  readonly accepts: boolean
  /** Default: how the race runs. */
  readonly run?: Run
}

/** How the checks of one batch follow one another. */
export type Run = (checks: readonly Check[], accepts: boolean) => Promise<void>

export interface Race<Batch> {
  readonly lanes: readonly Lane<Batch>[]
  readonly rounds: number
  /** Rounds before those, not counted: until compilers and caches have settled. */
  readonly warmup: number
  /** Made fresh for each round and the same for all lanes. */
  batch(): Batch
  readonly run?: Run
}

/**
 * Runs all lanes in turns of one small batch each, so that whatever else the machine does befalls all of them alike. The
 * order rotates.
 */
export async function race<Batch>({ lanes, rounds, warmup, batch, run = oneByOne }: Race<Batch>) {
  const samples = new Map(lanes.map(({ name }): [string, Sample[]] => [name, []]))
  for (let round = -warmup; round < rounds; round++) {
    const shared = batch()
    for (let i = 0; i < lanes.length; i++) {
      const lane = lanes[(i + round + warmup) % lanes.length] as Lane<Batch>
      const checks = await lane.checks(shared)
      const cpu = process.cpuUsage()
      const start = performance.now()
      try {
        await (lane.run ?? run)(checks, lane.accepts)
      } catch (cause) {
        throw new Error(`${lane.name}, round ${round}`, { cause })
      }
      const wall = performance.now() - start
      const used = process.cpuUsage(cpu)
      const sample = { wall: (wall * 1000) / checks.length, cpu: (used.user + used.system) / checks.length }
      if (round >= 0) samples.get(lane.name)?.push(sample)
    }
  }
  return samples
}

/** One after another, each begun when the one before has ended: nothing but the verifier is on the clock. */
export const oneByOne: Run = async (checks, accepts) => {
  for (const check of checks) require(await check(), accepts)
}

/**
 * As a server meets them: at most `concurrency` at a time, each arriving in a callback of its own from the event loop, as
 * requests do from their sockets.
 */
export function arriving(concurrency: number): Run {
  return async (checks, accepts) => {
    let next = 0
    const connection = async () => {
      for (let check = checks[next++]; check !== undefined; check = checks[next++]) {
        await nextCallback()
        require(await check(), accepts)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, connection))
  }
}

/** Milliseconds of the turns of the event loop while `work` runs. Keeps the loop spinning, so no CPU is measured beside. */
export async function turns(work: () => Promise<void>): Promise<number[]> {
  const lengths: number[] = []
  let last = performance.now()
  let ended = false
  const beat = () => {
    const at = performance.now()
    lengths.push(at - last)
    last = at
    if (!ended) setImmediate(beat)
  }
  setImmediate(beat)
  await work()
  ended = true
  return lengths
}

/**
 * Begins checks at random moments (Poisson), on average so many in a millisecond, each in a callback of its own; who is slow
 * meets the next ones all the same. Latency counts from the moment of arrival, also where the loop was busy then.
 */
export async function atRate(perMillisecond: number, checks: readonly Check[]) {
  const latencies: number[] = []
  const pending: Promise<void>[] = []
  let due = performance.now()
  const begin = async (check: Check, arrived: number) => {
    await nextCallback()
    require(await check(), true)
    latencies.push(performance.now() - arrived)
  }
  const arrivals = async () => {
    for (const check of checks) {
      due -= Math.log(1 - Math.random()) / perMillisecond
      while (performance.now() < due) await nextCallback()
      pending.push(begin(check, due))
    }
    await Promise.all(pending)
  }
  const lengths = await turns(arrivals)
  return { latencies, turns: lengths }
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), p10: quantile(sorted, 0.1), p90: quantile(sorted, 0.9) }
}

/** A figure of which there is only one. */
export function single(value: number): Spread {
  return { median: value, p10: value, p90: value }
}

/** Of sorted values; linear between neighbours. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q
  const low = sorted[Math.floor(at)] ?? Number.NaN
  const high = sorted[Math.ceil(at)] ?? Number.NaN
  return low + (high - low) * (at - Math.floor(at))
}

/** Round by round against the limit of the same round: what slows both is divided out. */
export function ratios(of: readonly Sample[], to: readonly Sample[]): { wall: Spread; cpu: Spread } {
  const against = (part: keyof Sample) =>
    spread(of.map((sample, i) => sample[part] / (to[i]?.[part] ?? Number.NaN)))
  return { wall: against('wall'), cpu: against('cpu') }
}

function nextCallback(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function require(answer: boolean, accepts: boolean): void {
  if (answer !== accepts) throw new Error(accepts ? 'refused a valid request' : 'let a bad request in')
}

import type { GuardProcess } from './guard-process.ts'
import type { OpenLoad } from './load.ts'
import type { Sample } from './sample.ts'

const MB = 2 ** 20
/** Growth between the second quarter and the last that is still called flat. */
const FLAT_RATIO = 1.1
const FLAT_BYTES = 4 * MB

/** What is to be said about a run, and whether it was as it should be. */
export interface Findings {
  readonly sent: number
  readonly answered: number
  readonly decided: number
  readonly mistakes: readonly string[]
  /** Bytes that each process holds, in the second quarter and in the last. */
  readonly memory: readonly { readonly early: number; readonly late: number; readonly rss: number }[]
  readonly wrong: readonly string[]
}

export function judge(
  load: OpenLoad,
  processes: readonly GuardProcess[],
  answered: number,
  decided: number,
): Findings {
  const outcomes = [...load.outcomes]
  const mistakes = outcomes.flatMap(([name, { wrong }]) =>
    [...wrong].map(([problem, count]) => `${name}: ${problem} (${count} times)`),
  )
  const memory = processes.map(({ samples }) => ({
    early: median(quarter(samples, 1).map(held)),
    late: median(quarter(samples, 3).map(held)),
    rss: samples.at(-1)?.rss ?? 0,
  }))
  const wrong = [...mistakes]
  if (decided !== answered) wrong.push(`${answered} answers, but ${decided} decisions`)
  for (const [i, { early, late }] of memory.entries()) {
    if (late > Math.max(early * FLAT_RATIO, early + FLAT_BYTES)) {
      wrong.push(`process ${i + 1} grew from ${megabytes(early)} to ${megabytes(late)} MB`)
    }
  }
  const never = outcomes.filter(([, { sent }]) => sent === 0).map(([name]) => name)
  if (never.length > 0) wrong.push(`never sent: ${never.join(', ')}`)
  const sent = outcomes.reduce((sum, [, outcome]) => sum + outcome.sent, 0)
  return { sent, answered, decided, mistakes, memory, wrong }
}

export const megabytes = (bytes: number): string => (bytes / MB).toFixed(1)

/** All that lives after a collection, on the heap and beside it. */
function held({ heapUsed, external }: Sample): number {
  return heapUsed + external
}

function quarter(samples: readonly Sample[], number: number): readonly Sample[] {
  const size = samples.length / 4
  return samples.slice(Math.floor(number * size), Math.ceil((number + 1) * size))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

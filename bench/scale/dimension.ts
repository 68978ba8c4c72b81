import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Check } from '../contender.ts'
import type { Settings } from '../scenario.ts'
import type { World } from '../world.ts'

/** Something there may be much of, and that no request should pay for. */
export interface Dimension {
  readonly name: string
  /** What is asked of the guard, for the report. */
  readonly request: string
  sizes(settings: Settings): readonly number[]
  /** A guard that holds as much as that. */
  fill(world: World, size: number): Promise<Filled>
}

export interface Filled {
  checks(count: number): readonly Check[]
  /** Bytes that the guard took for each. */
  readonly bytesEach?: number
  close(): void
}

/** Bytes of heap, of buffers, and of the whole process after everything unused is gone. */
export async function memory() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let time = 0; time < 3; time++) {
    collect()
    await setImmediate()
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed + arrayBuffers, rss }
}

/** Verifies all, a few at a time, and throws where one is refused. */
export async function pass(checks: Iterable<Check>): Promise<void> {
  for (const check of checks) if (!(await check())) throw new Error('a valid request was refused')
}

export function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)] as Item
}

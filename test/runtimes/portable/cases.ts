/** Tests without a test runner: what Node, Bun, Deno and workerd can all run alike. */
interface Case {
  readonly title: string
  run(): unknown
}

export interface Tally {
  readonly passed: number
  readonly failures: readonly string[]
}

const cases: Case[] = []

export function it(title: string, run: () => unknown): void {
  cases.push({ title, run })
}

/** One after another: each has the runtime for itself. */
export async function runAll(): Promise<Tally> {
  const failures: string[] = []
  for (const { title, run } of cases) {
    try {
      await run()
    } catch (error) {
      failures.push(`${title}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }
  return { passed: cases.length - failures.length, failures }
}

export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`)
}

export function matches(text: string | null | undefined, pattern: RegExp): void {
  if (!pattern.test(text ?? '')) throw new Error(`expected ${pattern}, got ${text}`)
}

export async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const problem = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (problem === undefined) throw new Error(`expected to fail with ${pattern}`)
  matches(String(problem), pattern)
}

/** Asks again until it is so, for what arrives in its own time. */
export async function eventually<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const answer = await ask()
    if (isSo(answer)) return answer
    if (Date.now() > deadline) throw new Error(`not in ten seconds: ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

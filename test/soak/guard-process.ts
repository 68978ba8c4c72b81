import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Sample } from './sample.ts'

/** A guarded server in a process of its own. */
export class GuardProcess {
  readonly port: number
  readonly samples: Sample[] = []
  readonly #child: ChildProcess
  #last: Promise<unknown> = Promise.resolve()

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(environment: Record<string, string>): Promise<GuardProcess> {
    const program = fileURLToPath(new URL('guard.js', import.meta.url))
    const env = { ...process.env, ...environment }
    const child = fork(program, { env, execArgv: ['--expose-gc'], serialization: 'advanced' })
    const [message] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('a guard did not start'))),
    ])
    return new GuardProcess(child, (message as { port: number }).port)
  }

  /** One at a time: an answer belongs to the question before it. */
  sample(): Promise<Sample> {
    this.#last = this.#last.then(async () => {
      const answer = once(this.#child, 'message')
      this.#child.send('sample')
      const [sample] = (await answer) as [Sample]
      this.samples.push(sample)
      return sample
    })
    return this.#last as Promise<Sample>
  }

  /** Requests that have been decided, one way or the other. */
  async decided(): Promise<number> {
    const { decisions } = await this.sample()
    return Object.entries(decisions).reduce(
      (sum, [what, count]) => (what === 'notice' ? sum : sum + count),
      0,
    )
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.send('stop')
    await exit
  }
}

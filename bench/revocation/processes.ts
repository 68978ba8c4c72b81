import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A part of the scene that runs in a process of its own. */
export class Part<Hello> {
  readonly hello: Hello
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, hello: Hello) {
    this.#child = child
    this.hello = hello
  }

  /** @param name of the module beside this one; it says hello when it is ready */
  static async start<Hello>(name: string, ...args: string[]): Promise<Part<Hello>> {
    const child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), args)
    return new Part(child, await answerOf<Hello>(child))
  }

  async ask<Answer>(question: string): Promise<Answer> {
    const answer = answerOf<Answer>(this.#child)
    this.#child.send(question)
    return answer
  }

  stop(): void {
    this.#child.kill()
  }

  /** As a crash. Resolves when it has ended. */
  async crash(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

/** What survives a crash, and where it is to be found again. Default: nothing, and anywhere. */
export interface IssuerOrder {
  /** The URL of a Redis that keeps everything. */
  readonly redis?: string
  readonly port?: number
  readonly adminKey?: string
}

export const startIssuerPart = (order: IssuerOrder = {}) =>
  Part.start<{ readonly url: string; readonly adminKey: string }>('issuer-process', JSON.stringify(order))
export const startGuardPart = (issuer: string) =>
  Part.start<{ readonly resource: string }>('guard-process', issuer)

function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`it ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer as Answer)
    })
  })
}

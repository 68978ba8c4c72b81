import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export interface Command {
  readonly child: ChildProcess
  readonly stdout: string
  readonly stderr: string
  /** Its code when it has ended. */
  readonly ended: Promise<number | null>
  /** Resolves when the text has been printed; rejects if it ends before. */
  printed(text: string): Promise<void>
}

/** Runs the command line as a user does, built. */
export function run(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Command {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  const texts = { stdout: '', stderr: '' }
  const wake = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk
      for (const look of wake) look()
    })
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    child,
    ended,
    get stdout() {
      return texts.stdout
    },
    get stderr() {
      return texts.stderr
    },
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!texts.stdout.includes(text) && !texts.stderr.includes(text)) return
          wake.delete(look)
          resolve()
        }
        wake.add(look)
        look()
        void ended.then(() => reject(new Error(`ended without ${text}: ${texts.stderr}`)))
      }),
  }
}

/** Started, on a free port, and listening. */
export async function runIssuer(
  args: readonly string[] = [],
  env: Record<string, string> = {},
  cwd?: string,
) {
  const command = run(['--port', '0', ...args], env, cwd)
  await command.printed('issuer ')
  await command.printed('\n')
  const url = /issuer +(\S+)/.exec(command.stdout)?.[1] ?? ''
  return { command, url }
}

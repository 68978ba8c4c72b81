import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

/** A real redis-server of the test's own, on a free port of 127.0.0.1, in a directory of its own. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Sends one command and answers the reply as redis-cli prints it. */
  command(...args: string[]): string
  /** SIGKILL, as a crash. */
  kill(): Promise<void>
  /** Stops answering without closing anything, as a server that swaps or a network that drops. */
  pause(): void
  resume(): void
  /** Starts it again on the same port: with nothing, unless it was told to save. */
  start(): Promise<void>
  stop(): Promise<void>
}

const found = ((): boolean => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** Whether tests with a real Redis can run here; says so once a file when they cannot. */
export function hasRedisServer(): boolean {
  if (!found) console.warn('Skipped: tests with a real Redis need redis-server and redis-cli on the PATH')
  return found
}

export async function startRedis(...settings: string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'sharkguard-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const started = spawn(
      'redis-server',
      // biome-ignore format: one setting a line
      [
        '--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no',
        '--enable-debug-command', 'yes', '--repl-diskless-sync-delay', '0', ...settings,
      ],
      { stdio: 'ignore' },
    )
    child = started
    for (let attempt = 0; attempt < 200; attempt++) {
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`)
      if (await answers(port)) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error('redis-server does not answer')
  }

  async function kill(): Promise<void> {
    const ended = child
    child = undefined
    if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return
    const exit = once(ended, 'exit')
    ended.kill('SIGKILL')
    await exit
  }

  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command: (...args) =>
      execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' }).trim(),
    kill,
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    start,
    async stop() {
      await kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.setTimeout(500, () => socket.destroy())
    socket.once('data', (reply) => {
      resolve(reply.toString().startsWith('+PONG'))
      socket.destroy()
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(false))
  })
}

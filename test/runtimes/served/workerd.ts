import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { freePort } from '../../support/free-port.ts'
import { bundleForWorkers, folder } from '../bundle.ts'
import { install, WORKERD } from '../runtimes.ts'

/** A Worker of this folder in `workerd serve`, at one address: one isolate at a time, for many requests. */
export class Workerd {
  readonly url: string
  readonly #address: string
  readonly #name: string
  readonly #env: Readonly<Record<string, string>>
  #process: ChildProcess | undefined
  /** Of the isolate that runs, or ran last. */
  output = ''

  private constructor(name: string, address: string, env: Readonly<Record<string, string>>) {
    this.url = `http://${address}`
    this.#address = address
    this.#name = name
    this.#env = env
  }

  /**
   * Builds `<name>.ts`; nothing runs before `restart`.
   * @param env what it finds in its environment, by the address that it will have
   */
  static async build(name: string, env: (url: string) => Readonly<Record<string, string>>): Promise<Workerd> {
    const address = `127.0.0.1:${await freePort()}`
    await bundleForWorkers({ file: `served/${name}.ts` }, `${folder}dist/served-${name}.js`)
    const config = await readFile(`${folder}served/workerd.capnp`, 'utf8')
    await writeFile(`${folder}dist/served-${name}.capnp`, config.replace('served.js', `served-${name}.js`))
    return new Workerd(name, address, env(`http://${address}`))
  }

  /** A new isolate that knows nothing, and listens. */
  async restart(): Promise<void> {
    await this.stop()
    const args = [
      'serve',
      `${folder}dist/served-${this.#name}.capnp`,
      '--socket-addr',
      `http=${this.#address}`,
    ]
    const workerd = spawn(install(WORKERD), args, { env: { ...process.env, ...this.#env } })
    this.#process = workerd
    this.output = ''
    for (const stream of [workerd.stdout, workerd.stderr])
      stream?.on('data', (data) => {
        this.output += data
      })
    const deadline = Date.now() + 10_000
    while (!(await listens(this.url))) {
      if (Date.now() > deadline) throw new Error(`workerd does not listen: ${this.output}`)
      await sleep(0.02)
    }
  }

  async stop(): Promise<void> {
    const workerd = this.#process
    this.#process = undefined
    if (workerd === undefined) return
    const ended = new Promise((resolve) => workerd.once('exit', resolve))
    workerd.kill('SIGKILL')
    await ended
  }
}

/** A request whose client goes away before it is answered: by a reset, as workerd takes no other notice. */
export async function askAndLeave(
  url: string,
  seconds: number,
  { method = 'GET', headers = {}, body = '' } = {},
): Promise<void> {
  const asked = request(url, { method, headers })
  asked.on('error', () => undefined).end(body)
  await sleep(seconds)
  asked.socket?.resetAndDestroy()
}

/** Without a request: the isolate's first one is the test's to make. */
function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  return new Promise<boolean>((resolve) => {
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
  }).finally(() => socket.destroy())
}

export const sleep = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000))

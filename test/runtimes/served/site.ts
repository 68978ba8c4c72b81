import { type ChildProcess, spawn } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { DPoPProver } from '@sharkguard/agent'
import { createIssuer, type Issuer, type MintOptions } from '@sharkguard/issuer'
import { freePort } from '../../support/free-port.ts'
import { bundleForWorkers, folder } from '../bundle.ts'
import { install, WORKERD } from '../runtimes.ts'

const RESOURCE = 'https://api.example.com'

/** What an answer came to: its status, and how many seconds it took. */
export interface Outcome {
  readonly status: number
  readonly seconds: number
}

/** The app in `workerd serve`, and an issuer on this side of the network, with the same clock. */
export class Site {
  readonly issuer: Issuer
  /** What was asked of the issuer: path and query. */
  readonly questions: string[] = []
  readonly #server: Server
  readonly #prover: DPoPProver
  #slow: { path: string; seconds: number } = { path: ' ', seconds: 0 }
  #ahead = 0
  #workerd: ChildProcess | undefined
  #url = ''
  output = ''

  private constructor(server: Server, prover: DPoPProver) {
    const { port } = server.address() as AddressInfo
    const clock = () => Date.now() / 1000 + this.#ahead
    this.issuer = createIssuer({
      issuer: `http://127.0.0.1:${port}`,
      clients: [{ client_id: 'api', client_secret: 'a secret of its own' }],
      clock,
    })
    this.#server = server
    this.#prover = prover
    const listener = getRequestListener((question) => this.issuer.fetch(question))
    server.on('request', async (incoming, outgoing) => {
      const path = incoming.url ?? ''
      this.questions.push(path)
      if (path.includes(this.#slow.path)) await sleep(this.#slow.seconds)
      await listener(incoming, outgoing)
    })
  }

  static async start(): Promise<Site> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const site = new Site(server, await DPoPProver.generate())
    await bundleForWorkers({ file: 'served/worker.ts' }, `${folder}dist/served.js`)
    await cp(`${folder}served/workerd.capnp`, `${folder}dist/served.capnp`)
    return site
  }

  /** A new isolate that knows nothing. */
  async restart(): Promise<void> {
    await this.#stop()
    const address = `127.0.0.1:${await freePort()}`
    const args = ['serve', `${folder}dist/served.capnp`, '--socket-addr', `http=${address}`]
    this.#workerd = spawn(install(WORKERD), args, {
      env: { ...process.env, ISSUER: this.issuer.issuer },
    })
    this.output = ''
    for (const stream of [this.#workerd.stdout, this.#workerd.stderr])
      stream?.on('data', (data) => (this.output += data))
    this.#url = `http://${address}`
    this.questions.length = 0
    await this.pass(0)
  }

  async close(): Promise<void> {
    await this.#stop()
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Time passes, at the issuer and in the isolate. */
  async pass(seconds: number): Promise<void> {
    // Of the guard's own time something has to pass too: a timer may be late by a second before it is given up.
    if (seconds > 0) await sleep(1.1)
    this.#ahead += seconds
    const deadline = Date.now() + 10_000
    for (;;) {
      try {
        return void (await fetch(`${this.#url}/ahead/${this.#ahead}`))
      } catch (error) {
        if (Date.now() > deadline) throw error
        await sleep(0.05)
      }
    }
  }

  /** Whatever has this in its path is answered late by the issuer. @returns the undo */
  slow(path: string, seconds: number): () => void {
    this.#slow = { path, seconds }
    return () => {
      this.#slow = { path: ' ', seconds: 0 }
    }
  }

  token(changes: MintOptions = {}): Promise<string> {
    return this.issuer.mintToken({ audience: RESOURCE, jkt: this.#prover.jkt, ...changes })
  }

  /** A request with this token and a fresh proof of it. */
  async ask(accessToken: string, path = '/notes'): Promise<Outcome> {
    const headers = await this.#credentials(accessToken, path)
    const started = performance.now()
    const { status } = await fetch(this.#url + path, { headers })
    return { status, seconds: (performance.now() - started) / 1000 }
  }

  /** A request whose client goes away before it is answered: by a reset, as workerd takes no other notice. */
  async askAndLeave(accessToken: string, after: number, path = '/notes'): Promise<void> {
    const asked = request(this.#url + path, { headers: await this.#credentials(accessToken, path) })
    asked.on('error', () => undefined).end()
    await sleep(after)
    asked.socket?.resetAndDestroy()
  }

  /** A stream of events. @returns the events that have come, and how to go away */
  async stream(
    accessToken: string,
  ): Promise<{ events: () => number; leave: () => void; ended: Promise<void> }> {
    let events = 0
    const asked = request(`${this.#url}/events`, { headers: await this.#credentials(accessToken, '/events') })
    const ended = new Promise<void>((resolve, reject) => {
      asked.on('error', () => resolve())
      asked.on('response', (response) => {
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`))
        response.on('data', () => events++).on('error', () => undefined)
        response.on('close', () => resolve())
      })
    })
    asked.end()
    return { events: () => events, leave: () => asked.socket?.resetAndDestroy(), ended }
  }

  async #credentials(accessToken: string, path: string): Promise<Record<string, string>> {
    const iat = Math.floor(Date.now() / 1000 + this.#ahead)
    const proof = { method: 'GET', url: `${RESOURCE}${path}`, accessToken, iat }
    return { authorization: `DPoP ${accessToken}`, dpop: await this.#prover.createProof(proof) }
  }

  async #stop(): Promise<void> {
    const workerd = this.#workerd
    if (workerd === undefined) return
    const ended = new Promise((resolve) => workerd.once('exit', resolve))
    workerd.kill('SIGKILL')
    await ended
  }
}

export const sleep = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000))

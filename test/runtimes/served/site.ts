import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { DPoPProver } from '@sharkguard/agent'
import { createIssuer, type Issuer, type MintOptions } from '@sharkguard/issuer'
import { askAndLeave, sleep, Workerd } from './workerd.ts'

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
  readonly #workerd: Workerd

  private constructor(server: Server, issuer: string, prover: DPoPProver, workerd: Workerd) {
    const clock = () => Date.now() / 1000 + this.#ahead
    this.issuer = createIssuer({
      issuer,
      clients: [{ client_id: 'api', client_secret: 'a secret of its own' }],
      clock,
    })
    this.#server = server
    this.#prover = prover
    this.#workerd = workerd
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
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const workerd = await Workerd.build('guarded-app', () => ({ ISSUER: issuer }))
    return new Site(server, issuer, await DPoPProver.generate(), workerd)
  }

  /** A new isolate that knows nothing. */
  async restart(): Promise<void> {
    await this.#workerd.restart()
    this.questions.length = 0
    await this.pass(0)
  }

  async close(): Promise<void> {
    await this.#workerd.stop()
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** What the isolate has written. */
  get output(): string {
    return this.#workerd.output
  }

  /** Time passes, at the issuer and in the isolate. */
  async pass(seconds: number): Promise<void> {
    // Of the guard's own time something has to pass too: a timer may be late by a second before it is given up.
    if (seconds > 0) await sleep(1.1)
    this.#ahead += seconds
    await fetch(`${this.#workerd.url}/ahead/${this.#ahead}`)
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
    const { status } = await fetch(this.#workerd.url + path, { headers })
    return { status, seconds: (performance.now() - started) / 1000 }
  }

  /** {@link ask}, by a client that goes away. */
  async askAndLeave(accessToken: string, after: number, path = '/notes'): Promise<void> {
    const headers = await this.#credentials(accessToken, path)
    await askAndLeave(this.#workerd.url + path, after, { headers })
  }

  /** A stream of events. @returns the events that have come, and how to go away */
  async stream(
    accessToken: string,
  ): Promise<{ events: () => number; leave: () => void; ended: Promise<void> }> {
    let events = 0
    const asked = request(`${this.#workerd.url}/events`, {
      headers: await this.#credentials(accessToken, '/events'),
    })
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
}

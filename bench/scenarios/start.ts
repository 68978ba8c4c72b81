import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Spread, single, spread } from '../measure.ts'
import type { Row, Scenario, Settings } from '../scenario.ts'
import { install, pack } from '../start/install.ts'
import type { StartOrder, StartReport } from '../start/protocol.ts'
import { createWorld } from '../world.ts'

/** Name, the module and what it exports, and what a user installs for it. */
interface Starter {
  readonly name: string
  readonly module: string
  readonly exported: string
  readonly specifiers: readonly string[]
}

const CHILD = fileURLToPath(new URL('../start/first-decision.js', import.meta.url))

const PEERS: readonly Starter[] = [
  starter('jose by hand', 'jose-by-hand', 'joseByHand', ['jose', 'lru-cache']),
  starter('oauth4webapi', 'oauth4webapi', 'oauth4webapi', ['oauth4webapi']),
  starter('express-oauth2-jwt-bearer', 'express-oauth2-jwt-bearer', 'expressOauth2JwtBearer'),
  starter('better-auth', 'better-auth', 'betterAuth', ['better-auth']),
  starter('atproto', 'atproto', 'atproto', ['@atproto/oauth-provider']),
]

export const start: Scenario = {
  name: 'start',
  title: 'From nothing to the first decision, keys fetched from a server on loopback',
  async run(settings) {
    const notes = ['in a process that has just started; its own start is not counted']
    const times = await firstDecisions(settings)
    const folder = mkdtempSync(join(tmpdir(), 'sharkguard-pack-'))
    const starters = [starter('sharkguard', 'sharkguard', 'sharkguard', []), ...(settings.peers ? PEERS : [])]
    const rows = starters.map(({ name, specifiers }): Row => {
      const figures: Record<string, Spread> = { ...times.get(name) }
      try {
        const { packages, bytes } = install(name === 'sharkguard' ? pack(folder, ['core']) : specifiers)
        figures['packages installed'] = single(packages)
        figures['kB installed'] = single(bytes / 1000)
      } catch (error) {
        notes.push(
          `${name} was not installed: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
        )
      }
      return { work: 'first DPoP request', contender: name, figures }
    })
    rmSync(folder, { recursive: true })
    return { rows, notes }
  },
}

async function firstDecisions(settings: Settings) {
  const world = await createWorld()
  const { issuer, jwksUri, jwks, algorithm, audience, method, uri, path } = world
  const resource = { issuer, jwksUri, jwks, algorithm, audience, method, uri, path }
  const starters = [starter('sharkguard', 'sharkguard', 'sharkguard', []), ...(settings.peers ? PEERS : [])]
  const reports = new Map<string, StartReport[]>(starters.map(({ name }) => [name, []]))
  for (let round = 0; round < settings.rounds; round++) {
    for (const { name, module, exported } of starters) {
      const client = world.client()
      const order = { module, exported, resource, token: client.token, proof: world.proof(client) }
      reports.get(name)?.push(await startOnce(name, order))
    }
  }
  world.close()
  return new Map([...reports].map(([name, of]) => [name, figuresOf(of)]))
}

async function startOnce(name: string, order: StartOrder): Promise<StartReport> {
  const child = fork(CHILD)
  child.send(order)
  const [report] = (await once(child, 'message')) as [StartReport]
  if (!report.allowed) throw new Error(`${name} refused its first request`)
  return report
}

function figuresOf(reports: readonly StartReport[]): Record<string, Spread> {
  const of = (figure: (report: StartReport) => number) => spread(reports.map(figure))
  return {
    'import, ms': of(({ importing }) => importing),
    'first decision, ms': of(({ deciding }) => deciding),
    'RSS, MB': of(({ rss }) => rss / 1e6),
  }
}

function starter(
  name: string,
  file: string,
  exported: string,
  specifiers: readonly string[] = [name],
): Starter {
  const module = new URL(`../contenders/${file}.js`, import.meta.url).href
  return { name, module, exported, specifiers }
}

import type { Check } from './contender.ts'
import { contenders } from './contenders/index.ts'
import { rawVerify } from './contenders/raw-verify.ts'
import { sharkguard } from './contenders/sharkguard.ts'
import { createField, type Entrant } from './field.ts'
import { type Lane, type Run, race, ratios, type Sample, spread } from './measure.ts'
import { LIMIT_CPU, LIMIT_WALL, type Row, type Settings } from './scenario.ts'
import { type Algorithm, type Client, createWorld, type Exchange, type World } from './world.ts'

export type ExchangeLane = Lane<readonly Exchange[]>
type ToLane = (entrant: Entrant) => ExchangeLane | undefined

export const LIMIT = 'raw crypto.verify'

/** Where contenders meet: one world, those who can do the work, a hundred clients they know, and the limit. */
export interface Course {
  readonly world: World
  readonly known: readonly Client[]
  readonly entrants: readonly Entrant[]
  readonly absent: readonly string[]
  /** Raw verification of P-256 with warm keys, whatever algorithm or new clients the contenders meet. */
  readonly limit: ExchangeLane
  readonly dpop: ToLane
  readonly bearer: ToLane
  close(): void
}

export async function createCourse(settings: Settings, algorithm: Algorithm = 'ES256'): Promise<Course> {
  const world = await createWorld(algorithm)
  const { entrants, absent } = await createField(world, settings.peers ? contenders : [sharkguard])
  const reference = await createWorld()
  const signers = reference.clients(100)
  return {
    world,
    known: world.clients(100),
    entrants,
    absent,
    limit: {
      name: LIMIT,
      accepts: true,
      checks: ({ length }) => exchanges(reference, signers, length).map(rawVerify),
    },
    dpop: ({ name, verifier: { dpop } }) =>
      dpop && {
        name,
        accepts: true,
        checks: (batch) =>
          batch.map(({ client, proof }): Check => dpop(client.token, proof, world.method, world.uri)),
      },
    bearer: ({ name, verifier: { bearer } }) =>
      bearer && { name, accepts: true, checks: (batch) => batch.map(({ client }) => bearer(client.token)) },
    close() {
      world.close()
      reference.close()
    },
  }
}

/** All who can do the work against the limit, as rows of the report. */
export async function compete(
  work: string,
  course: Course,
  settings: Settings,
  toLane: ToLane,
  clients: () => readonly Client[],
  run?: Run,
): Promise<Row[]> {
  const lanes = [course.limit, ...course.entrants.flatMap((entrant) => toLane(entrant) ?? [])]
  const batch = () => exchanges(course.world, clients(), settings.batch)
  return rowsOf(work, await race({ ...settings, lanes, batch, ...(run && { run }) }))
}

/** The cheapest first, by CPU time, which hardly knows what else the machine does. */
export function rowsOf(work: string, samples: ReadonlyMap<string, readonly Sample[]>): Row[] {
  const base = samples.get(LIMIT) ?? []
  const rows = [...samples].map(([contender, of]): Row => {
    const { wall, cpu } = ratios(of, base)
    const micros = spread(of.map(({ wall }) => wall))
    return { work, contender, figures: { [LIMIT_WALL]: wall, [LIMIT_CPU]: cpu, µs: micros } }
  })
  return rows.sort((a, b) => medianOf(a) - medianOf(b))
}

function medianOf({ figures }: Row): number {
  return figures[LIMIT_CPU]?.median ?? 0
}

/** A fresh proof for each of `count` requests of these clients in turn. */
export function exchanges(world: World, clients: readonly Client[], count: number): Exchange[] {
  return Array.from({ length: count }, (_, i) => {
    const client = clients[i % clients.length] as Client
    return { client, proof: world.proof(client) }
  })
}

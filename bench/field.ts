import type { Contender, Verifier } from './contender.ts'
import { now, type World, withBrokenSignature } from './world.ts'

/** A contender that has shown, in this world, that it lets the right request in and keeps a bad one out. */
export interface Entrant {
  readonly name: string
  readonly verifier: Verifier
}

export interface Field {
  readonly entrants: readonly Entrant[]
  /** Who cannot take part, and why: printed, never hidden. */
  readonly absent: readonly string[]
}

/** Sets all contenders up; who does not do the work right is not timed. */
export async function createField(world: World, contenders: readonly Contender[]): Promise<Field> {
  const entrants: Entrant[] = []
  const absent: string[] = []
  for (const contender of contenders) {
    try {
      const verifier = await contender.setup(world)
      await requireRightAnswers(world, verifier)
      entrants.push({ name: contender.name, verifier })
    } catch (error) {
      absent.push(`${contender.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { entrants, absent }
}

async function requireRightAnswers(world: World, { bearer, dpop }: Verifier): Promise<void> {
  const unbound = world.client({ cnf: undefined }).token
  const expired = world.client({ cnf: undefined, exp: now() - 3600, iat: now() - 7200 }).token
  if (bearer !== undefined) {
    if (!(await bearer(unbound)())) throw new Error('refuses a valid bearer token')
    if (await bearer(withBrokenSignature(unbound))()) throw new Error('accepts a forged bearer token')
    if (await bearer(expired)()) throw new Error('accepts an expired bearer token')
  }
  if (dpop !== undefined) {
    const client = world.client()
    const check = (proof: string) => dpop(client.token, proof, world.method, world.uri)()
    if (!(await check(world.proof(client)))) throw new Error('refuses a valid proof')
    if (await check(withBrokenSignature(world.proof(client)))) throw new Error('accepts a forged proof')
    const stranger = world.client()
    if (await check(world.proof(stranger, { claims: { ath: client.ath } }))) {
      throw new Error("accepts a proof of a stranger's key")
    }
  }
}

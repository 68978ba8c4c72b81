import type { Check } from '../contender.ts'
import { createCourse, type ExchangeLane, exchanges, rowsOf } from '../course.ts'
import type { Entrant } from '../field.ts'
import { race } from '../measure.ts'
import type { Row, Scenario } from '../scenario.ts'
import { type Client, type Exchange, now, type World, withBrokenSignature } from '../world.ts'

/** One way for a request to be bad: what is sent in place of the valid exchange. */
interface Flaw {
  readonly work: string
  send(exchange: Exchange): { token: string; proof: string }
  /** Whose requests; default the hundred that are known. */
  clients?(count: number): Client[]
  /** Whether the same requests are let in first. */
  readonly again?: boolean
}

export const refusals: Scenario = {
  name: 'refusals',
  title: 'Refused requests, one after another',
  async run(settings) {
    const { world, known, entrants, limit, absent, close } = await createCourse(settings)
    const capable = entrants.filter(({ verifier }) => verifier.dpop !== undefined)
    const rows: Row[] = []
    const notes = [...absent]
    // Who remembers verified tokens shall know these.
    for (const entrant of capable) await Promise.all(accept(world, entrant, exchanges(world, known, 100)))

    for (const flaw of flaws(world)) {
      const lanes = [limit]
      for (const entrant of capable) {
        const lane = laneOf(world, entrant, flaw)
        const [check] = await lane.checks(exchanges(world, flaw.clients?.(1) ?? known, 1))
        if (await check?.()) notes.push(`${entrant.name} lets it in: ${flaw.work}`)
        else lanes.push(lane)
      }
      const batch = () => exchanges(world, flaw.clients?.(settings.batch) ?? known, settings.batch)
      rows.push(...rowsOf(flaw.work, await race({ ...settings, lanes, batch })))
    }
    close()
    return { rows, notes }
  },
}

function laneOf(world: World, entrant: Entrant, flaw: Flaw): ExchangeLane {
  return {
    name: entrant.name,
    accepts: false,
    async checks(batch) {
      if (flaw.again) await Promise.all(accept(world, entrant, batch))
      return batch.map((exchange) => {
        const { token, proof } = flaw.send(exchange)
        return checkOf(world, entrant, token, proof)
      })
    },
  }
}

function accept(world: World, entrant: Entrant, batch: readonly Exchange[]) {
  return batch.map(({ client, proof }) => checkOf(world, entrant, client.token, proof)())
}

function checkOf(world: World, { verifier }: Entrant, token: string, proof: string): Check {
  return verifier.dpop?.(token, proof, world.method, world.uri) ?? (() => false)
}

function flaws(world: World): Flaw[] {
  const stranger = world.client()
  const changed = (claims: Record<string, unknown>) => (exchange: Exchange) => ({
    token: exchange.client.token,
    proof: world.proof(exchange.client, { claims }),
  })
  const broken = ({ client, proof }: Exchange) => ({ token: client.token, proof: withBrokenSignature(proof) })
  return [
    { work: 'garbage', send: () => ({ token: 'abc.def.ghi', proof: 'x.y.z' }) },
    {
      work: 'a token of the right shape, forged',
      send: ({ client, proof }) => ({ token: withBrokenSignature(client.token), proof }),
    },
    {
      work: 'token expired',
      send: ({ client, proof }) => ({ token: client.token, proof }),
      clients: (count) =>
        Array.from({ length: count }, () => world.client({ exp: now() - 3600, iat: now() - 7200 })),
    },
    { work: 'proof too old', send: changed({ iat: now() - 7200 }) },
    { work: 'proof for another address', send: changed({ htu: 'https://mcp.example.com/other' }) },
    { work: 'proof for another token', send: changed({ ath: stranger.ath }) },
    {
      work: 'proof of a wrong key',
      send: ({ client }) => ({
        token: client.token,
        proof: world.proof(client, { keys: world.client().keys }),
      }),
    },
    { work: 'proof with a bad signature', send: broken },
    {
      work: 'new token, proof with a bad signature',
      send: broken,
      clients: (count) => world.clients(count),
    },
    { work: 'proof replayed', send: ({ client, proof }) => ({ token: client.token, proof }), again: true },
  ]
}

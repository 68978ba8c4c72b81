import { AdminClient, DPoPProver } from '@sharkguard/agent'
import { quantile } from '../measure.ts'
import { type Caller, call, callUntilRefused, createCaller, type Scene } from './caller.ts'
import { startGuardPart, startIssuerPart } from './processes.ts'
import type { Table } from './table.ts'

/** Callers of each guard that go on all the time, one request each. */
const LOAD = 4

/** How one layer is revoked, for one caller. */
type Revoke = (admin: AdminClient, caller: Caller, prepared: string) => Promise<unknown>

interface Layer {
  readonly name: string
  readonly revoke: Revoke
  prepare?(scene: Scene, caller: Caller): Promise<string>
}

const LAYERS: readonly Layer[] = [
  { name: 'L1 one token', revoke: (admin, { token }) => admin.revokeToken(token) },
  { name: 'L2 one agent', revoke: (admin, { agentId }) => admin.agents.revokeAll(agentId) },
  {
    name: 'key rotation',
    revoke: async (admin, { agentId }) =>
      admin.agents.rotateDpopKey(agentId, (await DPoPProver.generate()).publicJwk),
  },
  {
    name: 'L3 user cascade',
    revoke: (admin, { owner }) => admin.users.revokeAgents(owner),
  },
  { name: 'L4 pattern', revoke: (admin, { clientId }) => admin.revokeByPattern({ pattern: `${clientId}*` }) },
  {
    name: 'L5 vault disconnect',
    revoke: (admin, _, connection) => admin.vault.disconnect(connection),
    async prepare({ issuer, admin }, { clientId, prover, token }) {
      const { id } = await admin.vault.connect({ provider: clientId, userId: 'usr_1', secret: 's' })
      const url = `${issuer}/api/v1/vault/${clientId}/token`
      const dpop = await prover.createProof({ method: 'GET', url, accessToken: token })
      const { status } = await fetch(url, { headers: { authorization: `DPoP ${token}`, dpop } })
      if (status !== 200) throw new Error(`the vault answered ${status}`)
      return id
    },
  },
]

/**
 * Two guards and an issuer, each in a process of its own, under load from this one. From the answer to the revoking call
 * to the first refusal at each guard: one round trip, where the guards know when the call is answered.
 */
export async function propagation(runs: number): Promise<Table> {
  const issuer = await startIssuerPart()
  const guards = await Promise.all([startGuardPart(issuer.hello.url), startGuardPart(issuer.hello.url)])
  const { url, adminKey } = issuer.hello
  const admin = new AdminClient({ baseUrl: url, adminKey })
  const scene = { issuer: url, admin, resources: guards.map(({ hello }) => hello.resource) }
  const load = await startLoad(scene)
  const rows: string[][] = []
  try {
    for (const layer of LAYERS) rows.push([layer.name, ...(await measure(layer, scene, runs))])
  } finally {
    const requests = await load.stop()
    for (const part of [issuer, ...guards]) part.stop()
    rows.push(['valid requests beside', `${requests.allowed}`, `${requests.refused} refused`, '', '', ''])
  }
  return {
    title: `Revoking call answered → first refusal, at two guards under load, ${runs} runs a layer, ms`,
    head: ['layer', 'p50', 'p99', 'let in after the answer', 'revoking call p50', 'p99'],
    rows,
  }
}

async function measure(layer: Layer, scene: Scene, runs: number): Promise<string[]> {
  const untilRefused: number[] = []
  const calls: number[] = []
  let late = 0
  for (let run = 0; run < runs; run++) {
    const caller = await createCaller(scene)
    const prepared = (await layer.prepare?.(scene, caller)) ?? ''
    for (const resource of scene.resources) {
      if ((await call(resource, caller)).status !== 200) throw new Error('a valid request was refused')
    }
    const started = performance.now()
    await layer.revoke(scene.admin, caller, prepared)
    const answered = performance.now()
    calls.push(answered - started)
    await Promise.all(
      scene.resources.map(async (resource) => {
        late += await callUntilRefused(resource, caller)
        untilRefused.push(performance.now() - answered)
      }),
    )
  }
  const ms = (values: number[], q: number) =>
    quantile(
      values.sort((a, b) => a - b),
      q,
    ).toFixed(1)
  return [
    ms(untilRefused, 0.5),
    ms(untilRefused, 0.99),
    `${late} of ${untilRefused.length + late}`,
    ms(calls, 0.5),
    ms(calls, 0.99),
  ]
}

/** Valid requests to both guards, without a pause. */
async function startLoad(scene: Scene) {
  let going = true
  const requests = { allowed: 0, refused: 0 }
  const caller = await createCaller(scene)
  const running = scene.resources.flatMap((resource) =>
    Array.from({ length: LOAD }, async () => {
      while (going) {
        if ((await call(resource, caller)).status === 200) requests.allowed++
        else requests.refused++
      }
    }),
  )
  return {
    async stop() {
      going = false
      await Promise.all(running)
      return requests
    },
  }
}

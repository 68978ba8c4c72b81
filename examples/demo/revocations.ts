import { AdminClient, DPoPProver } from '@sharkguard/agent'
import type { startIssuer } from '@sharkguard/issuer'
import { describeAnswer, expectThat, step } from './stage.ts'

interface Stage {
  readonly resource: string
  readonly issuer: Awaited<ReturnType<typeof startIssuer>>
}

/** For each layer an agent whose call is answered, then the revoking call, then the same call again. */
export async function playRevocations({ resource, issuer }: Stage): Promise<void> {
  const admin = new AdminClient({ baseUrl: issuer.url, adminKey: issuer.adminKey })

  async function revoked(title: string, revoke: (victim: Victim) => Promise<unknown>) {
    await step(title, async () => {
      const victim = await createVictim(issuer, resource)
      expectThat((await victim.call()).status === 200, 'the call before should be answered')
      const asked = performance.now()
      await revoke(victim)
      const answered = performance.now()
      const answer = await victim.call()
      const refused = performance.now()
      expectThat(answer.status === 401, `expected 401, got ${answer.status}`)
      const took = `${(answered - asked).toFixed(1)} ms until every guard had it`
      return `${took}, ${(refused - answered).toFixed(1)} ms for the next call: ${describeAnswer(answer)}`
    })
  }

  await revoked('L1  one token', ({ token }) => admin.revokeToken(token))
  await revoked('L2  all tokens of one agent', ({ agentId }) => admin.agents.revokeAll(agentId))
  await revoked('    its key is rotated; the old one can never be bound again', async ({ agentId }) =>
    admin.agents.rotateDpopKey(agentId, (await DPoPProver.generate()).publicJwk),
  )
  await revoked('L3  all agents of a user', ({ owner }) => admin.users.revokeAgents(owner))
  await revoked('L4  all agents whose id matches a pattern', ({ clientId }) =>
    admin.revokeByPattern({ pattern: `${clientId.slice(0, 16)}*` }),
  )
  await revoked('L5  all agents that ever read a secret from the vault', async (victim) => {
    const { id } = await admin.vault.connect({ provider: victim.clientId, userId: 'usr_1', secret: 's' })
    const url = `${issuer.url}/api/v1/vault/${victim.clientId}/token`
    const { status } = await fetch(url, { headers: await victim.headers('GET', url) })
    expectThat(status === 200, `the vault answered ${status}`)
    await admin.vault.disconnect(id)
  })
}

type Victim = Awaited<ReturnType<typeof createVictim>>

async function createVictim(issuer: Stage['issuer'], resource: string) {
  const owner = `usr_${crypto.randomUUID()}`
  const { clientId, agentId } = await issuer.registerAgent({ name: 'victim', createdBy: owner })
  const prover = await DPoPProver.generate()
  const scope = 'mcp:read vault:read'
  const token = await issuer.mintToken({ clientId, audience: resource, scope, jkt: prover.jkt })

  async function headers(method: string, url: string): Promise<Record<string, string>> {
    const dpop = await prover.createProof({ method, url, accessToken: token })
    return { authorization: `DPoP ${token}`, dpop }
  }

  async function call(): Promise<Response> {
    return fetch(resource, {
      method: 'POST',
      headers: {
        ...(await headers('POST', resource)),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } }),
    })
  }

  return { owner, clientId, agentId, token, headers, call }
}

import { type Agent, DPoPProver } from '@sharkguard/agent'
import type { startIssuer } from '@sharkguard/issuer'
import { describeAnswer, expectThat, step } from './stage.ts'

interface Stage {
  readonly resource: string
  readonly issuer: Awaited<ReturnType<typeof startIssuer>>
  readonly prover: DPoPProver
  readonly agent: Agent
}

/** Each attack starts from what the agent really sends and changes one thing. */
export async function playAttacks({ resource, issuer, prover, agent }: Stage): Promise<void> {
  const { accessToken: token } = await agent.token()
  const method = 'POST'
  const prove = (accessToken = token, url = resource, by = prover) =>
    by.createProof({ method, url, accessToken })
  const send = (authorization: string, proof?: string) =>
    fetch(resource, {
      method,
      headers: {
        authorization,
        ...(proof === undefined ? {} : { dpop: proof }),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } }),
    })

  async function refused(title: string, request: () => Promise<Response>) {
    await step(title, async () => {
      const answer = await request()
      expectThat(answer.status === 401, `expected 401, got ${answer.status}`)
      return describeAnswer(answer)
    })
  }

  const mint = (changes: Parameters<typeof issuer.mintToken>[0]) =>
    issuer.mintToken({
      clientId: agent.clientId,
      audience: resource,
      scope: 'mcp:read',
      jkt: agent.jkt,
      ...changes,
    })

  const used = await prove()
  await step('nothing yet: the honest call, for comparison', async () => {
    const answer = await send(`DPoP ${token}`, used)
    expectThat(answer.status === 200, `the honest call was refused with ${answer.status}`)
    return describeAnswer(answer)
  })

  await refused('the token is stolen and sent as Bearer', () => send(`Bearer ${token}`))
  await refused('a proof is caught and sent again', () => send(`DPoP ${token}`, used))
  await refused('a proof for another URL is used', async () =>
    send(`DPoP ${token}`, await prove(token, 'https://evil.example/mcp')),
  )
  await refused('the token is used with another key', async () =>
    send(`DPoP ${token}`, await prove(token, resource, await DPoPProver.generate())),
  )
  const foreign = await mint({ audience: 'https://other.example/mcp' })
  await refused('a token for another resource is brought', async () =>
    send(`DPoP ${foreign}`, await prove(foreign)),
  )
  const expired = await mint({ expiresIn: -1 })
  await refused('an expired token is brought', async () => send(`DPoP ${expired}`, await prove(expired)))
}

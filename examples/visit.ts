import { strict as assert } from 'node:assert'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, DPoPProver } from '@sharkguard/agent'
import { startIssuer } from '@sharkguard/issuer'

/** What each example exports: a server on a port of this machine, whose guard trusts this issuer. */
export interface Example {
  readonly resource: string
  close(): Promise<unknown>
}

export type StartExample = (options: { issuer: string; port: number }) => Promise<Example>

/**
 * Starts an issuer and the example, calls it as an agent would, and then as whoever stole the agent's token. Throws where
 * anything is not as it should be.
 * @param call what the agent does; asserts by itself what comes of it
 */
export async function visit(start: StartExample, call: (agent: Agent) => Promise<void>): Promise<void> {
  const issuer = await startIssuer()
  const example = await start({ issuer: issuer.url, port: await freePort() })
  const { resource } = example

  const stranger = await fetch(resource, { method: 'POST' })
  assert.equal(stranger.status, 401, 'without credentials')
  assert.match(stranger.headers.get('www-authenticate') ?? '', /^DPoP .*resource_metadata="/)
  console.log('a stranger is told where to look')

  const agent = await Agent.start({ resource, scopes: ['notes:read'] })
  await call(agent)
  console.log(`${agent.clientId} got in`)

  const { accessToken } = await agent.token()
  const proven = async (by: DPoPProver, url = resource) =>
    send(resource, `DPoP ${accessToken}`, await by.createProof({ method: 'POST', url, accessToken }))
  assert.equal(await send(resource, `Bearer ${accessToken}`), 401, 'the stolen token as Bearer')
  assert.equal(await send(resource, `DPoP ${accessToken}`), 401, 'the stolen token without a proof')
  assert.equal(await proven(await DPoPProver.generate()), 401, "the stolen token with the thief's key")
  assert.equal(await proven(agent.prover, 'https://evil.example/'), 401, 'a proof made for another server')
  assert.notEqual(await proven(agent.prover), 401, 'the honest request, for comparison')
  console.log('whoever stole the token did not')

  await issuer.revokeAgent(agent.clientId)
  const deadline = Date.now() + 5000
  while ((await proven(agent.prover)) !== 401) assert.ok(Date.now() < deadline, 'revoked, and still let in')
  console.log('revoked, the agent is out')

  agent.close()
  await example.close()
  await issuer.close()
}

async function send(url: string, authorization: string, proof?: string): Promise<number> {
  const headers = { authorization, ...(proof === undefined ? {} : { dpop: proof }) }
  const { status, body } = await fetch(url, { method: 'POST', headers })
  await body?.cancel()
  return status
}

/** A resource is named by its URL, and so the port has to be known before there is a guard. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

import { Agent } from '@sharkguard/agent'
import { createGuard } from '@sharkguard/core'
import { startIssuer } from '@sharkguard/issuer'
import { equal, eventually, it } from './cases.ts'
import { fetchFrom } from './world.ts'

const RESOURCE = 'http://127.0.0.1/mcp'

/** Over real sockets, where the runtime can listen: its fetch, its timeouts, its node:http. */
export function sockets(): void {
  it('guard and agent learn everything from an issuer that listens', async () => {
    const issuer = await startIssuer()
    const guard = createGuard(RESOURCE, { issuer: issuer.url })
    await guard.ready()
    const resource = {
      async fetch(request: Request): Promise<Response> {
        const { method, headers, url } = request
        const passage = await guard.gate({ method, headers, url: new URL(url).pathname })
        if (passage.kind !== 'answer') return new Response('in')
        return new Response(passage.answer.body, passage.answer)
      },
    }
    const inside = fetchFrom(resource)
    const agent = await Agent.start({
      resource: RESOURCE,
      fetch: (input, init) => {
        const request = new Request(input, init)
        return request.url.startsWith(issuer.url) ? fetch(request) : inside(request)
      },
    })
    const ask = async () => (await agent.fetch(RESOURCE, { method: 'POST' })).status
    equal(await ask(), 200)
    const token = await agent.token()
    await issuer.revokeToken(token.accessToken)
    await eventually(
      async () => {
        const proof = await agent.prover.createProof({ method: 'POST', url: RESOURCE, ...token })
        const headers = { authorization: `DPoP ${token.accessToken}`, dpop: proof }
        return (await guard.verify({ method: 'POST', url: '/mcp', headers: Object.entries(headers) })).ok
      },
      (isIn) => !isIn,
    )
    agent.close()
    await guard.close()
    await issuer.close()
  })
}

import { Agent, DPoPHttpClient, DPoPProver, OAuthClient } from '@sharkguard/agent'
import type { GuardOptions } from '@sharkguard/core'
import { sharkGuard } from '@sharkguard/hono'
import { createIssuer } from '@sharkguard/issuer'
import { sharkGuard as mcpGuard } from '@sharkguard/mcp'
import { Hono } from 'hono'
import { equal, eventually, it, matches, rejects } from './cases.ts'
import { fetchFrom, ISSUER, RESOURCE } from './world.ts'

/** A guarded Hono app, its issuer, and the fetch of whoever calls them. */
function createSite(options: GuardOptions = {}) {
  const issuer = createIssuer({ issuer: ISSUER })
  const guarded = sharkGuard(RESOURCE, { issuer: ISSUER, fetch: fetchFrom(issuer), ...options })
  const app = new Hono()
  app.use(guarded)
  app.use('/mcp', async (c, next) => {
    if (c.req.method === 'OPTIONS') return next()
    const { clientId, scopes, cnf } = c.get('auth')
    return c.json({ clientId, scopes, jkt: cnf?.jkt, body: await c.req.text() })
  })
  const fetch = fetchFrom(issuer, { fetch: async (request) => app.fetch(request) })
  return { issuer, guarded, fetch, close: () => guarded.guard.close() }
}

/** The agent, the issuer and the adapters for web-standard handlers, one calling the other. */
export async function agents(): Promise<void> {
  it('an agent finds, registers, gets its token and gets in', async () => {
    const site = createSite({ resourceMetadata: { scopes_supported: ['mcp:read'] } })
    const agent = await Agent.start({ resource: RESOURCE, fetch: site.fetch })
    const answer = await agent.fetch(RESOURCE, { method: 'POST', body: 'hello' })
    const { clientId, jkt, body } = (await answer.json()) as Record<string, unknown>
    equal([answer.status, clientId, jkt, body], [200, agent.clientId, agent.jkt, 'hello'])
    equal((await agent.fetch(RESOURCE, { method: 'POST', body: 'again' })).status, 200)
    await site.close()
  })

  it('an agent signs the method that fetch here sends, however it was spelled', async () => {
    const site = createSite()
    const agent = await Agent.start({ resource: RESOURCE, fetch: site.fetch })
    for (const method of ['get', 'Post', 'patch', 'Delete', 'PURGE']) {
      equal((await agent.fetch(RESOURCE, { method })).status, 200, method)
    }
    await site.close()
  })

  it('an agent answers nonce challenges', async () => {
    const site = createSite({ nonce: true })
    const agent = await Agent.start({ resource: RESOURCE, fetch: site.fetch })
    for (let i = 0; i < 3; i++)
      equal((await agent.fetch(RESOURCE, { method: 'POST', body: 'x' })).status, 200)
    await site.close()
  })

  it('an agent that is revoked is out', async () => {
    const site = createSite()
    const agent = await Agent.start({ resource: RESOURCE, fetch: site.fetch })
    const { accessToken } = await agent.token()
    const http = new DPoPHttpClient(RESOURCE, { fetch: site.fetch })
    const ask = async () => (await http.post('', { token: accessToken, prover: agent.prover })).status
    equal(await ask(), 200)
    await site.issuer.revokeAgent(agent.clientId)
    await eventually(ask, (status) => status === 401)
    await site.close()
  })

  it('an exchanged token names both parties, and its audience alone', async () => {
    const site = createSite()
    const agent = await Agent.start({ resource: RESOURCE, fetch: site.fetch })
    const { accessToken } = await agent.token()
    const stranger = new OAuthClient({ issuer: ISSUER, fetch: site.fetch })
    await rejects(
      stranger.exchangeToken({ subjectToken: accessToken, clientId: 'nobody', clientSecret: 'x' } as never),
      /OAuthError|AgentError/,
    )
    await site.close()
  })

  it('a key survives as PEM', async () => {
    for (const alg of ['ES256', 'EdDSA'] as const) {
      const prover = await DPoPProver.generate({ alg })
      const again = await DPoPProver.fromPem(await prover.privateKeyPem())
      equal(again.jkt, prover.jkt)
    }
    await rejects(DPoPProver.fromPem('x'), /AgentError/)
  })

  it('Hono answers what the guard answers: metadata, challenge, preflight', async () => {
    const { fetch, close } = createSite()
    for (const path of [
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-protected-resource',
    ]) {
      const metadata = await fetch(new URL(path, RESOURCE))
      equal(metadata.status, 200)
      equal(((await metadata.json()) as { resource: string }).resource, RESOURCE)
    }
    const refused = await fetch(RESOURCE, { method: 'POST', body: 'x' })
    equal(refused.status, 401)
    matches(refused.headers.get('www-authenticate'), /^DPoP .*resource_metadata=/)
    matches(refused.headers.get('access-control-expose-headers'), /DPoP-Nonce/)
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const preflight = await fetch(RESOURCE, { method: 'OPTIONS', headers })
    equal([401, 403].includes(preflight.status), false, 'a preflight refused')
    await close()
  })

  it('the MCP wrapper hands the handler who calls, and weighs the scopes of a tool', async () => {
    const issuer = createIssuer({ issuer: ISSUER })
    const guarded = mcpGuard(
      async (_request, given) => Response.json({ clientId: given?.authInfo?.clientId }),
      RESOURCE,
      { issuer: ISSUER, fetch: fetchFrom(issuer), tools: { delete_file: ['files:write'] } },
    )
    const fetch = fetchFrom(issuer, { fetch: (request) => guarded.fetch(request) })
    const prover = await DPoPProver.generate()
    const accessToken = await issuer.mintToken({ audience: RESOURCE, scope: 'files:read', jkt: prover.jkt })
    const call = async (name: string) =>
      fetch(RESOURCE, {
        method: 'POST',
        headers: {
          authorization: `DPoP ${accessToken}`,
          dpop: await prover.createProof({ method: 'POST', url: RESOURCE, accessToken }),
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name, arguments: {} },
        }),
      })
    const answer = await call('read_file')
    equal([answer.status, await answer.json()], [200, { clientId: 'test-client' }])
    equal((await call('delete_file')).status, 403)
    await guarded.close()
  })
}

import {
  Client,
  CrossAppAccessProvider,
  type CrossAppAccessProviderOptions,
  DpopSession,
  discoverAndRequestJwtAuthGrant,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import type { McpGuardOptions } from '@sharkguard/mcp'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { IdentityProvider } from '../../packages/issuer/test/support/identity-provider.ts'
import { type McpHost, startWrapped } from '../support/mcp-server.ts'

/** The SDK's own enterprise-managed flow with its own DPoP: nothing of ours but the two servers. */
class DpopProvider extends CrossAppAccessProvider {
  readonly #session = DpopSession.create()
  dpop = () => this.#session
}

let idp: IdentityProvider
let issuer: RunningIssuer
let host: McpHost
const open: Client[] = []

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  idp = await IdentityProvider.start()
  issuer = await startIssuer({ trustedIdentityProviders: [{ issuer: idp.issuer }] })
})
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
  await host.close()
  await issuer.close()
  await idp.close()
  vi.useRealTimers()
})

const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

/** A client that the administrators of both know; its user has signed in at the provider. */
async function signedIn(
  Provider: new (
    options: CrossAppAccessProviderOptions & { expectedIssuer: string },
  ) => CrossAppAccessProvider,
  contexts: Parameters<CrossAppAccessProviderOptions['assertion']>[0][] = [],
) {
  const { clientId, clientSecret } = await issuer.registerAgent({
    grantTypes: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
  })
  const idToken = await idp.sign({ iss: idp.issuer, sub: 'U-alice', aud: 'at-the-idp' })
  const assertion: CrossAppAccessProviderOptions['assertion'] = async (context) => {
    contexts.push(context)
    const granted = await discoverAndRequestJwtAuthGrant({
      idpUrl: idp.issuer,
      audience: context.authorizationServerUrl,
      resource: context.resourceUrl,
      idToken,
      clientId: `at-the-idp ${clientId}`,
      ...(context.scope === undefined ? {} : { scope: context.scope }),
      fetchFn: context.fetchFn,
    })
    return granted.jwtAuthGrant
  }
  return new Provider({ assertion, clientId, clientSecret, expectedIssuer: issuer.url })
}

async function connect(authProvider: CrossAppAccessProvider): Promise<Client> {
  const client = new Client({ name: 'stock', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(host.resource), { authProvider }))
  open.push(client)
  return client
}

async function whoami(client: Client): Promise<string> {
  const { content } = (await client.callTool({ name: 'whoami' })) as { content: { text: string }[] }
  return content[0]!.text
}

const claimsOf = (provider: CrossAppAccessProvider) =>
  JSON.parse(atob(provider.tokens()!.access_token.split('.')[1]!))

it.each<[string, typeof CrossAppAccessProvider, McpGuardOptions['dpop'] & string]>([
  ['DPoP', DpopProvider, 'required'],
  ['Bearer', CrossAppAccessProvider, 'when-bound'],
])(
  'the stock client calls tools for a user whom its company signed in, by %s',
  async (type, Provider, dpop) => {
    host = await startWrapped({ issuer: issuer.url, dpop, scopes: ['mcp:read'] })
    const provider = await signedIn(Provider)
    const client = await connect(provider)
    expect(await whoami(client)).toMatch(/^whoami shark_agent_\S+ mcp:read$/)
    expect(provider.tokens()).toMatchObject({ token_type: type })
    expect(provider.tokens()).not.toHaveProperty('refresh_token')
    expect(claimsOf(provider)).toMatchObject({ sub: 'U-alice', aud: host.resource, scope: 'mcp:read' })
  },
)

it('it asks its company again when the token has expired, and when it was revoked', async () => {
  host = await startWrapped({ issuer: issuer.url })
  const contexts: { authorizationServerUrl: string; resourceUrl: string }[] = []
  const provider = await signedIn(DpopProvider, contexts as never)
  const client = await connect(provider)
  expect(await whoami(client)).toContain('whoami')
  pass(400)
  expect(await whoami(client)).toContain('whoami')
  pass(10)
  await issuer.revokeUser('U-alice')
  pass(10)
  expect(await whoami(client)).toContain('whoami')
  expect(contexts).toHaveLength(3)
  expect(contexts[0]).toMatchObject({ authorizationServerUrl: issuer.url, resourceUrl: host.resource })
})

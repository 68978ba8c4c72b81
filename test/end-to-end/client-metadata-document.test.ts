import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, DpopSession, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Command, runIssuer } from '../../packages/issuer/test/support/command.ts'
import { type McpHost, startWrapped } from '../support/mcp-server.ts'
import { SignedInProvider } from '../support/signed-in-provider.ts'

/** The SDK registers nowhere when it has the URL of its metadata document. */
class DocumentProvider extends SignedInProvider {
  readonly #session = DpopSession.create()
  readonly clientMetadataUrl: string
  constructor(url: string) {
    super()
    this.clientMetadataUrl = url
  }
  dpop = () => this.#session
}

let issuer: { command: Command; url: string }
let site: Server
let host: McpHost
let origin: string
const requested: string[] = []

beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  const folder = mkdtempSync(join(tmpdir(), 'shark-cimd-'))
  writeFileSync(join(folder, 'ca.pem'), cert)
  writeFileSync(
    join(folder, 'seed.json'),
    JSON.stringify({ autoApprove: true, clientMetadataDocuments: 'loopback' }),
  )
  site = createServer({ key, cert }, ({ url, headers }, response) => {
    requested.push(`${headers.host}${url}`)
    const { redirectUrl } = new SignedInProvider()
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({
        client_id: `${origin}${url}`,
        client_name: 'Published client',
        redirect_uris: [redirectUrl],
        grant_types: ['authorization_code', 'refresh_token'],
      }),
    )
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const { port } = site.address() as { port: number }
  origin = `https://localhost:${port}`
  issuer = await runIssuer(['--seed', join(folder, 'seed.json')], {
    NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
  })
  host = await startWrapped({ issuer: issuer.url, scopes: ['mcp:read'] })
})
afterAll(async () => {
  issuer?.command.child.kill('SIGKILL')
  await host?.close()
  site?.closeAllConnections()
  await new Promise((resolve) => site.close(resolve))
})

it('a stock client that is known by the URL of its document signs a user in, over real TLS, registered nowhere', async () => {
  const provider = new DocumentProvider(`${origin}/client.json`)
  const transport = () =>
    new StreamableHTTPClientTransport(new URL(host.resource), { authProvider: provider })
  const first = transport()
  await expect(new Client({ name: 'stock', version: '1.0.0' }).connect(first)).rejects.toThrow('Unauthorized')
  await first.finishAuth(provider.answers[0]!)
  const client = new Client({ name: 'stock', version: '1.0.0' })
  await client.connect(transport())
  const { content } = (await client.callTool({ name: 'whoami' })) as { content: { text: string }[] }
  expect(content[0]!.text).toBe(`whoami ${origin}/client.json mcp:read`)
  expect(requested).toEqual([`${new URL(origin).host}/client.json`])
  await client.close()
})

it('a document whose server cannot prove its name is not read', async () => {
  const query = new URLSearchParams({
    client_id: origin.replace('localhost', '127.0.0.1').concat('/client.json'),
  })
  const before = requested.length
  const refused = await fetch(`${issuer.url}/oauth/authorize?${query}`)
  expect(refused.status).toBe(400)
  expect(requested).toHaveLength(before)
  expect(issuer.command.stderr).toContain('client metadata document')
})

import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasSuite, installSuite, runSuite } from '../support/conformance-suite.ts'
import { freePort } from '../support/free-port.ts'

const RESOURCE = 'https://mcp.example.com/mcp'

describe.skipIf(!hasSuite)("the MCP conformance suite's authorization scenarios, against the issuer", () => {
  let issuer: RunningIssuer
  beforeAll(async () => {
    installSuite()
    const redirect_uris = ['http://127.0.0.1/callback']
    issuer = await startIssuer({
      autoApprove: true,
      defaultResource: RESOURCE,
      clients: [{ client_id: 'public', redirect_uris }],
    })
  }, 300_000)
  afterAll(() => issuer?.close())

  // With a secret too the suite comes as a public client where the metadata lists `none`: no confidential one here.
  it.each([
    ['a public client', ['--client-id', 'public', '--resource', RESOURCE]],
    ['a client that names no resource', ['--client-id', 'public']],
  ])('%s', { timeout: 120_000 }, async (_name, client) => {
    const args = ['authorization', '--url', issuer.url, '--port', String(await freePort()), ...client]
    let visited: Promise<Response> | undefined
    const { ended } = runSuite(args, (output) => {
      // What it asks a person to open.
      const url = /^http\S+\/oauth\/authorize\?\S+(?=\s)/m.exec(output)?.[0]
      if (url !== undefined && output.includes('Callback server started')) visited ??= fetch(url)
    })
    const { code, output } = await ended
    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Total: \d+ passed, 0 failed/),
    })
    expect((await visited)?.status).toBe(200)
    expect(output).toMatch(/✓ authorization-server-metadata-endpoint: [1-9]\d* passed, 0 failed/)
    expect(output).toMatch(/✓ authorization-code-grant: [1-9]\d* passed, 0 failed/)
    expect(output).not.toMatch(/warn|skipp/i)
  })
})

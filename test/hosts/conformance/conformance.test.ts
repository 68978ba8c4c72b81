import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasSuite, installSuite, runSuite, suiteNode } from '../../support/conformance-suite.ts'

const client = fileURLToPath(new URL('client.ts', import.meta.url))

function run(scenario: string) {
  return runSuite(['client', '--command', `${suiteNode} ${client}`, '--scenario', scenario]).ended
}

describe.skipIf(!hasSuite)("the MCP conformance suite, against a client of the agent's parts", () => {
  beforeAll(installSuite, 300_000)

  const DPOP = ['token-request-proof', 'dpop-auth-scheme', 'fresh-proof'].map((id) => `sep-1932-client-${id}`)

  // The last grades the token request alone: its issuer binds nothing, and there our client stops.
  it.each([
    ['auth/dpop', DPOP],
    ['auth/dpop-nonce', [...DPOP, 'sep-1932-client-as-nonce', 'sep-1932-client-rs-nonce']],
    ['auth/client-credentials-basic', ['client-credentials-basic-auth']],
  ])('%s', async (scenario, checks) => {
    const { code, output } = await run(scenario)
    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Passed: (\d+)\/\1, 0 failed, 0 warnings/),
    })
    for (const check of checks) expect(output).toMatch(new RegExp(`\\[${check} *\\].*SUCCESS`))
  })
})

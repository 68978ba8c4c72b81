import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'

/** Pinned: the suite has no tag of its own yet. It does not start on Node 20, so it brings a Node. */
const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'
const NODE = `node-${process.platform}-${process.arch}`

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const cache = here('../../../node_modules/.cache/mcp-conformance')
const suite = join(cache, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')
const node = join(cache, 'node_modules', NODE, 'bin/node')

const isWanted = process.env.REQUIRE_REAL_PARTS === '1' || existsSync(suite)
if (!isWanted)
  console.warn('Skipped: REQUIRE_REAL_PARTS=1 installs the MCP conformance suite and a Node 22 for it')

/** From the registry, into a folder of its own, once. */
function install(): void {
  if (existsSync(suite) && existsSync(node)) return
  mkdirSync(cache, { recursive: true })
  writeFileSync(join(cache, 'package.json'), '{ "private": true }')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', SUITE, `${NODE}@22`], {
    cwd: cache,
    stdio: 'ignore',
  })
}

function run(scenario: string): Promise<{ code: number | null; output: string }> {
  const client = `${node} ${here('client.ts')}`
  const child = spawn(node, [suite, 'client', '--command', client, '--scenario', scenario], { cwd: cache })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

describe.skipIf(!isWanted)("the MCP conformance suite, against a client of the agent's parts", () => {
  beforeAll(install, 300_000)

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

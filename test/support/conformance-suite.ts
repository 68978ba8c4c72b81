import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Pinned: the suite has no tag of its own yet. It does not start on Node 20, so it brings a Node. */
const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'
const NODE = `node-${process.platform}-${process.arch}`

const cache = fileURLToPath(new URL('../../node_modules/.cache/mcp-conformance', import.meta.url))
const suite = join(cache, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')

/** The Node that it runs on, and that what it starts may run on. */
export const suiteNode = join(cache, 'node_modules', NODE, 'bin/node')

export const hasSuite = process.env.REQUIRE_REAL_PARTS === '1' || existsSync(suite)
if (!hasSuite)
  console.warn('Skipped: REQUIRE_REAL_PARTS=1 installs the MCP conformance suite and a Node 22 for it')

/** From the registry, into a folder of its own, once. */
export function installSuite(): void {
  if (existsSync(suite) && existsSync(suiteNode)) return
  mkdirSync(cache, { recursive: true })
  writeFileSync(join(cache, 'package.json'), '{ "private": true }')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', SUITE, `${NODE}@22`], {
    cwd: cache,
    stdio: 'ignore',
  })
}

export interface SuiteRun {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>
}

/** @param onOutput called with all that has been printed so far */
export function runSuite(
  args: readonly string[],
  onOutput: (output: string) => void = () => undefined,
): SuiteRun {
  const child = spawn(suiteNode, [suite, ...args], { cwd: cache })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      onOutput(output)
    })
  }
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, output }))) }
}

import { execFile } from 'node:child_process'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundleCommand, bundleForWorkers, folder, staticNodeImports } from './bundle.ts'
import { install, NODES, OTHERS, WORKERD } from './runtimes.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** The output of a program, whether it ends well or not; colours would hide its last line. */
async function outputOf(program: string, args: readonly string[], cwd = folder): Promise<string> {
  const env = {
    ...process.env,
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
    NODE_OPTIONS: undefined,
    VITEST: undefined,
  }
  const options = { cwd, env, maxBuffer: 64 * 1024 * 1024 } as const
  const { stdout, stderr } = await run(program, [...args], options).catch((error) => error as typeof failed)
  return stderr + stdout
}
declare const failed: { stdout: string; stderr: string }

describe.each([...NODES, ...OTHERS])('$name', (runtime) => {
  let program: string
  beforeAll(() => {
    program = install(runtime)
  })

  it('gets its side of the seam', async () => {
    // Package imports can be asked for only from inside of the package: a copy of it says what the original would.
    const copy = `${folder}dist/core-copy/`
    const core = `${root}packages/core/`
    await rm(copy, { recursive: true, force: true })
    await mkdir(copy, { recursive: true })
    await cp(`${core}package.json`, `${copy}package.json`)
    await cp(`${core}dist/runtime`, `${copy}dist/runtime`, { recursive: true })
    await writeFile(`${copy}seam.js`, "console.log(import.meta.resolve('#runtime'))")
    const output = await outputOf(program, [...runtime.flags, `${copy}seam.js`])
    expect(output.trim()).toMatch(new RegExp(`/core-copy/dist/runtime/${runtime.seam}\\.js$`))
  })

  it('passes the portable suite', async () => {
    const output = await outputOf(program, [...runtime.flags, await bundleCommand()])
    expect(output).toMatch(/\b(?:[6-9]\d|\d{3,}) passed, 0 failed\s*$/)
  })
})

describe('workerd without compatibility flags', () => {
  it('passes the portable suite', async () => {
    const metafile = await bundleForWorkers({ file: 'portable/worker.ts' }, `${folder}dist/worker.js`)
    expect(Object.keys(metafile.inputs).join()).toContain('packages/core/dist/runtime/web.js')
    expect(Object.keys(metafile.inputs).join()).not.toContain('packages/core/dist/runtime/node.js')
    await cp(`${folder}portable/workerd.capnp`, `${folder}dist/workerd.capnp`)
    const output = await outputOf(install(WORKERD), ['test', `${folder}dist/workerd.capnp`])
    expect(output).toMatch(/^(?:[5-9]\d|\d{3,}) passed, 0 failed$/m)
    expect(output).toMatch(/\[ PASS \]/)
  })

  it.each(['core', 'hono', 'mcp', 'agent', 'issuer'])(
    'needs nothing of Node to load @sharkguard/%s',
    async (name) => {
      const text = `import * as all from '@sharkguard/${name}'\nexport default all`
      expect(staticNodeImports(await bundleForWorkers({ text }))).toEqual([])
    },
  )

  it('the check above finds what it looks for', async () => {
    const text = `import * as all from '@sharkguard/express'\nexport default all`
    expect(staticNodeImports(await bundleForWorkers({ text: `import 'node:fs'\n${text}` }))).not.toEqual([])
  })
})

/** All tests there are (or those under `TESTS`), by the same runner, in the other Nodes; `pnpm test` runs them in the one at hand. */
describe.each(NODES.filter(({ name }) => !name.startsWith(`Node ${process.versions.node.split('.')[0]}.`)))(
  '$name',
  (runtime) => {
    it('passes all tests', async () => {
      const program = install(runtime)
      const args = ['run', ...(process.env.TESTS === undefined ? [] : [process.env.TESTS])]
      const output = await outputOf(program, [`${root}node_modules/vitest/vitest.mjs`, ...args], root)
      // What failed, and how many: the rest of the output is as long as the suite.
      const lines = output.split('\n').filter((line) => /^ *(?:FAIL|\w*Error:|Errors|Tests) /.test(line))
      expect(lines).toEqual([expect.stringMatching(/Tests +\d+ passed/)])
    })
  },
)

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Packed } from './packed.ts'

const run = promisify(execFile)
const consumer = fileURLToPath(new URL('consumer/', import.meta.url))

/** What users have beside our packages: the versions this workspace is tested with. */
const BESIDE = [
  '@hono/node-server',
  '@types/express',
  '@types/node',
  'express',
  'fastify',
  'hono',
  'redis',
  'ioredis',
]

export type PackageManager = 'npm' | 'pnpm' | 'yarn'

/** A project of somebody else, in a folder of its own, with our tarballs in the place of published packages. */
export interface Scratch {
  readonly folder: string
  /** Runs a command there, and answers what it printed. Rejects with all of it when it fails. */
  run(command: string, ...args: readonly string[]): Promise<string>
}

export async function createScratch(manager: PackageManager, packages: readonly Packed[]): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), `sharkguard-${manager}-`))
  const tarballs = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]))
  const beside = Object.fromEntries(BESIDE.map((name) => [name, versionHere(name)]))
  // Adapters ask for core by its version: npm is content with the tarball beside them, the others want to be told.
  const core = { '@sharkguard/core': tarballs['@sharkguard/core'] }
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({
      name: 'scratch',
      private: true,
      type: 'module',
      dependencies: { ...tarballs, ...beside, typescript: '7.0.2' },
      ...(manager === 'yarn' ? { resolutions: core } : {}),
    }),
  )
  if (manager === 'pnpm') {
    const settings = { overrides: core, pmOnFail: 'ignore', strictDepBuilds: false, minimumReleaseAge: 0 }
    await writeFile(join(folder, 'pnpm-workspace.yaml'), JSON.stringify(settings))
  }
  if (manager === 'yarn') {
    await writeFile(join(folder, '.yarnrc.yml'), 'nodeLinker: node-modules\nenableTelemetry: false\n')
    await writeFile(join(folder, 'yarn.lock'), '')
  }
  await cp(consumer, folder, { recursive: true })

  const env = {
    ...process.env,
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
    CI: undefined,
    VITEST: undefined,
    NODE_ENV: undefined,
  }
  const scratch: Scratch = {
    folder,
    async run(command, ...args) {
      try {
        const { stdout, stderr } = await run(command, [...args], { cwd: folder, env, maxBuffer: 2 ** 26 })
        return stdout + stderr
      } catch (error) {
        const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
        throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error })
      }
    },
  }
  await install(manager, scratch)
  return scratch
}

function versionHere(name: string): string {
  const manifest = readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

async function install(manager: PackageManager, { run }: Scratch): Promise<void> {
  if (manager === 'npm') await run('npm', 'install', '--no-audit', '--no-fund', '--loglevel', 'error')
  if (manager === 'pnpm') await run('npx', '--yes', 'pnpm@12', 'install', '--no-frozen-lockfile')
  if (manager === 'yarn') await run('npx', '--yes', '@yarnpkg/cli-dist@4', 'install', '--no-immutable')
}

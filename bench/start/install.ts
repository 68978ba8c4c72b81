import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** What `npm install` of something puts on the disk. */
export interface Installed {
  readonly packages: number
  readonly bytes: number
}

/** Packs packages of this repository, so that they are installed as users get them. */
export function pack(folder: string, names: readonly string[]): string[] {
  return names.map((name) => {
    const { stdout } = run(
      'pnpm',
      ['pack', '--json', '--pack-destination', folder],
      join(ROOT, 'packages', name),
    )
    return (JSON.parse(stdout) as { filename: string }).filename
  })
}

/** Installs into an empty folder, which is removed again; throws where npm does. */
export function install(specifiers: readonly string[]): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'sharkguard-bench-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps', '--omit=dev']
    run('npm', ['install', ...options, ...specifiers], folder)
    const { stdout } = run('npm', ['ls', '--all', '--parseable'], folder)
    return { packages: stdout.trim().split('\n').length - 1, bytes: sizeOf(join(folder, 'node_modules')) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(command: string, args: readonly string[], cwd: string) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${command} ${args[0]}: ${result.error ?? result.stderr}`)
  return result
}

function sizeOf(path: string): number {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly [field: string]: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** A package as it would be published. */
export interface Packed {
  readonly name: string
  readonly folder: string
  readonly tarball: string
  readonly manifest: Manifest
  /** Paths inside. */
  readonly files: readonly string[]
  read(path: string): string
}

const tar = (...args: string[]) =>
  execFileSync('tar', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).trim()

/** Packs every package, from what `tsc -b` has built. */
export function packAll(): readonly Packed[] {
  const destination = mkdtempSync(join(tmpdir(), 'sharkguard-packed-'))
  const flags = ['-r', '--filter', './packages/*', 'pack', '--pack-destination', destination]
  execFileSync('pnpm', flags, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  return readdirSync(join(root, 'packages')).map((folder) => {
    const { name, version } = JSON.parse(
      readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'),
    ) as Manifest
    const tarball = join(destination, `${name.slice(1).replace('/', '-')}-${version}.tgz`)
    const read = (path: string) => tar('xzOf', tarball, `package/${path}`)
    const files = tar('tzf', tarball)
      .split('\n')
      .map((path) => path.replace(/^package\//, ''))
    return { name, folder, tarball, manifest: JSON.parse(read('package.json')), files, read }
  })
}

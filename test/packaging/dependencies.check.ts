import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from './packed.ts'

/** Licences that ask for nothing but to be passed on. */
const LICENCES = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT']
/** All that a user of our packages installs beside them. A new one is a decision. */
const DEPENDENCIES = ['@hono/node-server', 'fastify-plugin', 'hono', 'jose', 'lru-cache']

const pnpm = (...args: string[]) =>
  execFileSync('pnpm', ['--filter', './packages/*', ...args], { cwd: root, encoding: 'utf8' })

it('what the packages need at run time has a licence that we may pass on', () => {
  const found = JSON.parse(pnpm('licenses', 'list', '--prod', '--json')) as Record<string, { name: string }[]>
  expect(Object.keys(found).filter((licence) => !LICENCES.includes(licence))).toEqual([])
  const names = Object.values(found).flatMap((packages) => packages.map(({ name }) => name))
  expect(names.filter((name) => !name.startsWith('@sharkguard/')).sort()).toEqual(DEPENDENCIES)
})

interface Component {
  readonly name: string
  readonly group?: string
  readonly purl: string
  readonly licenses?: readonly object[]
}

interface Bom {
  readonly bomFormat: string
  readonly metadata: { readonly component: Component }
  readonly components?: readonly Component[]
}

/** As the release workflow makes it. */
it('every package has a bill of materials, with nothing in it that it does not depend on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sharkguard-sbom-'))
  pnpm(
    'sbom',
    '--sbom-format',
    'cyclonedx',
    '--sbom-spec-version',
    '1.6',
    '--prod',
    '--split',
    '--out',
    `${folder}/%s.json`,
  )
  const boms = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Bom)
  expect(boms.length).toBe(readdirSync(`${root}packages`).length)
  for (const { bomFormat, metadata, components = [] } of boms) {
    expect(bomFormat).toBe('CycloneDX')
    expect(metadata.component.purl).toMatch(/^pkg:npm\/%40sharkguard\//)
    const names = components.map(({ purl }) => /npm\/(.+)@/.exec(decodeURIComponent(purl))?.[1])
    for (const name of names) expect([...DEPENDENCIES, '@sharkguard/core']).toContain(name)
    for (const component of components) expect(component.licenses, component.purl).toHaveLength(1)
  }
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Packed, packAll, root } from './packed.ts'

const packages = packAll()

it('every package of the workspace is packed', () => {
  expect(packages.map(({ folder }) => folder).sort()).toEqual([
    'agent',
    'core',
    'express',
    'fastify',
    'hono',
    'issuer',
    'mcp',
    'redis',
  ])
})

describe.each(packages.map((each): [string, Packed] => [each.name, each]))('%s', (_, packed) => {
  const { manifest, files, folder } = packed

  it('says everything that a registry and its readers want to know', () => {
    expect(manifest).toMatchObject({
      name: `@sharkguard/${folder}`,
      description: expect.stringMatching(/^.{40,160}\.$/),
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20.19' },
      repository: { type: 'git', directory: `packages/${folder}` },
      keywords: expect.arrayContaining(['dpop', 'oauth']),
      files: expect.arrayContaining(['dist']),
    })
    expect(manifest.scripts).toBeUndefined()
  })

  it('names no version that only this workspace understands', () => {
    const versions = [manifest.dependencies, manifest.peerDependencies, manifest.devDependencies].flatMap(
      (each) => Object.values((each as Record<string, string> | undefined) ?? {}),
    )
    for (const version of versions) expect(version).toMatch(/^[\^~>=]*\d/)
  })

  it('has at most three dependencies, and none of its siblings but core', () => {
    const dependencies = Object.keys(manifest.dependencies ?? {})
    expect(dependencies.length).toBeLessThanOrEqual(3)
    for (const name of dependencies) {
      if (name.startsWith('@sharkguard/')) expect(name).toBe('@sharkguard/core')
    }
    if (['core', 'agent', 'issuer'].includes(folder)) expect(dependencies).not.toContain('@sharkguard/core')
  })

  it('holds its licence, its README and what it exports, and nothing that was made on the way', () => {
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']))
    expect(packed.read('LICENSE')).toBe(readFileSync(`${root}LICENSE`, 'utf8').trim())
    expect(packed.read('README.md')).toContain(manifest.name)
    for (const file of files) {
      expect(file).toMatch(/^(?:LICENSE|README\.md|package\.json|dist\/[\w/-]+(?:\.d\.ts|\.js|\.js\.map))$/)
    }
    const named = JSON.stringify([manifest.exports, manifest.imports, manifest.bin]).match(/\.\/[^"]+/g) ?? []
    expect(named.length).toBeGreaterThan(0)
    for (const path of named) expect(files).toContain(path.slice(2))
  })

  it('imports nothing that is not its own, its dependency or its peer', () => {
    const known = [
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ]
    for (const file of files.filter((name) => /\.(?:js|d\.ts)$/.test(name))) {
      const specifiers = packed.read(file).matchAll(/(?:^|\n)(?:import|export)[^'"\n]*from '([^'.#][^']*)'/g)
      for (const [, specifier = ''] of specifiers) {
        if (specifier.startsWith('node:')) continue
        const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
        expect(known, `${file} imports ${specifier}`).toContain(name)
      }
    }
  })

  it('maps each line to its source, which is inside the map', () => {
    for (const file of files.filter((name) => name.endsWith('.js.map'))) {
      const { sources, sourcesContent } = JSON.parse(packed.read(file)) as Record<string, string[]>
      expect(sourcesContent, file).toHaveLength(sources?.length ?? 0)
    }
  })
})

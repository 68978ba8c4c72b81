import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packAll } from './packed.ts'
import { createScratch, type PackageManager, type Scratch } from './scratch.ts'

const packages = packAll()

/** What a project says to the compiler; everything else is `strict` and the default. */
const RESOLUTIONS = {
  nodenext: { module: 'nodenext' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
}

describe.each<PackageManager>(['npm', 'pnpm', 'yarn'])('installed by %s', (manager) => {
  let scratch: Scratch
  beforeAll(async () => {
    scratch = await createScratch(manager, packages)
  })
  afterAll(() => rm(scratch.folder, { recursive: true, force: true }))

  it('every package works from JavaScript, over real HTTP', async () => {
    expect(await scratch.run('node', 'consumer.mjs')).toBe('all hosts let the agent in and the thief not\n')
  })

  it('every package loads by require()', async () => {
    expect(await scratch.run('node', 'consumer.cjs')).toBe('all packages load by require()\n')
  })

  const compilers = manager === 'npm' ? ['7.0.2', '5.9'] : ['7.0.2']
  const settings = compilers.flatMap((version) =>
    Object.keys(RESOLUTIONS).map((name) => [version, name] as const),
  )
  it.each(settings)('TypeScript %s with %s finds the types, to the last detail', async (version, name) => {
    const options = { target: 'es2022', types: ['node'], strict: true, noEmit: true, skipLibCheck: false }
    const compilerOptions = { ...options, ...RESOLUTIONS[name as 'nodenext'] }
    const config = join(scratch.folder, `tsconfig.${name}.json`)
    await writeFile(config, JSON.stringify({ compilerOptions, files: ['types.ts'] }))
    expect(await scratch.run('npx', '--yes', '--package', `typescript@${version}`, 'tsc', '-p', config)).toBe(
      '',
    )
  })

  it('npx @sharkguard/issuer starts an issuer, and ends when it is told', async () => {
    const child = spawn('npx', ['--no-install', '@sharkguard/issuer', '--port', '0'], {
      cwd: scratch.folder,
      detached: true,
    })
    try {
      let output = ''
      for await (const chunk of child.stdout) {
        output += chunk
        if (output.includes('admin key')) break
      }
      const [url = ''] = /http:\/\/\S+/.exec(output) ?? []
      const metadata = await fetch(`${url}/.well-known/oauth-authorization-server`)
      expect(await metadata.json()).toMatchObject({ issuer: url })
    } finally {
      const exit = once(child, 'exit')
      process.kill(-(child.pid as number), 'SIGTERM')
      await exit
    }
  })
})

it('says what it weighs', async () => {
  const scratch = await createScratch('npm', packages)
  const dependencies = packages.flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {}))
  const tree = await scratch.run('npm', 'ls', '--all', ...new Set(dependencies))
  const sizes = await scratch.run('du', '-sk', ...packages.map(({ name }) => `node_modules/${name}`))
  console.log(`${tree}\nKB installed\n${sizes}`)
  for (const line of sizes.trim().split('\n')) expect(Number(line.split('\t')[0])).toBeLessThan(2048)
  await rm(scratch.folder, { recursive: true, force: true })
})

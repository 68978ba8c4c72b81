import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = `${ROOT}test/node_modules/.cache/readme-code`

/** What fragments take from the program around them. */
const AROUND = `
declare const app: any
declare const guarded: any
declare const issuer: any
declare const resource: string
declare const method: string
declare const url: string
declare const headers: Headers
declare const buildServer: () => import('@modelcontextprotocol/server').McpServer
`
/** Names that a fragment uses and another one beside it has imported. */
const IMPORTS = [
  ['sharkGuard', '@sharkguard/express'],
  ['operationScopes', '@sharkguard/mcp'],
  ['sessionOwners', '@sharkguard/mcp'],
]

function fragments(): { name: string; code: string }[] {
  const packages = readdirSync(`${ROOT}packages`).sort()
  const pages = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith('.md'))
  const documents = [
    'README.md',
    ...packages.map((name) => `packages/${name}/README.md`),
    ...pages.map((name) => `docs/${name}`),
  ]
  return documents.flatMap((document) => {
    const text = readFileSync(ROOT + document, 'utf8')
    return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ''], i) => ({
      name: `${document.replaceAll('/', '-').replace('.md', '')}-${i + 1}`,
      code,
    }))
  })
}

function complete(code: string): string {
  const missing = IMPORTS.filter(([name]) => code.includes(`${name}(`) && !code.includes(`{ ${name} }`))
  return [...missing.map(([name, from]) => `import { ${name} } from '${from}'`), code, 'export {}'].join('\n')
}

it('every piece of TypeScript in a README or in docs compiles', { timeout: 120_000 }, async () => {
  const all = fragments()
  expect(all.length).toBeGreaterThan(25)
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(`${FOLDER}/around.d.ts`, AROUND)
  for (const { name, code } of all) writeFileSync(`${FOLDER}/${name}.ts`, complete(code))
  const compilerOptions = {
    noEmit: true,
    composite: false,
    rewriteRelativeImportExtensions: false,
    // Fragments that take their app from elsewhere say nothing of the types it has.
    noImplicitAny: false,
    lib: ['es2023', 'dom'],
    types: ['node'],
  }
  const config = { extends: '../../../../tsconfig.json', compilerOptions, include: ['.'], references: [] }
  writeFileSync(`${FOLDER}/tsconfig.json`, JSON.stringify(config))
  const tsc = `${ROOT}node_modules/typescript/bin/tsc`
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [tsc, '-p', FOLDER], (_error, stdout, stderr) => resolve(stdout + stderr))
  })
  expect(output).toBe('')
})

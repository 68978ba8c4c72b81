import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { REQUIREMENTS } from './requirements.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCUMENT = `${ROOT}docs/requirements.md`
const CITED = /\[((?:\d{4}|MCP|SEP)-[\w.-]+)\]/g

/** Test files by the requirements that titles in them cite. */
function citations(): Map<string, string[]> {
  const cited = new Map<string, string[]>()
  for (const file of testFiles()) {
    for (const [, id = ''] of readFileSync(ROOT + file, 'utf8').matchAll(CITED)) {
      const files = cited.get(id) ?? []
      if (!files.includes(file)) cited.set(id, [...files, file])
    }
  }
  return cited
}

function testFiles(): string[] {
  const inside = (folder: string) => readdirSync(ROOT + folder).map((name) => `${folder}/${name}`)
  const folders = inside('packages').map((folder) => `${folder}/test`)
  folders.push(...inside('test').filter((folder) => !/node_modules|\.\w+$/.test(folder)))
  const files = folders
    .filter((folder) => existsSync(ROOT + folder))
    .flatMap((folder) =>
      readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
  return files.filter((name) => name.endsWith('.test.ts')).sort()
}

/** The requirements and the tests that show them. */
function table(cited: Map<string, string[]>): string {
  const rows = REQUIREMENTS.map(({ id, source, level, text, binds }) => {
    const files = (cited.get(id) ?? []).map(
      (file) => `[${file.split('/').at(-1)?.replace('.test.ts', '')}](../${file})`,
    )
    const shown = binds === undefined ? files.join(', ') || '–' : `binds the ${binds}`
    return `| ${id} | ${source} | ${level} | ${text} | ${shown} |`
  })
  return [
    '# Requirements',
    '',
    'What the specifications demand of a resource server, and the tests whose titles cite it. Generated from',
    '`test/conformance/requirements.ts`; to renew it, run `UPDATE_DOCS=1 npx pnpm test`.',
    '',
    '| id | source | level | requirement | shown by |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

const cited = citations()

it('every MUST that binds the guard is cited by a test', () => {
  const missing = REQUIREMENTS.filter(({ id, level, binds }) => level === 'MUST' && !binds && !cited.has(id))
  expect(missing.map(({ id, text }) => `${id}: ${text}`)).toEqual([])
})

it('every SHOULD that binds the guard is cited by a test', () => {
  const missing = REQUIREMENTS.filter(
    ({ id, level, binds }) => level === 'SHOULD' && !binds && !cited.has(id),
  )
  expect(missing.map(({ id, text }) => `${id}: ${text}`)).toEqual([])
})

it('tests cite nothing that is not a requirement', () => {
  const known = new Set(REQUIREMENTS.map(({ id }) => id))
  expect([...cited.keys()].filter((id) => !known.has(id))).toEqual([])
})

it('no requirement is there twice', () => {
  expect(new Set(REQUIREMENTS.map(({ id }) => id)).size).toBe(REQUIREMENTS.length)
})

it('the table of requirements in the docs is the one of the manifest', () => {
  if (process.env.UPDATE_DOCS) writeFileSync(DOCUMENT, table(cited))
  expect(readFileSync(DOCUMENT, 'utf8')).toBe(table(cited))
})

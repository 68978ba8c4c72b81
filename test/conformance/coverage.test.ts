import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import config from '../../vitest.config.ts'
import { citations, INCLUDED, idsIn, ROOT } from './citations.ts'
import { PENDING } from './pending.ts'
import { REQUIREMENTS } from './requirements.ts'

const DOCUMENT = `${ROOT}docs/requirements.md`
const cited = citations()
const pending = new Set(PENDING)

/** The requirements and the tests that show them. */
function table(): string {
  const rows = REQUIREMENTS.map(({ id, source, level, text, binds, check }) => {
    const files = (cited.get(id) ?? []).map(
      (file) => `[${file.split('/').at(-1)?.replace('.test.ts', '')}](../${file})`,
    )
    const nobody = pending.has(id) ? 'pending' : '–'
    const named = check === undefined ? id : `${id} (\`${check}\`)`
    return `| ${named} | ${source} | ${binds} | ${level} | ${text} | ${files.join(', ') || nobody} |`
  })
  return [
    '# Requirements',
    '',
    'What the specifications demand of a guard and of an issuer, and the tests whose titles cite it. What binds the host or the client',
    'is listed so that nobody takes it for forgotten. Names in parentheses are those of the MCP conformance suite. Generated from',
    '`test/conformance/requirements.ts`; to renew it, run `UPDATE_DOCS=1 npx pnpm test`.',
    '',
    '| id | source | binds | level | requirement | shown by |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

const uncited = (level: string) =>
  REQUIREMENTS.filter(({ binds }) => binds === 'guard' || binds === 'issuer')
    .filter((requirement) => requirement.level === level && !cited.has(requirement.id))
    .filter(({ id }) => !pending.has(id))
    .map(({ id, binds, text }) => `${id} (${binds}): ${text}`)

it.each(['MUST', 'SHOULD'])('every %s that binds the guard or the issuer is cited by a test', (level) => {
  expect(uncited(level)).toEqual([])
})

it('what is pending is a requirement that no test cites yet; once one does, it leaves the list', () => {
  const known = new Set(REQUIREMENTS.map(({ id }) => id))
  expect(PENDING.filter((id) => !known.has(id))).toEqual([])
  expect(PENDING.filter((id) => cited.has(id))).toEqual([])
  expect(pending.size).toBe(PENDING.length)
})

it('tests cite nothing that is not a requirement', () => {
  const known = new Set(REQUIREMENTS.map(({ id }) => id))
  expect([...cited.keys()].filter((id) => !known.has(id))).toEqual([])
})

it('no requirement is there twice', () => {
  const ids = REQUIREMENTS.map(({ id }) => id)
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
})

it('each of the fifteen checks of the conformance suite for SEP-1932 is there once', () => {
  const checks = REQUIREMENTS.flatMap(({ check }) => check ?? [])
  expect(new Set(checks).size).toBe(15)
  expect(checks).toHaveLength(15)
})

it('the table of requirements in the docs is the one of the manifest', () => {
  if (process.env.UPDATE_DOCS) writeFileSync(DOCUMENT, table())
  expect(readFileSync(DOCUMENT, 'utf8')).toBe(table())
})

describe('a citation', () => {
  const id = 'MCP' + '-R1'

  it.each([
    `it('x [${id}]', () => {})`,
    `test("x [${id}]", () => {})`,
    `describe('x [${id}]', () => {})`,
    `it.each([1] as const)('%s [${id}]', (n: number) => {})`,
    `describe.each(ROWS)(\`x [${id}] \${1}\`, () => {})`,
    `describe('x', () => { it('y [${id}]', () => {}) })`,
  ])('is made by the title of a test: %s', (source) => {
    expect(idsIn(source)).toEqual([id])
  })

  it.each([
    `// it('x [${id}]', () => {})`,
    `/* [${id}] */ it('x', () => {})`,
    `it('x', () => { expect('[${id}]').toBe(1) })`,
    `const title = '[${id}]'`,
    `it.skip('x [${id}]', () => {})`,
    `it.todo('x [${id}]')`,
    `it.fails('x [${id}]', () => {})`,
    `it.skipIf(true)('x [${id}]', () => {})`,
    `it.runIf(false)('x [${id}]', () => {})`,
    `describe.skip('x', () => { it('y [${id}]', () => {}) })`,
    `it.each([['x [${id}]']])('%s', () => {})`,
  ])('is not made by %s', (source) => {
    expect(idsIn(source)).toEqual([])
  })

  it('is looked for in the files that run, and in no others', () => {
    expect(config.test?.include?.slice(0, 2)).toEqual(INCLUDED)
    expect(config.test?.exclude).toBeUndefined()
  })
})

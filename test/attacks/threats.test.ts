import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ROOT, titlesIn } from '../conformance/citations.ts'
import { THREATS } from './threats.ts'

const DOCUMENT = `${ROOT}docs/threats.md`

/** `core/keys › title` → the test file, and what its title has to contain. */
function parse(test: string) {
  const [name = '', title = ''] = test.split(' › ')
  const inPackage = /^(core|mcp|express|fastify|hono|issuer|agent|redis)\/(.*)$/.exec(name)
  const path = inPackage ? `packages/${inPackage[1]}/test/${inPackage[2]}` : `test/${name}`
  return { path: `${path}.test.ts`, title, name }
}

const all = THREATS.flatMap(([, threats]) => threats)

describe.each(THREATS)('%s', (_, threats) => {
  it.each(threats)('$threat has tests, and they are there', ({ tests, absent }) => {
    if (absent === undefined) expect(tests).not.toEqual([])
    for (const test of tests) {
      const { path, title } = parse(test)
      expect(existsSync(ROOT + path), path).toBe(true)
      if (title === '') continue
      const titles = titlesIn(readFileSync(ROOT + path, 'utf8'))
      expect(
        titles.filter((each) => each.includes(title)),
        test,
      ).not.toEqual([])
    }
  })
})

it('the table of threats in the docs is the one of the tests', () => {
  let number = 0
  const link = (test: string) => {
    const { path, name } = parse(test)
    return `[${name}](../${path})`
  }
  const sections = THREATS.flatMap(([title, threats]) => [
    `## ${title}`,
    '',
    '| # | threat | tests |',
    '|---|---|---|',
    ...threats.map(({ threat, tests, absent }) => {
      const links = [...new Set(tests.map(link))]
      return `| ${++number} | ${threat} | ${[...(absent === undefined ? [] : [absent]), ...links].join(', ')} |`
    }),
    '',
  ])
  const table = [
    '# Threats and the tests against them',
    '',
    'What others fell into, collected from peers, advisories and the security sections of the RFCs. Generated from',
    '`test/attacks/threats.ts`, where each test is named by its title; to renew it, run `UPDATE_DOCS=1 npx pnpm test`.',
    '',
    ...sections,
  ].join('\n')
  if (process.env.UPDATE_DOCS) writeFileSync(DOCUMENT, table)
  expect(all).toHaveLength(111)
  expect(readFileSync(DOCUMENT, 'utf8')).toBe(table)
})

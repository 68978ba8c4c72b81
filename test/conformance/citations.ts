import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseAst } from 'vitest/node'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** What vitest runs, as its configuration says it: `packages/<any>/test/` and `test/`, files that end with `.test.ts`. */
export const INCLUDED = ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts']

const CITED = /\[((?:\d{4}|EMA|JAG|MCP|SEP|TSL)-[\w.-]+)\]/g

interface Node {
  readonly type: string
  readonly [property: string]: unknown
}

/**
 * Test files by the requirements that titles of tests in them cite: the text that is given to `it`, `test` or `describe`,
 * also by `.each`. Comments and other texts cite nothing, and neither do tests that are skipped, expected to fail, or
 * run only sometimes.
 */
export function citations(): Map<string, string[]> {
  const cited = new Map<string, string[]>()
  for (const file of testFiles()) {
    for (const id of idsIn(readFileSync(ROOT + file, 'utf8'))) {
      const files = cited.get(id) ?? []
      if (!files.includes(file)) cited.set(id, [...files, file])
    }
  }
  return cited
}

/** The ids that titles in this text cite. */
export function idsIn(source: string): string[] {
  return titlesIn(source).flatMap((title) => [...title.matchAll(CITED)].map(([, id = '']) => id))
}

/** The titles of the tests in this text that run. */
export function titlesIn(source: string): string[] {
  const titles: string[] = []
  collect(parseAst(source, { lang: 'ts' }) as unknown as Node, (title) => titles.push(title))
  return titles
}

function testFiles(): string[] {
  const packages = readdirSync(`${ROOT}packages`).map((name) => `packages/${name}/test`)
  return [...packages, 'test'].flatMap((folder) => filesIn(folder)).sort()
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(ROOT + folder, { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesIn(path)
      return path.endsWith('.test.ts') ? [path] : []
    })
  } catch {
    // A package may have no tests of its own.
    return []
  }
}

function collect(node: unknown, onTitle: (title: string) => void): void {
  if (Array.isArray(node)) {
    for (const each of node) collect(each, onTitle)
  } else if (isNode(node)) {
    if (node.type === 'CallExpression') {
      const modifiers = runnerModifiers(node.callee)
      if (modifiers?.some((name) => !['each', 'for', 'concurrent', 'sequential'].includes(name))) return
      if (modifiers !== undefined) onTitle(textOf((node.arguments as unknown[])[0]))
    }
    for (const child of Object.values(node)) collect(child, onTitle)
  }
}

/** Of `it.each(table)`: `['each']`; of what is no call of a test runner: `undefined`. */
function runnerModifiers(callee: unknown): string[] | undefined {
  if (!isNode(callee)) return undefined
  switch (callee.type) {
    case 'Identifier':
      return ['it', 'test', 'describe'].includes(callee.name as string) ? [] : undefined
    case 'MemberExpression': {
      const inner = runnerModifiers(callee.object)
      return inner && [...inner, (callee.property as { name: string }).name]
    }
    case 'CallExpression':
      return runnerModifiers(callee.callee)
    case 'TaggedTemplateExpression':
      return runnerModifiers(callee.tag)
    default:
      return undefined
  }
}

function textOf(node: unknown): string {
  if (!isNode(node)) return ''
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type !== 'TemplateLiteral') return ''
  return (node.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join(' ')
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

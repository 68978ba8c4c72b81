import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git'])

function documents(folder = ''): string[] {
  return readdirSync(ROOT + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : documents(path)
    return path.endsWith('.md') ? [path] : []
  })
}

/** Targets of links, and what is written as a path of this repository. */
function pathsIn(document: string): string[] {
  const text = readFileSync(ROOT + document, 'utf8')
  const links = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/i.test(target))
    .map((target) => join(dirname(document), target))
  const written = [...text.matchAll(/`((?:test|packages|docs|examples|bench)\/[\w./-]*)`/g)].map(
    ([, path = '']) => path,
  )
  return [...links, ...written]
}

it.each(documents())('%s points only at what is there', (document) => {
  expect(pathsIn(document).filter((path) => !existsSync(ROOT + path))).toEqual([])
})

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

/** The names GitHub gives to headings. */
function anchorsOf(document: string): string[] {
  const text = readFileSync(ROOT + document, 'utf8').replace(/^```.*?^```/gms, '')
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Links to a heading that is not there. A folder stands for its README. */
function brokenAnchorsIn(document: string): string[] {
  const text = readFileSync(ROOT + document, 'utf8')
  return [...text.matchAll(/\]\(([^)\s#:]*)#([^)\s]+)\)/g)]
    .filter(([, target = '', anchor = '']) => {
      const path = target === '' ? document : join(dirname(document), target)
      return !anchorsOf(path.endsWith('.md') ? path : join(path, 'README.md')).includes(anchor)
    })
    .map(([link]) => link)
}

it.each(documents())('%s points only at headings that are there', (document) => {
  expect(brokenAnchorsIn(document)).toEqual([])
})

it.each(documents())('%s points only at what is there', (document) => {
  expect(pathsIn(document).filter((path) => !existsSync(ROOT + path))).toEqual([])
})

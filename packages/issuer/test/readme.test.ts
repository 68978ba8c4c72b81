import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createIssuer, type IssuerOptions } from '../src/index.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

it('the README has every option that there is', () => {
  const refuse = () => createIssuer({ other: true } as IssuerOptions)
  expect(refuse).toThrow('known are ')
  let known: string[] = []
  try {
    refuse()
  } catch (error) {
    known = String(error).split('known are ')[1]!.split(', ')
  }
  expect(known.length).toBeGreaterThan(15)
  const table = readme.slice(readme.indexOf('## Options'), readme.indexOf('## Signing in'))
  expect(known.filter((name) => !table.includes(`\`${name}\``))).toEqual([])
})

it('the README has every argument of the command', () => {
  const source = readFileSync(new URL('../src/cli.ts', import.meta.url), 'utf8')
  const usage = source.slice(source.indexOf('Usage:'), source.indexOf('`\n\n/** Seconds'))
  const args = [...usage.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, name]) => name!)
  expect(args.length).toBe(7)
  expect(args.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
})

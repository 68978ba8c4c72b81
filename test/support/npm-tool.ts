import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * A package that only a check needs and that is too heavy for everybody's install: fetched from npm once, and kept where
 * what can be had again is kept. @returns its `node_modules`
 */
export function installed(source: string): string {
  const folder = fileURLToPath(new URL(`../../node_modules/.cache/tools/${source}/`, import.meta.url))
  const modules = `${folder}node_modules/`
  if (!existsSync(`${modules}.package-lock.json`)) {
    const flags = ['--prefix', folder, '--no-audit', '--no-fund', '--loglevel', 'error']
    execFileSync('npm', ['install', ...flags, source], { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  return modules
}

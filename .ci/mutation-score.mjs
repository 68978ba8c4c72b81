import { readdirSync, readFileSync } from 'node:fs'

// One line a subject of Stryker's reports: killed (or timed out) of all that compiled.
const folder = new URL('../reports/mutation/', import.meta.url)
let [killed, all] = [0, 0]
for (const name of readdirSync(folder)) {
  const { files } = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
  for (const [file, { mutants }] of Object.entries(files)) {
    const valid = mutants.filter(
      ({ status }) => !['Ignored', 'CompileError', 'RuntimeError'].includes(status),
    )
    const dead = valid.filter(({ status }) => ['Killed', 'Timeout'].includes(status))
    killed += dead.length
    all += valid.length
    process.stdout.write(`${String(dead.length).padStart(5)} of ${String(valid.length).padEnd(5)} ${file}\n`)
  }
}
process.stdout.write(`${((100 * killed) / all).toFixed(1)} % of ${all} mutants killed\n`)

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `pnpm fuzz [seconds] [target…]`: each target so long (20 seconds) under a fuzzer that is guided by coverage. What breaks a target
 * is printed as a line for `corpus.ts`, where it stays as a test. The fuzzer, jsfuzz, is fetched when it is needed: nothing else needs it.
 */
const [seconds = '20', ...chosen] = process.argv.slice(2)
const root = fileURLToPath(new URL('../../', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'sharkguard-fuzz-'))

const built = spawnSync(
  'pnpm',
  ['exec', 'vite', 'build', '-c', 'test/fuzz/vite.config.ts', '--outDir', work, '--emptyOutDir'],
  { cwd: root, stdio: 'inherit' },
)
if (built.status !== 0) process.exit(1)

const { CORPUS } = createRequire(import.meta.url)(join(work, 'entry.cjs'))
for (const target of chosen.length > 0 ? chosen : Object.keys(CORPUS)) {
  const corpus = join(work, target)
  mkdirSync(corpus)
  CORPUS[target].forEach((seed, i) => {
    writeFileSync(join(corpus, `seed-${i}`), Buffer.from(seed, 'latin1'))
  })
  const before = crashes()
  console.log(`${target}: ${await run(target, corpus)}`)
  for (const file of crashes().filter((name) => !before.includes(name))) {
    console.log(`  broken by ${JSON.stringify(readFileSync(join(work, file)).toString('latin1'))}`)
    process.exitCode = 1
  }
}

/** Runs until it breaks or its time is over; answers the last line of the fuzzer. */
function run(target, corpus) {
  // A group of its own, so that ending it ends the worker that it forks.
  const child = spawn('pnpm', ['dlx', 'jsfuzz@1.0.15', 'entry.cjs', corpus], {
    cwd: work,
    detached: true,
    env: { ...process.env, FUZZ_TARGET: target },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-4000)
    })
  }
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), Number(seconds) * 1000)
  return new Promise((resolve) => {
    child.on('close', () => {
      clearTimeout(timer)
      resolve(output.match(/#\d+ .*cov.*/g)?.at(-1) ?? output)
    })
  })
}

function crashes() {
  return readdirSync(work).filter((name) => /^(crash|timeout|oom)-/.test(name))
}

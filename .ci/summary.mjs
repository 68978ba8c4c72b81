import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// Sums vitest's reports. A suite that failed without a failed test (it did not compile, a hook threw) is a failure too, and
// so is each other step that failed; the step of a suite is not counted beside its tests.
const [broken, folder] = process.argv.slice(2)
const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
const sum = (count) => reports.reduce((total, report) => total + count(report), 0)

const passed = sum(({ numPassedTests }) => numPassedTests)
const skipped = sum(({ numPendingTests, numTodoTests }) => numPendingTests + numTodoTests)
const inSuites = sum(({ numFailedTests, testResults }) => {
  const lost = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  )
  return numFailedTests + lost.length
})
const stepsOfSuites = reports.filter(({ success }) => !success).length
const failed = inSuites + Math.max(0, Number(broken) - stepsOfSuites)

process.stdout.write(`\n${skipped} skipped\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && Number(broken) === 0 ? 0 : 1

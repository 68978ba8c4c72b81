import { agents } from './agents.ts'
import { runAll, type Tally } from './cases.ts'
import { revocation } from './revocation.ts'
import { signatures } from './signatures.ts'
import { verdicts } from './verdicts.ts'

/** The whole portable suite, in whatever runtime calls it. */
export async function run(): Promise<Tally> {
  await signatures()
  await verdicts()
  await revocation()
  await agents()
  return runAll()
}

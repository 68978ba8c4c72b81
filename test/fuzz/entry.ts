import { TARGETS } from './targets.ts'

export { CORPUS } from './corpus.ts'

/** What jsfuzz calls; the target is chosen by the environment. */
export function fuzz(bytes: Uint8Array): unknown {
  return TARGETS[process.env.FUZZ_TARGET as string]?.(bytes)
}

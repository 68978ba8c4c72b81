import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CORPUS } from './corpus.ts'
import { TARGETS } from './targets.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

/** Cuts, doubles and exchanges pieces of known texts: what a fuzzer without coverage does. */
const mutated = (seeds: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), fc.nat(9), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 4 }),
    )
    .map(([text, other, edits]) =>
      edits.reduce((result, [at, length, inserted]) => {
        const index = at % (result.length + 1)
        const tail = length === 9 ? other.slice(index) : result.slice(index + length)
        return result.slice(0, index) + inserted + tail
      }, text),
    )

describe.each(Object.entries(TARGETS))('the fuzz target %s', (name, target) => {
  const seeds = CORPUS[name] as readonly string[]

  it('holds for all of its corpus', async () => {
    expect(seeds.length).toBeGreaterThan(3)
    for (const seed of seeds) await target(bytes(seed))
  })

  it('holds for mutations of it', async () => {
    await fc.assert(
      fc.asyncProperty(mutated(seeds), async (text) => {
        await target(bytes(text))
      }),
      { numRuns: 500 },
    )
  })
})

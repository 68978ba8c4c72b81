import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNonces } from '../src/dpop/nonce.ts'

const RESOURCE = 'https://mcp.example.com/mcp'
const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)]
const T = 1_800_000_000

describe('nonces', () => {
  it('are accepted for the rest of their period and all of the next, and then no more [9449-8-nonce]', async () => {
    const nonces = createNonces(RESOURCE, { lifetime: 60 })
    const nonce = await nonces.current(T)
    const period = Math.floor(T / 60) * 60
    for (let second = period; second < period + 120; second++) {
      expect(await nonces.accepts(nonce, second), `${second - period}`).toBe(true)
    }
    for (const second of [period + 120, period + 180, period - 1, period - 60, 0, T + 1e9]) {
      expect(await nonces.accepts(nonce, second), `${second - period}`).toBe(false)
    }
  })

  it('stay the same within a period and differ in the next', async () => {
    const nonces = createNonces(RESOURCE, { lifetime: 60 })
    expect(await nonces.current(T)).toBe(await nonces.current(T + 59.9))
    expect(await nonces.current(T)).not.toBe(await nonces.current(T + 60))
  })

  it('are characters of RFC 9449 §8.1 and nothing guessable [9449-8.1-nqchar]', async () => {
    const nonce = await createNonces(RESOURCE, {}).current(T)
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]{43}$/)
    expect(nonce).not.toBe(await createNonces(RESOURCE, {}).current(T))
  })

  it('work in the year 2040 and far beyond 32 bits', async () => {
    for (const lifetime of [1, 60, 300]) {
      for (const now of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2_208_988_800, 2 ** 32, 9e10]) {
        const nonces = createNonces(RESOURCE, { lifetime })
        const nonce = await nonces.current(now)
        expect(await nonces.accepts(nonce, now)).toBe(true)
        expect(await nonces.accepts(nonce, now + lifetime)).toBe(true)
        expect(await nonces.accepts(nonce, now + 2 * lifetime)).toBe(false)
      }
    }
  })

  it('of one resource are nothing to another, whatever its name', async () => {
    const secrets = [NEW]
    const nonce = await createNonces(RESOURCE, { secrets }).current(T)
    expect(await createNonces(RESOURCE, { secrets }).accepts(nonce, T)).toBe(true)
    for (const other of [`${RESOURCE}/`, 'https://other.example', '', `${RESOURCE}"`]) {
      expect(await createNonces(other, { secrets }).accepts(nonce, T)).toBe(false)
    }
  })

  it('of several instances agree where they share secrets, also while one is rolled over', async () => {
    const before = createNonces(RESOURCE, { secrets: [OLD] })
    const during = createNonces(RESOURCE, { secrets: [NEW, OLD] })
    const after = createNonces(RESOURCE, { secrets: [NEW] })
    expect(await during.accepts(await before.current(T), T)).toBe(true)
    expect(await during.current(T)).toBe(await after.current(T))
    expect(await after.accepts(await before.current(T), T)).toBe(false)
    expect(await during.accepts(await before.current(T - 60), T)).toBe(true)
  })

  it('that were made up are not accepted', async () => {
    const nonces = createNonces(RESOURCE, { secrets: [NEW] })
    const good = await nonces.current(T)
    const altered = [
      good.slice(1),
      good.slice(0, -1),
      `${good}A`,
      `${good}=`,
      ` ${good}`,
      good.toLowerCase(),
      '',
    ]
    for (const nonce of altered) expect(await nonces.accepts(nonce, T), nonce).toBe(false)
    const flipped = good.startsWith('A') ? `B${good.slice(1)}` : `A${good.slice(1)}`
    expect(await nonces.accepts(flipped, T)).toBe(false)
    expect(await nonces.accepts('x'.repeat(1e6), T)).toBe(false)
    await fc.assert(
      fc.asyncProperty(fc.string(), async (nonce) => {
        fc.pre(nonce !== good)
        expect(await nonces.accepts(nonce, T)).toBe(false)
      }),
    )
  })

  it('come back when the clock does', async () => {
    const nonces = createNonces(RESOURCE, {})
    const first = await nonces.current(T)
    await nonces.current(T + 600)
    expect(await nonces.current(T)).toBe(first)
  })
})

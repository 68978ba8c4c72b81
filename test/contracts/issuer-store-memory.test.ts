import { memoryStore } from '@sharkguard/issuer'
import { describe, expect, it } from 'vitest'
import { describeIssuerStore, openMemoryStore } from './issuer-store.ts'

describeIssuerStore('the memory store', async () => openMemoryStore(1_700_000_000))
describeIssuerStore('the memory store past 2106', async () => openMemoryStore(4_300_000_000))

describe('the memory store under a flood', () => {
  it('has room for so many, says when it is full, forgets none that lives, and has room again when they expire', async () => {
    let now = 1000
    const store = memoryStore({ clock: () => now, limits: { claim: 500 } })
    for (let n = 0; n < 500; n++)
      expect(await store.add('claim', `c${n}`, {}, { expiresAt: 1100 })).toBe(true)
    for (let n = 0; n < 500; n++) {
      await expect(store.add('claim', `d${n}`, {}, { expiresAt: 1100 })).rejects.toThrow('full')
      expect(await store.add('claim', `c${n}`, {}, { expiresAt: 1100 })).toBe(false)
    }
    expect(await store.add('secret', 's', { value: 's' })).toBe(true)
    now = 1101
    expect(await store.add('claim', 'e', {}, { expiresAt: 1200 })).toBe(true)
    expect((await store.list('claim')).total).toBe(1)
  })

  it('keeps the newest audit events', async () => {
    const store = memoryStore({ limits: { audit: 100 } })
    for (let n = 0; n < 250; n++) {
      await store.add('audit', `e${n}`, { id: `e${n}`, action: 'x', target: 'y', details: {}, at: n })
    }
    const { data, total } = await store.list('audit', { limit: 1 })
    expect([data[0]?.id, total]).toEqual(['e249', 100])
    expect((await store.list('audit', { offset: 99 })).data[0]?.id).toBe('e150')
  })

  it('frees what has expired long before it is full', async () => {
    let now = 1000
    const store = memoryStore({ clock: () => now, limits: { token: 3000 } })
    const token = {
      gid: 'g',
      clientId: 'c',
      subject: 's',
      issuedAt: 0,
      expiresAt: 0,
      scope: '',
      audience: 'a',
    }
    for (let n = 0; n < 20_000; n++) {
      now += 0.125
      const options = { expiresAt: now + 60, indexes: [`client:${n % 7}`] }
      expect(await store.add('token', `t${n}`, { ...token, jti: `t${n}` }, options)).toBe(true)
    }
    expect((await store.list('token')).total).toBe(480)
  })
})

import { type IssuerStore, memoryStore, type Records, type RevocationRule } from '@sharkguard/issuer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** A store to test, empty, with a clock that the test can move and that may otherwise run. */
export interface IssuerStoreUnderTest {
  readonly store: IssuerStore
  /** Another instance's view of the same store; of a store in memory, the store itself. */
  readonly other: IssuerStore
  /** Seconds since the epoch, as the store sees them. */
  now(): number
  /** Moves the clock forward. */
  pass(seconds: number): Promise<void> | void
  close(): Promise<void> | void
}

const connection = (id: string, provider = id): Records['vault'] => ({
  id,
  provider,
  userId: 'u',
  usedBy: [],
})
const rule = (v: string, x: number): RevocationRule => ({ k: 'jti', v, x })

/** What every store must do: the contract of `IssuerStore`. */
export function describeIssuerStore(name: string, open: () => Promise<IssuerStoreUnderTest>): void {
  describe(`${name} keeps the contract of an issuer's store:`, () => {
    let subject: IssuerStoreUnderTest
    let store: IssuerStore
    let other: IssuerStore

    beforeEach(async () => {
      subject = await open()
      store = subject.store
      other = subject.other
    })
    afterEach(() => subject.close())

    describe('records', () => {
      it('what was added is there, for every instance, in its kind only', async () => {
        expect(await store.get('vault', 'a')).toBeUndefined()
        expect(await store.add('vault', 'a', connection('a'))).toBe(true)
        expect(await store.get('vault', 'a')).toEqual(connection('a'))
        expect(await other.get('vault', 'a')).toEqual(connection('a'))
        expect(await store.get('client', 'a')).toBeUndefined()
        expect(await store.get('vault', 'A')).toBeUndefined()
      })

      it('ids and texts are any text', async () => {
        const texts = [
          'https://a.example/client?x=1#%20',
          'a:b c',
          '💥\u0000\n"\\',
          '{}',
          '*',
          '__proto__',
          'toString',
        ]
        for (const text of texts) expect(await store.add('vault', text, connection(text))).toBe(true)
        for (const text of texts) expect(await other.get('vault', text)).toEqual(connection(text))
        expect((await store.list('vault')).total).toBe(texts.length)
      })

      it('indexes are any text, half a surrogate pair too, and expire with what they find', async () => {
        for (const text of ['a:b c', '💥\u0000\n"\\', '\ud800', 'x\udc00y']) {
          const options = { indexes: [text], expiresAt: subject.now() + 10 }
          expect(await store.add('vault', text, connection(text), options)).toBe(true)
          expect((await other.list('vault', { index: text })).total).toBe(1)
        }
        await subject.pass(11)
        expect(await store.add('vault', 'later', connection('later'))).toBe(true)
        expect((await other.list('vault')).total).toBe(1)
      })

      it('numbers, nested members, empty lists and booleans come back as they were', async () => {
        const event: Records['audit'] = {
          id: 'a',
          action: 'x',
          target: 'y',
          at: 1_700_000_000.25,
          details: { deep: [{ er: [] }, {}, null, -0.5, true, ''], big: 9_007_199_254_740_991 },
        }
        await store.add('audit', 'a', event)
        expect(await other.get('audit', 'a')).toEqual(event)
      })

      it('what one holds is not what is kept', async () => {
        const record = { ...connection('a') }
        await store.add('vault', 'a', record)
        Object.assign(record, { provider: 'changed' })
        const got = (await store.get('vault', 'a')) as { provider: string }
        got.provider = 'changed'
        expect(await store.get('vault', 'a')).toEqual(connection('a'))
      })

      it('the first to add wins, among 100 at once as well, and the others change nothing', async () => {
        expect(await store.add('vault', 'a', connection('a', 'first'))).toBe(true)
        expect(await other.add('vault', 'a', connection('a', 'second'), { indexes: ['i'] })).toBe(false)
        expect(await store.get('vault', 'a')).toEqual(connection('a', 'first'))
        expect(await store.list('vault', { index: 'i' })).toEqual({ data: [], total: 0 })
        const added = await Promise.all(
          Array.from({ length: 100 }, (_, n) => (n % 2 ? store : other).add('claim', 'c', {})),
        )
        expect(added.filter(Boolean)).toHaveLength(1)
      })

      it('one caller takes a record, among 100 at once as well', async () => {
        expect(await store.take('vault', 'a')).toBeUndefined()
        await store.add('vault', 'a', connection('a'), { indexes: ['i'] })
        const taken = await Promise.all(
          Array.from({ length: 100 }, (_, n) => (n % 2 ? store : other).take('vault', 'a')),
        )
        expect(taken.filter((record) => record !== undefined)).toEqual([connection('a')])
        expect(await store.get('vault', 'a')).toBeUndefined()
        expect(await store.list('vault')).toEqual({ data: [], total: 0 })
        expect(await store.list('vault', { index: 'i' })).toEqual({ data: [], total: 0 })
        expect(await store.add('vault', 'a', connection('a', 'again'))).toBe(true)
        expect(await other.get('vault', 'a')).toEqual(connection('a', 'again'))
      })
    })

    describe('changes', () => {
      it('gives what was written; nothing, and calls nobody, where there is no record', async () => {
        await store.add('vault', 'a', connection('a'))
        const changed = await other.update('vault', 'a', (old) => ({ ...old, provider: `${old.provider}!` }))
        expect(changed).toEqual(connection('a', 'a!'))
        expect(await store.get('vault', 'a')).toEqual(connection('a', 'a!'))
        expect(await store.update('vault', 'b', () => expect.unreachable())).toBeUndefined()
        expect(await store.get('vault', 'b')).toBeUndefined()
      })

      it('of 50 changes at once none is lost', async () => {
        await store.add('vault', 'a', connection('a', '0'))
        await Promise.all(
          Array.from({ length: 50 }, (_, n) =>
            (n % 2 ? store : other).update('vault', 'a', (old) =>
              connection('a', String(Number(old.provider) + 1)),
            ),
          ),
        )
        expect(await store.get('vault', 'a')).toEqual(connection('a', '50'))
      })

      it('of 50 that would be first, one is: the others see what it did, and change nothing by throwing', async () => {
        await store.add('vault', 'a', connection('a', 'unused'))
        const outcomes = await Promise.allSettled(
          Array.from({ length: 50 }, (_, n) =>
            (n % 2 ? store : other).update('vault', 'a', (old) => {
              if (old.provider !== 'unused') throw new RangeError('used')
              return connection('a', `used by ${n}`)
            }),
          ),
        )
        const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
        expect(won).toHaveLength(1)
        expect(await store.get('vault', 'a')).toEqual(won[0]?.value)
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RangeError)
        }
      })
    })

    describe('time', () => {
      it('a record is there until it expires, and then there is room for another', async () => {
        const expiresAt = subject.now() + 100
        await store.add('vault', 'a', connection('a'), { expiresAt, indexes: ['i'] })
        await store.add('vault', 'b', connection('b'), { indexes: ['i'] })
        await subject.pass(95)
        expect(await store.get('vault', 'a')).toEqual(connection('a'))
        expect(await store.add('vault', 'a', connection('a', 'other'))).toBe(false)
        await subject.pass(6)
        expect(await other.get('vault', 'a')).toBeUndefined()
        expect(await other.take('vault', 'a')).toBeUndefined()
        expect(await other.update('vault', 'a', (old) => old)).toBeUndefined()
        expect(await other.list('vault')).toEqual({ data: [connection('b')], total: 1 })
        expect(await other.list('vault', { index: 'i' })).toEqual({ data: [connection('b')], total: 1 })
        expect(await other.add('vault', 'a', connection('a', 'other'))).toBe(true)
        expect(await store.get('vault', 'a')).toEqual(connection('a', 'other'))
        expect(await store.list('vault', { index: 'i' })).toEqual({ data: [connection('b')], total: 1 })
      })

      it('a change leaves the expiry where it is, moves it, or takes it away', async () => {
        const expiresAt = subject.now() + 100
        for (const id of ['same', 'later', 'sooner', 'never'])
          await store.add('vault', id, connection(id), { expiresAt })
        await store.update('vault', 'same', (old) => old)
        await store.update('vault', 'later', (old) => old, expiresAt + 100)
        await store.update('vault', 'sooner', (old) => old, expiresAt - 50)
        await store.update('vault', 'never', (old) => old, Number.POSITIVE_INFINITY)
        const there = async () => (await other.list('vault')).data.map(({ id }) => id)
        expect(await there()).toEqual(['never', 'sooner', 'later', 'same'])
        await subject.pass(60)
        expect(await there()).toEqual(['never', 'later', 'same'])
        await subject.pass(60)
        expect(await there()).toEqual(['never', 'later'])
        await subject.pass(100)
        expect(await there()).toEqual(['never'])
        await subject.pass(1e9)
        expect(await there()).toEqual(['never'])
      })
    })

    describe('lists', () => {
      it('give pages, newest first, and how many there are', async () => {
        for (let n = 0; n < 12; n++) {
          await store.add('vault', `u${n}`, connection(`u${n}`), { indexes: n % 3 ? ['a', 'b'] : ['b'] })
        }
        const ids = async (options: Parameters<IssuerStore['list']>[1]) => {
          const { data, total } = await other.list('vault', options)
          return [data.map((found) => (found as { id: string }).id).join(' '), total]
        }
        expect(await ids({ limit: 3 })).toEqual(['u11 u10 u9', 12])
        expect(await ids({ limit: 3, offset: 10 })).toEqual(['u1 u0', 12])
        expect(await ids({ limit: 3, offset: 12 })).toEqual(['', 12])
        expect(await ids({ index: 'a', limit: 3 })).toEqual(['u11 u10 u8', 8])
        expect(await ids({ index: 'a', limit: 3, offset: 6 })).toEqual(['u2 u1', 8])
        expect(await ids({ index: 'c' })).toEqual(['', 0])
        expect((await store.list('client', { index: 'a' })).total).toBe(0)
      })

      it('count neither what has expired nor what was taken, wherever in the list it was', async () => {
        const soon = Math.floor(subject.now()) + 10
        for (let n = 0; n < 20; n++) {
          const expiry = n % 4 === 1 ? { expiresAt: soon } : {}
          await store.add('vault', `u${n}`, connection(`u${n}`), { indexes: ['i'], ...expiry })
        }
        for (const n of [0, 10, 19]) await store.take('vault', `u${n}`)
        await subject.pass(11)
        const left = ['u18', 'u16', 'u15', 'u14', 'u12', 'u11', 'u8', 'u7', 'u6', 'u4', 'u3', 'u2']
        for (const index of [undefined, 'i']) {
          for (let offset = 0; offset <= 15; offset += 5) {
            const { data, total } = await other.list('vault', {
              ...(index === undefined ? {} : { index }),
              offset,
              limit: 5,
            })
            expect(data.map((found) => (found as { id: string }).id)).toEqual(left.slice(offset, offset + 5))
            expect(total).toBe(12)
          }
        }
      })

      it('are 50 long by default', async () => {
        for (let n = 0; n < 60; n++) await store.add('vault', `u${n}`, connection(`u${n}`))
        const { data, total } = await other.list('vault')
        expect([data.length, total]).toEqual([50, 60])
      })

      it('keep the place of what changes', async () => {
        for (const id of ['a', 'b', 'c']) await store.add('vault', id, connection(id), { indexes: ['i'] })
        await store.update('vault', 'a', () => connection('a', 'changed'))
        const expected = { data: [connection('c'), connection('b'), connection('a', 'changed')], total: 3 }
        expect(await other.list('vault', { index: 'i' })).toEqual(expected)
        expect(await other.list('vault')).toEqual(expected)
      })
    })

    describe('rules', () => {
      it('have a sequence of their own, and are given after any number', async () => {
        const x = Math.floor(subject.now()) + 1000
        expect(await store.rulesSince(0)).toEqual({ seq: 0, rules: [] })
        expect(await store.appendRules([rule('a', x), rule('b', x)])).toBe(2)
        const chained: RevocationRule = { k: 'cid', v: 'c', b: x - 999, x, c: true }
        expect(await other.appendRules([chained])).toBe(3)
        expect(await store.rulesSince(0)).toEqual({ seq: 3, rules: [rule('a', x), rule('b', x), chained] })
        expect(await other.rulesSince(2)).toEqual({ seq: 3, rules: [chained] })
        expect(await store.rulesSince(3)).toEqual({ seq: 3, rules: [] })
        expect(await store.rulesSince(99)).toEqual({ seq: 3, rules: [] })
      })

      it('none is lost, and none has the number of another, when 50 come at once', async () => {
        const x = Math.floor(subject.now()) + 1000
        const numbers = await Promise.all(
          Array.from({ length: 50 }, (_, n) => (n % 2 ? store : other).appendRules([rule(`r${n}`, x)])),
        )
        expect(new Set(numbers).size).toBe(50)
        const { seq, rules } = await store.rulesSince(0)
        expect(seq).toBe(50)
        expect(numbers.map((number) => rules[number - 1]?.v)).toEqual(numbers.map((_, n) => `r${n}`))
      })

      it('go when they expire, and the number stays', async () => {
        const now = Math.floor(subject.now())
        await store.appendRules([rule('short', now + 100), rule('long', now + 1000)])
        await subject.pass(101)
        expect(await other.rulesSince(0)).toEqual({ seq: 2, rules: [rule('long', now + 1000)] })
        await subject.pass(1000)
        expect(await store.rulesSince(0)).toEqual({ seq: 2, rules: [] })
        expect(await store.appendRules([rule('new', now + 9000)])).toBe(3)
      })

      it('whoever waits is woken by the next one, by the time, and by the signal', async () => {
        const x = Math.floor(subject.now()) + 1000
        const never = new AbortController().signal
        const waiting = Promise.all([store, other].map((view) => view.waitForRules(0, 20, never)))
        await store.appendRules([rule('a', x)])
        await waiting
        await other.waitForRules(0, 20, never)
        await store.waitForRules(1, 0.05, never)
        await store.waitForRules(1, 20, AbortSignal.abort())
        const gone = new AbortController()
        const left = other.waitForRules(1, 20, gone.signal)
        gone.abort()
        await left
      })
    })
  })
}

/** The memory store, with a clock of its own. */
export function openMemoryStore(epoch: number): IssuerStoreUnderTest {
  let now = epoch
  const store = memoryStore({ clock: () => now })
  return {
    store,
    other: store,
    now: () => now,
    pass(seconds) {
      now += seconds
    },
    close() {},
  }
}

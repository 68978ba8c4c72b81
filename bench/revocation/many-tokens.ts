import { randomBytes } from 'node:crypto'
import { deflateSync, gzipSync } from 'node:zlib'
import { revocationList, statusList } from '@sharkguard/core'
import { memory } from '../scale/dimension.ts'
import { contextOf, ISSUER, listOf, tokenOf } from './context.ts'
import type { Table } from './table.ts'

const TOKENS = 100_000_000
const SIZE = 2 ** 22
const LISTS = Math.ceil(TOKENS / SIZE)

/** A hundred million live tokens, some of them revoked, each by itself: as status lists, and as rules. */
export async function manyTokens(): Promise<Table> {
  const rows: string[][] = []
  for (const part of [0.0001, 0.001, 0.01]) rows.push(await asStatusLists(part))
  for (const part of [0.0001, 0.001, 0.004]) rows.push(await asRules(part))
  rows.push([
    'rules, 1.00 %',
    '1,000,000',
    `${mb(1_000_000 * 66 * (4 / 3))}: more than a list may have (32 MB)`,
    '',
    '',
    '',
  ])
  rows.push(['rules, by agent, user or pattern', 'any number', 'some 70 bytes', '', '', ''])
  return {
    title: '100,000,000 live tokens',
    head: ['how', 'revoked', 'on the wire', 'compressed', 'applied in', 'memory at the guard'],
    rows,
  }
}

async function asStatusLists(part: number): Promise<string[]> {
  const bits = new Uint8Array(SIZE / 8)
  for (let n = 0; n < SIZE * part; n++) {
    const index = randomBytes(4).readUInt32LE() % SIZE
    bits[index >> 3] = (bits[index >> 3] as number) | (1 << (index & 7))
  }
  const lst = deflateSync(bits, { level: 6 }).toString('base64url')
  const answer = (uri: string) => {
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: ISSUER, sub: uri, iat, exp: iat + 600, ttl: 300, status_list: { bits: 1, lst } }
    return JSON.stringify(claims)
  }
  const wire = (answer(ISSUER).length * 4) / 3
  const feed = statusList().open(contextOf(answer))
  const [time, memory] = await measure(async () => {
    for (let n = 0; n < LISTS; n++) {
      const status = { status_list: { idx: 1, uri: `${ISSUER}/status/${n}` } }
      await feed.check(tokenOf(n, { status }), '')
    }
  })
  feed.close()
  return [
    `status lists, ${(part * 100).toFixed(2)} %, ${LISTS} of ${SIZE.toLocaleString('en')}`,
    (TOKENS * part).toLocaleString('en'),
    mb(wire * LISTS),
    'as it is',
    time,
    memory,
  ]
}

async function asRules(part: number): Promise<string[]> {
  const now = Math.floor(Date.now() / 1000)
  const count = TOKENS * part
  const rule = () => ({ k: 'jti', v: randomBytes(15).toString('base64url'), x: now + 900 })
  let list = listOf(`${ISSUER}/`, () => Array.from({ length: count }, rule))
  const sizes = [mb((list.length * 4) / 3), mb(gzipSync(Buffer.from(list).toString('base64url')).length)]
  const feed = revocationList().open(
    contextOf((url) => {
      const answer = new URL(url).searchParams.has('since') ? listOf(url, () => []) : list
      list = ''
      return answer
    }),
  )
  const [time, memory] = await measure(() => feed.ready())
  if (feed.check(tokenOf(1), '') !== 'active') throw new Error('refused')
  feed.close()
  return [`rules, ${(part * 100).toFixed(2)} %`, count.toLocaleString('en'), ...sizes, time, memory]
}

/** @returns how long it took, and how much memory is taken afterwards that was not before */
async function measure(work: () => Promise<unknown>): Promise<[string, string]> {
  const before = await memory()
  const started = performance.now()
  await work()
  const time = performance.now() - started
  return [`${time.toFixed(0)} ms`, mb((await memory()).heap - before.heap)]
}

function mb(bytes: number): string {
  return bytes < 2 ** 19 ? `${(bytes / 1024).toFixed(0)} KB` : `${(bytes / 2 ** 20).toFixed(1)} MB`
}

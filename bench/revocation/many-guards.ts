import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from '@sharkguard/agent'
import { quantile } from '../measure.ts'
import { Part, startIssuerPart } from './processes.ts'
import type { Table } from './table.ts'

interface Usage {
  /** Seconds. */
  readonly cpu: number
  /** Bytes. */
  readonly rss: number
  readonly asked: number
}

const QUIET = 20
const REVOCATIONS = 50

/** Many guards' sources that follow one issuer, all of them in one process, the issuer in another. */
export async function manyGuards(count: number): Promise<Table> {
  const issuer = await startIssuerPart()
  const { url, adminKey } = issuer.hello
  const empty = await issuer.ask<Usage>('usage')
  const guards = await Part.start<{ guards: number }>('guards-process', url, `${count}`)
  const before = await issuer.ask<Usage>('usage')
  await sleep(QUIET * 1000)
  const after = await issuer.ask<Usage>('usage')

  const admin = new AdminClient({ baseUrl: url, adminKey })
  const calls: number[] = []
  const last: number[] = []
  const each: number[] = []
  let reached = 0
  await guards.ask('arrivals')
  for (let n = 0; n < REVOCATIONS; n++) {
    const started = performance.timeOrigin + performance.now()
    await admin.revokeByPattern({ pattern: `bench-${n}` })
    const answered = performance.timeOrigin + performance.now()
    const arrivals = (await guards.ask<number[]>('arrivals')).map((at) => at - started)
    calls.push(answered - started)
    each.push(...arrivals)
    last.push(Math.max(...arrivals))
    reached += arrivals.length
    await sleep(100)
  }
  const own = await guards.ask<Usage>('usage')
  for (const part of [issuer, guards]) part.stop()

  const ms = (values: number[], q: number) =>
    `${quantile(
      values.sort((a, b) => a - b),
      q,
    ).toFixed(0)} ms`
  const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MB`
  const cpu = ((after.cpu - before.cpu) / QUIET) * 100
  return {
    title: `${count} guards on one issuer`,
    head: ['what', 'value'],
    rows: [
      ['questions when nothing happens', `${((after.asked - before.asked) / QUIET).toFixed(0)} a second`],
      ['CPU of the issuer then', `${cpu.toFixed(0)} % of a core`],
      ['memory of the issuer, more than alone', mb(after.rss - empty.rss)],
      ['memory of the process with all sources', mb(own.rss)],
      ['revocation → guard, p50 / p99 of all', `${ms(each, 0.5)} / ${ms(each, 0.99)}`],
      ['revocation → last guard, p50 / p99', `${ms(last, 0.5)} / ${ms(last, 0.99)}`],
      ['revoking call, p50 / p99', `${ms(calls, 0.5)} / ${ms(calls, 0.99)}`],
      ['guards that had it when the call was answered', `${reached} of ${count * REVOCATIONS}`],
    ],
  }
}

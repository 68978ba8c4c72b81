import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from '@sharkguard/agent'
import { quantile } from '../measure.ts'
import { wallClock } from './load.ts'
import { Part, startIssuerPart } from './processes.ts'
import type { Table } from './table.ts'

interface Usage {
  /** Seconds. */
  readonly cpu: number
  /** Bytes. */
  readonly rss: number
  readonly asked: number
}

/** What the issuer and all guards have used. */
interface Reading {
  readonly at: number
  readonly issuer: Usage
  /** Seconds of CPU. */
  readonly guards: number
}

const QUIET = 20
const REVOCATIONS = 50
/** As many as have something to do at once on a small machine. */
const PROCESSES = 4
/** Milliseconds. */
const GIVE_UP = 20_000

/** Many guards' sources that follow one issuer: in a few processes, the issuer in one of its own. */
export async function manyGuards(count: number): Promise<Table> {
  const issuer = await startIssuerPart()
  const { url, adminKey } = issuer.hello
  const empty = await issuer.ask<Usage>('usage')
  const share = `${Math.ceil(count / PROCESSES)}`
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, () => Part.start<{ guards: number }>('guards-process', url, share)),
  )
  const guards = processes.reduce((sum, { hello }) => sum + hello.guards, 0)
  const ask = <Answer>(question: string) => Promise.all(processes.map((part) => part.ask<Answer>(question)))
  const read = async (): Promise<Reading> => {
    const usages = await ask<Usage>('usage')
    return {
      at: wallClock(),
      issuer: await issuer.ask<Usage>('usage'),
      guards: usages.reduce((sum, { cpu }) => sum + cpu, 0),
    }
  }

  const before = await read()
  await sleep(QUIET * 1000)
  const idle = await read()

  const admin = new AdminClient({ baseUrl: url, adminKey })
  const calls: number[] = []
  const last: number[] = []
  const each: number[] = []
  let reached = 0
  for (let n = 0; n < REVOCATIONS; n++) {
    const started = wallClock()
    await admin.revokeByPattern({ pattern: `bench-${n}` })
    const answered = wallClock()
    const arrivals: number[] = []
    while (arrivals.length < guards) {
      if (wallClock() > answered + GIVE_UP) throw new Error('a revocation does not arrive everywhere')
      await sleep(100)
      arrivals.push(...(await ask<number[]>('arrivals')).flat())
    }
    calls.push(answered - started)
    each.push(...arrivals.map((at) => at - started))
    last.push(Math.max(...arrivals) - started)
    reached += arrivals.filter((at) => at <= answered).length
  }
  const busy = await read()
  for (const part of [issuer, ...processes]) part.stop()

  /** CPU that a revocation takes, more than had nothing happened. */
  const cost = (of: (reading: Reading) => number) => {
    const share = (of(idle) - of(before)) / (idle.at - before.at)
    const extra = of(busy) - of(idle) - share * (busy.at - idle.at)
    return `${((extra * 1000) / REVOCATIONS).toFixed(0)} ms`
  }
  const ms = (values: number[], q: number) =>
    `${quantile(
      values.sort((a, b) => a - b),
      q,
    ).toFixed(0)} ms`
  const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MB`
  const asked = ((idle.issuer.asked - before.issuer.asked) * 1000) / (idle.at - before.at)
  const cpu = ((idle.issuer.cpu - before.issuer.cpu) * 1e5) / (idle.at - before.at)
  return {
    title: `${guards} guards in ${PROCESSES} processes on one issuer`,
    head: ['what', 'value'],
    rows: [
      ['questions when nothing happens', `${asked.toFixed(0)} a second`],
      ['CPU of the issuer then', `${cpu.toFixed(0)} % of a core`],
      ['memory of the issuer, more than alone', mb(idle.issuer.rss - empty.rss)],
      ['CPU of the issuer for a revocation', cost(({ issuer }) => issuer.cpu)],
      ['CPU of all guards together for it', cost(({ guards }) => guards)],
      ['revocation → guard, p50 / p99 of all', `${ms(each, 0.5)} / ${ms(each, 0.99)}`],
      ['revocation → last guard, p50 / p99', `${ms(last, 0.5)} / ${ms(last, 0.99)}`],
      ['revoking call, p50 / p99', `${ms(calls, 0.5)} / ${ms(calls, 0.99)}`],
      ['guards that had it when the call was answered', `${reached} of ${guards * REVOCATIONS}`],
    ],
  }
}

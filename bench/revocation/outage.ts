import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from '@sharkguard/agent'
import { startRedis } from '../redis-server.ts'
import { callUntilRefused, createCaller, type Scene } from './caller.ts'
import { type Answer, Load, wallClock } from './load.ts'
import { startGuardPart, startIssuerPart } from './processes.ts'
import type { Table } from './table.ts'

/** Seconds between the kill and the start. */
const OUTAGES = [50, 70] as const
const AGENTS = 10
/** Valid requests a second to each guard. */
const RATE = 100
/** Seconds for which a list decides, and what clocks of several processes and a busy machine may add. */
const DECIDES = 60
const EARLY = 0.05
const LATE = 1
/** Seconds from the issuer's first answer to each guard's, at most: the longest pause between two attempts, and the attempt. */
const RECOVERS = 6
/** Seconds before each kill and after each start. */
const CALM = 5

/** One outage. Times in milliseconds since the epoch. */
interface Course {
  readonly seconds: number
  readonly from: number
  readonly killedAt: number
  /** The issuer answers again. */
  readonly backAt: number
  readonly to: number
  /** From the answer to the revoking call to the refusal, at each guard, and how often the token was let in between. */
  readonly afterwards: { readonly times: readonly number[]; readonly late: number }
}

/** What one guard did in one outage. */
interface Conduct {
  readonly valid: readonly Answer[]
  /** Seconds. */
  readonly ageAtKill: number
  readonly firstRefusal: { readonly sinceKill: number; readonly sinceList: number } | undefined
  readonly untilList: number
  readonly untilLetIn: number
  readonly broken: readonly string[]
}

/**
 * The issuer is killed under load and started again, with what it keeps in Redis, while two guards, each in a process of its
 * own, go on. After 50 seconds nobody must notice; after 70, valid tokens must meet 503, never 401, from when the last list is
 * a minute old until the issuer is back.
 */
export async function outage(): Promise<Table> {
  const redis = await startRedis()
  if (redis === undefined) throw new Error('outage: there is no redis-server on the PATH')
  try {
    return await observe(redis.url)
  } finally {
    redis.stop()
  }
}

async function observe(redis: string): Promise<Table> {
  let issuer = await startIssuerPart({ redis })
  const { url, adminKey } = issuer.hello
  const order = { redis, adminKey, port: Number(new URL(url).port) }
  const guards = await Promise.all([startGuardPart(url), startGuardPart(url)])
  const resources = guards.map(({ hello }) => hello.resource)
  const scene = { issuer: url, admin: new AdminClient({ baseUrl: url, adminKey }), resources }
  const revoked = await createCaller(scene)
  await scene.admin.revokeToken(revoked.token)
  const honest = await Promise.all(Array.from({ length: AGENTS }, () => createCaller(scene)))

  const load = new Load(resources, honest, RATE)
  const intruder = new Load(resources, [revoked], 1)
  const courses: Course[] = []
  try {
    for (const seconds of OUTAGES) {
      const from = wallClock()
      await sleep(CALM * 1000)
      const killedAt = wallClock()
      await issuer.crash()
      await sleep(killedAt + seconds * 1000 - wallClock())
      issuer = await startIssuerPart(order)
      const backAt = wallClock()
      await sleep((RECOVERS + CALM) * 1000)
      const afterwards = await revokeOne(scene)
      courses.push({ seconds, from, killedAt, backAt, to: wallClock(), afterwards })
    }
    await Promise.all([load.stop(), intruder.stop()])
    const heard = await Promise.all(guards.map((guard) => guard.ask<number[]>('heard')))
    return tabulate(courses, heard, load.answers, intruder.answers)
  } finally {
    for (const part of [issuer, ...guards]) part.stop()
  }
}

async function revokeOne(scene: Scene): Promise<Course['afterwards']> {
  const caller = await createCaller(scene)
  await scene.admin.revokeToken(caller.token)
  const answered = performance.now()
  const times: number[] = []
  let late = 0
  await Promise.all(
    scene.resources.map(async (resource) => {
      late += await callUntilRefused(resource, caller)
      times.push(performance.now() - answered)
    }),
  )
  return { times, late }
}

function conductOf(
  { seconds, from, killedAt, backAt, to }: Course,
  heard: readonly number[],
  answers: readonly Answer[],
): Conduct {
  const valid = answers.filter(({ sentAt }) => sentAt >= from && sentAt < to).sort((a, b) => a.at - b.at)
  const lastList = heard.findLast((at) => at < killedAt) ?? Number.NaN
  const nextList = heard.find((at) => at > backAt) ?? Number.NaN
  const refused = valid.filter(({ status }) => status !== 200)
  const [first] = refused
  const letIn = valid.find(({ status, at }) => status === 200 && at > backAt)?.at ?? Number.NaN
  const known = lastList + DECIDES * 1000

  const broken: string[] = []
  const forbid = (count: number, what: string) => count > 0 && broken.push(`${seconds} s: ${count} ${what}`)
  forbid(refused.filter(({ at }) => at < known - EARLY * 1000).length, 'refused while the list decides')
  forbid(refused.filter(({ status }) => status !== 503).length, 'answered neither 200 nor 503')
  forbid(
    refused.filter(({ retryAfter }) => !(retryAfter >= 1)).length,
    '503 that do not say when to come back',
  )
  forbid(refused.filter(({ sentAt }) => sentAt > letIn).length, 'refused after the guard had recovered')
  const isUnknown = ({ sentAt, at }: Answer) => sentAt > known + LATE * 1000 && at < backAt
  forbid(valid.filter((each) => each.status === 200 && isUnknown(each)).length, 'let in without a list')
  forbid(letIn - backAt <= RECOVERS * 1000 ? 0 : 1, 'guard that does not recover in time')
  forbid(seconds < DECIDES ? refused.length : 0, 'refused in so short an outage')
  forbid(seconds > DECIDES && first === undefined ? 1 : 0, 'guard that never refuses')
  return {
    valid,
    ageAtKill: (killedAt - lastList) / 1000,
    firstRefusal: first && {
      sinceKill: (first.at - killedAt) / 1000,
      sinceList: (first.at - lastList) / 1000,
    },
    untilList: (nextList - backAt) / 1000,
    untilLetIn: (letIn - backAt) / 1000,
    broken,
  }
}

function tabulate(
  courses: readonly Course[],
  heard: readonly (readonly number[])[],
  answers: readonly Answer[],
  ofRevoked: readonly Answer[],
): Table {
  const broken: string[] = []
  const columns = courses.map((course) => {
    const conducts = heard.map((lists, guard) =>
      conductOf(
        course,
        lists,
        answers.filter((answer) => answer.guard === guard),
      ),
    )
    const valid = conducts.flatMap((conduct) => conduct.valid)
    const refused = valid.filter(({ status }) => status !== 200)
    const refusals = conducts.flatMap(({ firstRefusal }) => firstRefusal ?? [])
    const intrusions = ofRevoked.filter(({ sentAt }) => sentAt >= course.from && sentAt < course.to)
    const notRefused = intrusions.filter(({ status }) => status !== 401).length
    const { times, late } = course.afterwards
    for (const conduct of conducts) broken.push(...conduct.broken)
    if (notRefused > 0) broken.push(`${course.seconds} s: ${notRefused} of a revoked token not answered 401`)
    if (late > 0) broken.push(`${course.seconds} s: ${late} let in after the answer to the revoking call`)
    return [
      `killed for ${course.seconds} s`,
      valid.length.toLocaleString('en'),
      refused.length.toLocaleString('en'),
      `${refused.filter(({ status }) => status !== 503).length}`,
      `${notRefused} of ${intrusions.length}`,
      each(conducts.map(({ ageAtKill }) => ageAtKill)),
      each(refusals.map(({ sinceKill }) => sinceKill)),
      each(refusals.map(({ sinceList }) => sinceList)),
      span(refused.map(({ retryAfter }) => retryAfter)),
      ((course.backAt - course.killedAt) / 1000).toFixed(1),
      each(conducts.map(({ untilList }) => untilList)),
      refused.length === 0 ? '–' : each(conducts.map(({ untilLetIn }) => untilLetIn)),
      each(times),
      `${late}`,
    ]
  })
  const names = [
    `two guards, ${RATE} valid requests a second each`,
    'valid requests',
    'refused',
    'of these answered other than 503',
    'token revoked before, not answered 401',
    'age of the list at the kill, s',
    'kill → first 503, s',
    'last list → first 503, s',
    '`Retry-After`, s',
    'kill → issuer answers again, s',
    'issuer answers → guard has a list, s',
    'issuer answers → first 200, s',
    'revoked afterwards: call answered → refused, ms',
    'let in after the answer',
  ]
  const [head = [], ...rows] = names.map((name, row) => [name, ...columns.map((column) => column[row] ?? '')])
  return { title: 'The issuer killed under load, and started again', head, rows, broken }
}

/** A figure of each guard. */
function each(values: readonly number[]): string {
  return values.length === 0 ? '–' : values.map((value) => value.toFixed(1)).join(' / ')
}

function span(values: readonly number[]): string {
  return values.length === 0 ? '–' : `${Math.min(...values)} to ${Math.max(...values)}`
}

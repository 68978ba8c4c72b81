import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startIssuer } from '@sharkguard/issuer'
import { startRedis } from '../support/redis-server.ts'
import { Fleet } from './fleet.ts'
import { GuardProcess } from './guard-process.ts'
import { measureCapacity, OpenLoad } from './load.ts'
import { writeReport } from './report.ts'
import { createSend, type Send } from './send.ts'
import { createTraffic, type Kind } from './traffic.ts'
import { judge } from './verdict.ts'

const RESOURCE = 'https://mcp.example.com/mcp'
const SHARE = 0.8
const SAMPLE_EVERY = 5

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    agents: { type: 'string', default: '60' },
    report: { type: 'string' },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new TypeError('--minutes: expected a number above 0')

/** What is to be stopped at the end, however it comes. */
const started: (() => unknown)[] = []
try {
  const redis = await startRedis()
  started.push(() => redis.stop())
  const issuer = await startIssuer()
  started.push(() => issuer.close())
  const environment = { RESOURCE, ISSUER: issuer.url, REDIS: redis.url }
  const processes = await Promise.all([GuardProcess.start(environment), GuardProcess.start(environment)])
  started.push(() => Promise.all(processes.map((each) => each.stop())))
  const fleet = await Fleet.create(issuer, RESOURCE, Number(values.agents))

  let answered = 0
  const wire = createSend(
    processes.map(({ port }) => port),
    new URL(RESOURCE).pathname,
  )
  const send: Send = async (...request) => {
    const answer = await wire(...request)
    answered++
    return answer
  }
  const traffic = await createTraffic(fleet, send)

  // A store that has just started refuses what might have been used before it did.
  const [honest] = traffic as [Kind]
  const deadline = Date.now() + 120_000
  while ((await honest.run()) !== undefined) {
    if (Date.now() > deadline) throw new Error('no honest request gets in')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }

  await measureCapacity(honest, 3, 32)
  const capacity = await measureCapacity(honest, 8, 32)
  const rate = capacity * SHARE
  console.error(`capacity ${capacity.toFixed(0)} requests a second; ${minutes} minutes at ${rate.toFixed(0)}`)

  const load = new OpenLoad(traffic)
  await load.run(rate, minutes * 60, async (second) => {
    await fleet.live(second)
    if (second % SAMPLE_EVERY === 0) await Promise.all(processes.map((each) => each.sample()))
    if (second % 60 === 59)
      console.error(`minute ${(second + 1) / 60}: ${answered} answers, ${load.underWay} under way`)
  })

  const decided = (await Promise.all(processes.map((each) => each.decided()))).reduce((a, b) => a + b)
  const findings = judge(load, processes, answered, decided)
  const course = {
    minutes,
    capacity,
    rate,
    redis: {
      keys: redis.command('DBSIZE'),
      memory: /used_memory_human:(\S+)/.exec(redis.command('INFO', 'memory'))?.[1] ?? '',
    },
  }
  const report = writeReport(course, load, fleet, findings)
  console.log(report)
  if (values.report !== undefined) writeFileSync(values.report, report)

  process.exitCode = findings.wrong.length === 0 ? 0 : 1
  wire.close()
} finally {
  for (const stop of started.reverse()) await stop()
}

import { cpus } from 'node:os'
import type { Fleet } from './fleet.ts'
import type { OpenLoad } from './load.ts'
import { type Findings, megabytes } from './verdict.ts'

export interface Course {
  readonly minutes: number
  /** Requests per second. */
  readonly capacity: number
  readonly rate: number
  /** Keys and bytes in Redis at the end. */
  readonly redis: { readonly keys: string; readonly memory: string }
}

/** The run as a page of the docs. */
export function writeReport(course: Course, load: OpenLoad, fleet: Fleet, findings: Findings): string {
  const { sent, answered, decided, mistakes, memory, wrong } = findings
  const latencies = [...load.latencies].sort((a, b) => a - b)
  const quantile = (q: number) => (latencies[Math.floor(latencies.length * q)] ?? 0).toFixed(1)
  const honest = load.outcomes.get('honest')
  const falseRefusals = [...(honest?.wrong.values() ?? [])].reduce((sum, count) => sum + count, 0)
  return [
    '# Soak',
    '',
    'Two guarded processes with one Redis, an issuer that rotates its keys and revokes, honest agents and everything that a thief,',
    'a fool and a flood send beside them, at 80 % of what the machine can do with honest requests alone. Run by `pnpm soak`, which',
    'writes this page with `--report docs/soak.md`.',
    '',
    `**${wrong.length === 0 ? 'As it should be' : 'NOT as it should be'}**: ${course.minutes} minutes, Node ${process.versions.node}, ${cpus().length} cores that also made the load, ${new Date().toISOString().slice(0, 10)}.`,
    '',
    '| | |',
    '|---|---|',
    `| capacity, then rate | ${course.capacity.toFixed(0)}, then ${course.rate.toFixed(0)} requests a second |`,
    `| requests sent, answered, decided | ${sent} at the rate of the load, ${answered}, ${decided} |`,
    `| false refusals of honest requests | ${falseRefusals} of ${honest?.sent ?? 0} |`,
    `| hostile requests with another answer than theirs | ${mistakes.filter((each) => !each.startsWith('honest')).length} kinds |`,
    `| agents revoked, signing keys rotated | ${fleet.revocations}, ${fleet.rotations} |`,
    `| honest requests, ms: median, 99 %, 99.9 % | ${quantile(0.5)}, ${quantile(0.99)}, ${quantile(0.999)} |`,
    `| not sent, as the machine was busy elsewhere | ${load.heldBack} |`,
    ...memory.map(
      ({ early, late, rss }, i) =>
        `| process ${i + 1}, MB held after collection: second quarter, last quarter (resident) | ${megabytes(early)}, ${megabytes(late)} (${megabytes(rss)}) |`,
    ),
    `| Redis at the end | ${course.redis.keys} proofs remembered, ${course.redis.memory} |`,
    '',
    '| kind of request | sent | wrong outcome |',
    '|---|---|---|',
    ...[...load.outcomes]
      .sort(([, a], [, b]) => b.sent - a.sent)
      .map(
        ([name, { sent, wrong }]) =>
          `| ${name} | ${sent} | ${[...wrong].map(([what, n]) => `${what}: ${n}`).join('; ') || '–'} |`,
      ),
    '',
    ...(wrong.length === 0 ? [] : ['Wrong:', '', ...wrong.map((each) => `- ${each}`), '']),
  ].join('\n')
}

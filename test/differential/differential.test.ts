import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DISAGREEMENTS, isListed } from './disagreements.ts'
import { draft, write } from './draft.ts'
import { PEERS, startJudges } from './judges.ts'
import { isTogether } from './mutation.ts'
import { MUTATIONS } from './mutations.ts'

/** The same requests to our guard and to two peers: where they disagree, somebody has to have said why. */
let judges: Awaited<ReturnType<typeof startJudges>>
beforeAll(async () => {
  judges = await startJudges()
})
afterAll(() => judges.close())

type Chosen = readonly (typeof MUTATIONS)[number][]

async function disagreements(chosen: Chosen) {
  const changed = draft(judges.exchange)
  for (const [, apply] of chosen) apply(changed)
  const judgement = await judges.judge(write(changed))
  const ours = judgement.ours ? ('accepts' as const) : ('refuses' as const)
  return PEERS.filter((peer) => judgement[peer] !== judgement.ours).map((peer) => ({ ours, peer }))
}

it('the valid request is let in by all', async () => {
  expect(await judges.judge(write(draft(judges.exchange)))).toEqual({
    ours: true,
    oauth4webapi: true,
    'express-oauth2-jwt-bearer': true,
  })
})

it('with one thing changed all agree, but for what is listed, and for all of what is listed', async () => {
  const met: string[] = []
  const together = DISAGREEMENTS.flatMap(({ mutations }) => mutations.filter((name) => name.includes(' + ')))
  for (const name of [...MUTATIONS.map(([name]) => name), ...together]) {
    const chosen = MUTATIONS.filter(([one]) => name.split(' + ').includes(one))
    for (const { ours, peer } of await disagreements(chosen)) met.push(`${ours}, ${peer}: ${name}`)
  }
  const major = Number(process.versions.node.split('.')[0])
  const here = DISAGREEMENTS.filter(({ beforeNode = Number.POSITIVE_INFINITY }) => major < beforeNode)
  const listed = here.flatMap(({ ours, against, mutations }) =>
    against.flatMap((peer) => mutations.map((name) => `${ours}, ${peer}: ${name}`)),
  )
  expect(met.sort()).toEqual(listed.sort())
})

it('with several things changed all agree, but for what is listed', async () => {
  const several = fc.array(fc.constantFrom(...MUTATIONS), { minLength: 2, maxLength: 3 }).filter(isTogether)
  await fc.assert(
    fc.asyncProperty(several, async (chosen) => {
      const names = chosen.map(([name]) => name)
      const unlisted = (await disagreements(chosen)).filter(({ ours, peer }) => !isListed(names, ours, peer))
      expect(unlisted, names.join(' + ')).toEqual([])
    }),
    { numRuns: Number(process.env.DIFFERENTIAL_RUNS ?? 600) },
  )
})

it('the table of disagreements in the docs is the one of the tests', () => {
  const path = new URL('../../docs/disagreements.md', import.meta.url)
  const rows = DISAGREEMENTS.map(
    ({ mutations, ours, against, why }) =>
      `| ${mutations.map((name) => `\`${name}\``).join(', ')} | ${ours} | ${against.join(', ')} | ${why} |`,
  )
  const table = [
    '# Where others decide otherwise',
    '',
    `A valid request with one thing changed, sent to this guard (\`dpop: 'when-bound'\`, else as by default), to oauth4webapi`,
    `\`validateJwtAccessToken\` and to express-oauth2-jwt-bearer. Of ${MUTATIONS.length} changes all three agree on the rest. Generated from`,
    '`test/differential/disagreements.ts`, where each is met by a test; to renew it, run `UPDATE_DOCS=1 npx pnpm test`.',
    '',
    '| changed | ours | the peers that do not | why |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
  if (process.env.UPDATE_DOCS) writeFileSync(path, table)
  expect(readFileSync(path, 'utf8')).toBe(table)
})

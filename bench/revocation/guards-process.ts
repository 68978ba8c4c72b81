import { createGuard, type Guard, type RevocationSource, revocationList } from '@sharkguard/core'

const [issuer, count] = process.argv.slice(2) as [string, string]
let arrivals: number[] = []

/** The real source, which says when it has learnt something. */
const source: RevocationSource = {
  name: 'revocation-list',
  open(context) {
    const feed = revocationList().open(context)
    feed.onChange?.(() => arrivals.push(performance.timeOrigin + performance.now()))
    return feed
  },
}
/** None of these guards is asked for anything: what they cost is what following a list costs. */
const replayStore = { claim: () => 'fresh' as const }
const guards: Guard[] = []
for (let n = 0; n < Number(count); n++) {
  const guard = createGuard(`https://rs.example.com/${n}`, { issuer, revocation: source, replayStore })
  guards.push(guard)
  await guard.ready()
}

process.on('message', (question) => {
  if (question === 'arrivals') {
    process.send?.(arrivals)
    arrivals = []
  } else if (question === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: (user + system) / 1e6, rss: process.memoryUsage().rss })
  }
})
process.send?.({ guards: guards.length })

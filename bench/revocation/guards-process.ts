import { type RevocationContext, type RevocationFeed, revocationList } from '@sharkguard/core'
import { compactVerify, createLocalJWKSet } from 'jose'

const [issuer, count] = process.argv.slice(2) as [string, string]
let arrivals: number[] = []

const load = async (path: string) => (await fetch(`${issuer}/.well-known/${path}`)).json()
const metadata = (await load('oauth-authorization-server')) as Awaited<
  ReturnType<RevocationContext['metadata']>
>
const keys = createLocalJWKSet((await load('jwks.json')) as Parameters<typeof createLocalJWKSet>[0])
const decoder = new TextDecoder()

/** What a guard gives its source, without what each guard of this one process would keep for its tokens and keys. */
const context: RevocationContext = {
  issuer,
  metadata: async () => metadata,
  verifyJwt: async (jwt) => JSON.parse(decoder.decode((await compactVerify(jwt, keys)).payload)),
  fetch,
  clock: () => Date.now() / 1000,
  report: (problem) => console.error(problem),
}

const feeds: RevocationFeed[] = []
for (let n = 0; n < Number(count); n++) {
  const feed = revocationList().open(context)
  feed.onChange?.(() => arrivals.push(performance.timeOrigin + performance.now()))
  feeds.push(feed)
  await feed.ready()
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
process.on('disconnect', () => process.exit())
process.send?.({ guards: feeds.length })

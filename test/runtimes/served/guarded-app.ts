import { env } from 'cloudflare:workers'
import { type GuardOptions, introspection, statusList } from '@sharkguard/core'
import { sharkGuard } from '@sharkguard/hono'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'

/** A guarded app as somebody would put it on Workers: made once in the isolate, asked by many requests. */
const app = new Hono()
/** Seconds that this isolate's clock is ahead. */
let ahead = 0

app.get('/ahead/:seconds', (c) => {
  ahead = Number(c.req.param('seconds'))
  return c.body(null, 204)
})
const guard = (revocation: GuardOptions['revocation'] = 'auto') =>
  sharkGuard('https://api.example.com', {
    issuer: env.ISSUER,
    revocation,
    clock: () => Date.now() / 1000 + ahead,
    onDecision: (decision) => {
      if (decision.outcome !== 'allowed') console.log(decision.outcome, decision.detail)
    },
  })
app.use('/listed', guard(statusList()))
app.use('/asked', guard(introspection({ clientId: 'api', clientSecret: 'a secret of its own' })))
const guarded = guard()
for (const path of ['/notes', '/events']) app.use(path, guarded)

for (const path of ['/notes', '/listed', '/asked']) app.get(path, (c) => c.text(c.get('auth').clientId))
app.get('/events', (c) =>
  streamSSE(c, async (stream) => {
    while (!stream.aborted) {
      await stream.writeSSE({ data: 'tick' })
      await stream.sleep(100)
    }
  }),
)

// biome-ignore lint/style/noDefaultExport: this is what the runtime looks for.
export default app

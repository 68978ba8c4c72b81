import { env } from 'cloudflare:workers'
import { Agent } from '@sharkguard/agent'

/** An app on Workers that calls a resource for whoever asks it: with one agent for all requests of the isolate. */
let agent: Agent | undefined
/** Seconds that this isolate's clock is ahead. */
let ahead = 0

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  const [, passed] = /^\/ahead\/(\d+)$/.exec(pathname) ?? []
  if (passed !== undefined) {
    ahead = Number(passed)
    return new Response(null, { status: 204 })
  }
  agent ??= await Agent.start({ resource: env.RESOURCE, clock: () => Date.now() / 1000 + ahead })
  const { status } = await agent.fetch(env.RESOURCE)
  return new Response((await agent.token()).accessToken, { status })
}

// biome-ignore lint/style/noDefaultExport: this is what the runtime looks for.
export default { fetch: answer }

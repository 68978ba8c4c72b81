import { env } from 'cloudflare:workers'
import { createIssuer, type IssuerStore, memoryStore } from '@sharkguard/issuer'

/** An issuer as somebody would put it on Workers: made once in the isolate, asked by many requests. */
const issuer = createIssuer({
  issuer: env.ISSUER,
  adminKey: env.ADMIN_KEY,
  users: [{ username: 'alice', password: 'correct horse' }],
  clients: [{ client_id: 'api', client_secret: 'a secret of its own' }],
  store: remote(memoryStore()),
})

/** The same at the other end of a network: each answer takes the I/O of the request that asked. */
function remote(store: IssuerStore): IssuerStore {
  return new Proxy(store, {
    get: (target, name) => {
      const method = Reflect.get(target, name).bind(target)
      return async (...given: unknown[]) => {
        await new Promise((resolve) => setTimeout(resolve, 2))
        return method(...given)
      }
    },
  })
}

// biome-ignore lint/style/noDefaultExport: this is what the runtime looks for.
export default { fetch: issuer.fetch }

/** What can be made to fail, for tests of what depends on it; `'revocation'` is the revocation list. */
export type Failing = 'metadata' | 'jwks' | 'token' | 'revocation' | 'introspection' | 'registration'

/** How it fails: an error status, or an answer that never comes. */
export type FailureMode = 'error' | 'hang'

/** Where the path of each ends, or for metadata, which may have the issuer's path behind it, begins. */
const PATHS: Readonly<Record<Failing, RegExp>> = {
  metadata: /\/\.well-known\/oauth-authorization-server/,
  jwks: /\/\.well-known\/jwks\.json$/,
  token: /\/oauth\/token$/,
  revocation: /\/oauth\/revocations$/,
  introspection: /\/oauth\/introspect$/,
  registration: /\/oauth\/register(\/|$)/,
}

/** Paths that are counted, so that a flood of others takes no memory. */
const MAX_COUNTED = 1000

/** Failures on demand, and how often each path was asked for. */
export function createTrouble() {
  const failing = new Map<Failing, FailureMode>()
  const counted = new Map<string, number>()

  return {
    /** Counts a request. @returns the answer of what is to fail; `undefined` for the real one */
    meet(request: Request): Promise<Response> | undefined {
      const { pathname } = new URL(request.url)
      const before = counted.get(pathname)
      if (before !== undefined || counted.size < MAX_COUNTED) counted.set(pathname, (before ?? 0) + 1)
      const mode = [...failing].find(([what]) => PATHS[what].test(pathname))?.[1]
      if (mode === 'hang') return new Promise<Response>(() => undefined)
      if (mode === 'error') {
        return Promise.resolve(Response.json({ error: 'temporarily_unavailable' }, { status: 503 }))
      }
      return undefined
    },

    fail(what: Failing, mode: FailureMode = 'error'): () => void {
      if (!Object.hasOwn(PATHS, what)) {
        throw new TypeError(`issuer: fail: expected one of ${Object.keys(PATHS).join(', ')}`)
      }
      if (mode !== 'error' && mode !== 'hang') {
        throw new TypeError("issuer: fail: mode: expected 'error' or 'hang'")
      }
      failing.set(what, mode)
      return () => void failing.delete(what)
    },

    requests: (path: string) => counted.get(path) ?? 0,
  }
}

/** What can be made to fail, for tests of what depends on it. */
export type Failing = 'metadata' | 'jwks' | 'token' | 'revocation'

/** How it fails: an error status, or an answer that never comes. */
export type FailureMode = 'error' | 'hang'

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
      const kind = kindOf(pathname)
      const mode = kind === undefined ? undefined : failing.get(kind)
      if (mode === 'hang') return new Promise<Response>(() => undefined)
      if (mode === 'error') {
        return Promise.resolve(Response.json({ error: 'temporarily_unavailable' }, { status: 503 }))
      }
      return undefined
    },

    fail(what: Failing, mode: FailureMode = 'error'): () => void {
      failing.set(what, mode)
      return () => void failing.delete(what)
    },

    requests: (path: string) => counted.get(path) ?? 0,
  }
}

function kindOf(pathname: string): Failing | undefined {
  if (pathname.includes('/.well-known/oauth-authorization-server')) return 'metadata'
  if (pathname.endsWith('/.well-known/jwks.json')) return 'jwks'
  if (pathname.endsWith('/oauth/token')) return 'token'
  return pathname.endsWith('/oauth/revocations') ? 'revocation' : undefined
}

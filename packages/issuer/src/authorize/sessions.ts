import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { jwtVerify, SignJWT } from 'jose'
import { SKEW } from '../dpop.ts'
import type { Settings } from '../options.ts'
import { randomId, sha256 } from '../random.ts'
import { sharedSecret } from '../shared-secret.ts'

/** Seconds after which a user has to log in again. */
const LIFETIME = 3600
/** Seconds for which a page can be answered. */
const PAGE_LIFETIME = 600

const SESSION = 'session+jwt'
const PAGE = 'page+jwt'

/** A browser, and who has logged in with it. */
export interface Session {
  readonly id: string
  readonly userId: string | undefined
}

/**
 * Sessions of browsers, kept by the browsers: a cookie signed with a secret that all instances share. So is the token of
 * a page's form, which is good for this session, this user and this request, for ten minutes.
 */
export function createSessions({ store, clock, issuer }: Settings) {
  const isSecure = issuer.startsWith('https:')
  // Cookies do not tell ports or paths apart, and there may be several issuers.
  const cookie = `${isSecure ? '__Host-' : ''}shark_${issuer.replace(/[^A-Za-z0-9]+/g, '_')}`

  const key = async () => new TextEncoder().encode(await sharedSecret(store, 'authorization pages'))

  async function sign(typ: string, lifetime: number, claims: Record<string, unknown>): Promise<string> {
    const exp = Math.floor(clock()) + lifetime
    return new SignJWT({ ...claims, exp }).setProtectedHeader({ alg: 'HS256', typ }).sign(await key())
  }

  async function verify(typ: string, token: string): Promise<Record<string, unknown> | undefined> {
    try {
      const currentDate = new Date(clock() * 1000)
      return (await jwtVerify(token, await key(), { typ, algorithms: ['HS256'], currentDate })).payload
    } catch {
      return undefined
    }
  }

  const nameOfEnd = (id: string) => sha256(`session ended ${id}`)

  async function read(c: Context): Promise<Session | undefined> {
    const claims = await verify(SESSION, getCookie(c, cookie) ?? '')
    if (typeof claims?.sid !== 'string') return undefined
    if (typeof claims.sub !== 'string') return { id: claims.sid, userId: undefined }
    const hasEnded = (await store.get('claim', await nameOfEnd(claims.sid))) !== undefined
    return hasEnded ? undefined : { id: claims.sid, userId: claims.sub }
  }

  /** Of a user who had logged in: a copy of the cookie is of no use either. */
  async function end(session: Session | undefined): Promise<void> {
    if (session?.userId === undefined) return
    await store.add('claim', await nameOfEnd(session.id), {}, { expiresAt: clock() + LIFETIME + SKEW })
  }

  return {
    read,

    /** A new session for whom there was none or whose user changes; the one before is of no use any more. */
    async start(c: Context, userId?: string): Promise<Session> {
      await end(await read(c))
      const session = { id: randomId(), userId }
      const claims = { sid: session.id, ...(userId === undefined ? {} : { sub: userId }) }
      setCookie(c, cookie, await sign(SESSION, LIFETIME, claims), {
        httpOnly: true,
        secure: isSecure,
        // Strict would not come with the client's link to us, and every authorization would begin with a log-in.
        sameSite: 'Lax',
        path: '/',
      })
      return session
    },

    /** What the form of a page has to bring back. */
    pageToken: ({ id, userId }: Session, request: string) =>
      sign(PAGE, PAGE_LIFETIME, { sid: id, request, ...(userId === undefined ? {} : { sub: userId }) }),

    async isPageToken(token: string, session: Session, request: string): Promise<boolean> {
      const claims = await verify(PAGE, token)
      return claims?.sid === session.id && claims.sub === session.userId && claims.request === request
    },
  }
}

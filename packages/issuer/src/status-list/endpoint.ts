import type { Hono } from 'hono'
import type { Settings } from '../options.ts'
import type { SigningKeys } from '../signing-keys.ts'
import type { StatusLists } from './status-lists.ts'

/** Seconds for which a signed list is given out as it is, unless it is known to have changed. */
const REUSED = 1
/** Seconds past its `ttl` that a list may decide while no other can be had. */
const GRACE = 60
const PATH = '/oauth/status-lists'
const CORS = { 'Access-Control-Allow-Origin': '*' }

/** Where an issuer's status lists are; each is one segment below. */
export function statusListUri(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}${PATH}`
}

/**
 * Publishes status lists (draft-ietf-oauth-status-list §8, §9): each as a Status List Token under its URI, and where they
 * are. There is no history: `time` is answered with 501.
 */
export function mountStatusLists(
  routes: Hono,
  settings: Settings,
  keys: SigningKeys,
  lists: StatusLists,
): void {
  const { issuer, clock, statusList } = settings
  const { ttl } = statusList as NonNullable<Settings['statusList']>
  const base = statusListUri(issuer)
  const signed = new Map<number, { readonly at: number; readonly jwt: Promise<string | undefined> }>()
  lists.onChange((number) => signed.delete(number))

  async function sign(number: number, now: number): Promise<string | undefined> {
    const bytes = await lists.bits(number)
    if (bytes === undefined) return undefined
    const iat = Math.floor(now)
    const status_list = { bits: 1, lst: await deflate(bytes), aggregation_uri: base }
    const claims = { iss: issuer, sub: `${base}/${number}`, iat, exp: iat + ttl + GRACE, ttl, status_list }
    return keys.sign(claims, { typ: 'statuslist+jwt' })
  }

  function current(number: number): Promise<string | undefined> {
    const now = clock()
    const known = signed.get(number)
    if (known !== undefined && now >= known.at && now < known.at + REUSED) return known.jwt
    const jwt = sign(number, now)
    signed.set(number, { at: now, jwt })
    jwt.then(
      (text) => text === undefined && signed.delete(number),
      () => signed.delete(number),
    )
    return jwt
  }

  routes.get(PATH, async (c) => {
    const status_lists = (await lists.numbers()).map((number) => `${base}/${number}`)
    return c.json({ status_lists }, 200, CORS)
  })
  routes.get(`${PATH}/:number{[1-9][0-9]{0,8}}`, async (c) => {
    if (c.req.query('time') !== undefined) return c.json({ error: 'not_implemented' }, 501, CORS)
    const jwt = await current(Number(c.req.param('number')))
    if (jwt === undefined) return c.notFound()
    return c.body(jwt, 200, {
      ...CORS,
      'Content-Type': 'application/statuslist+jwt',
      'Cache-Control': 'max-age=1',
    })
  })
}

/** zlib (RFC 1950), as base64url. */
async function deflate(bytes: Uint8Array): Promise<string> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  const packed = await new Response(source.pipeThrough(new CompressionStream('deflate'))).arrayBuffer()
  let text = ''
  for (const byte of new Uint8Array(packed)) text += String.fromCharCode(byte)
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

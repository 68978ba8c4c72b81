import { isLoopbackHost } from '../loopback.ts'

/**
 * The URL that a client id is (Client ID Metadata Documents §3): https, with a path, without fragment, user or dot
 * segments, in its one canonical spelling. `undefined` for any other client id.
 *
 * @param loopback also http where only this machine answers, for tests
 */
export function parseClientIdUrl(clientId: string, loopback: boolean): URL | undefined {
  if (clientId.length > 2000 || !/^https?:\/\//.test(clientId) || !URL.canParse(clientId)) return undefined
  const url = new URL(clientId)
  const isHttpAllowed = loopback && isLoopbackHost(url)
  if (url.protocol !== 'https:' && !isHttpAllowed) return undefined
  const isCanonical = url.href === clientId && !clientId.includes('#')
  return isCanonical && url.pathname !== '/' && url.username === '' && url.password === '' ? url : undefined
}

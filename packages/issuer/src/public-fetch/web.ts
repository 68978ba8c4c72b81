import { isLoopbackHost } from '../loopback.ts'
import { literalAddress } from './address.ts'
import { type PublicFetch, UnreachableByPolicy } from './contract.ts'

/** Names that never are on the internet (RFC 6761, RFC 6762, RFC 9476). */
const LOCAL_NAME = /(^|\.)(localhost|local|internal|test|invalid|onion|home\.arpa|alt)\.?$/i

export const publicFetch: PublicFetch = async (url, reach) => {
  const address = literalAddress(url.hostname)
  if (!(reach.loopback && isLoopbackHost(url))) {
    if (url.protocol !== 'https:') throw new UnreachableByPolicy('only https is fetched')
    if (address !== undefined || !url.hostname.includes('.') || LOCAL_NAME.test(url.hostname)) {
      throw new UnreachableByPolicy(`${url.hostname} is not a public name`)
    }
  }
  return fetch(url, { redirect: 'manual', headers: { accept: 'application/json' }, signal: reach.signal })
}

import { lookup } from 'node:dns/promises'
import * as http from 'node:http'
import * as https from 'node:https'
import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import { literalAddress } from './address.ts'
import { type PublicFetch, type Reach, UnreachableByPolicy } from './contract.ts'
import { isLoopbackAddress, isPublicAddress } from './public-address.ts'

export const publicFetch: PublicFetch = async (url, reach) => {
  if (url.protocol !== 'https:' && !(reach.loopback && url.protocol === 'http:')) {
    throw new UnreachableByPolicy('only https is fetched')
  }
  const addresses = await resolve(url, reach)
  let failure: unknown
  for (const address of addresses) {
    try {
      return await get(url, address, reach.signal)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Every address of the URL's host; one that may not be reached spoils them all. */
async function resolve(url: URL, reach: Reach): Promise<readonly string[]> {
  const host = literalAddress(url.hostname) ?? url.hostname
  const found = (await lookup(host, { all: true })).map(({ address }) => address)
  const onlyLoopback = url.protocol === 'http:'
  for (const address of found) {
    const allowed =
      (isPublicAddress(address) && !onlyLoopback) || (reach.loopback && isLoopbackAddress(address))
    if (!allowed) throw new UnreachableByPolicy(`${url.hostname} is at ${address}`)
  }
  return found
}

/** Connects to the address given, whatever the name resolves to by now; TLS still verifies the name. */
function get(url: URL, address: string, signal: AbortSignal): Promise<Response> {
  const { request } = url.protocol === 'https:' ? https : http
  const isName = isIP(literalAddress(url.hostname) ?? '') === 0
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: address,
        port: url.port,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, accept: 'application/json', 'accept-encoding': 'identity' },
        ...(isName ? { servername: url.hostname } : {}),
        agent: false,
        signal,
      },
      (message) => {
        const headers = new Headers()
        for (const [name, values] of Object.entries(message.headersDistinct)) {
          for (const value of values ?? []) headers.append(name, value)
        }
        const status = message.statusCode ?? 0
        const hasBody = ![204, 205, 304].includes(status)
        resolve(
          new Response(hasBody ? (Readable.toWeb(message) as ReadableStream) : null, { status, headers }),
        )
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

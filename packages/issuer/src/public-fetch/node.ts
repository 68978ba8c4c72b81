import { lookup } from 'node:dns/promises'
import * as http from 'node:http'
import * as https from 'node:https'
import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import { literalAddress } from './address.ts'
import { type PublicFetch, type Reach, UnreachableByPolicy } from './contract.ts'
import { isLoopbackAddress, isPublicAddress } from './public-address.ts'

/** Whatever it hangs in, it ends when the time is over: a look-up cannot be called off, nor does an upgrade answer. */
export const publicFetch: PublicFetch = (url, reach) =>
  Promise.race([fetchInTime(url, reach), timeIsOver(reach.signal)])

async function fetchInTime(url: URL, reach: Reach): Promise<Response> {
  if (url.protocol !== 'https:' && !(reach.loopback && url.protocol === 'http:')) {
    throw new UnreachableByPolicy('only https is fetched')
  }
  const addresses = await resolve(url, reach)
  let failure: unknown
  for (const address of addresses) {
    try {
      return responseOf(await get(url, address, reach.signal))
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
function get(url: URL, address: string, signal: AbortSignal): Promise<http.IncomingMessage> {
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
      resolve,
    )
    sent.on('error', reject)
    sent.end()
  })
}

/** @throws for a status that no response can have */
function responseOf(message: http.IncomingMessage): Response {
  const headers = new Headers()
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  const status = message.statusCode ?? 0
  const hasBody = ![204, 205, 304].includes(status)
  return new Response(hasBody ? (Readable.toWeb(message) as ReadableStream) : null, { status, headers })
}

function timeIsOver(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

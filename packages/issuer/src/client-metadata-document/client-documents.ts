import { OAuthError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { fetchPublicJson } from '../public-fetch/public-json.ts'
import { RateLimit } from '../rate-limit.ts'
import type { Client } from '../records.ts'
import { createClient } from '../registration/create-client.ts'
import { SharedAttempts } from '../shared-attempts.ts'
import { parseDocument } from './document.ts'
import { freshness } from './freshness.ts'

/** Bytes; the specification recommends 5 KB. */
const MAX_SIZE = 16 * 1024
/** Milliseconds, from the look-up of the name to the last byte. */
const TIMEOUT = 5000
/** Documents that are kept. */
const MAX_KEPT = 1000

const unreadable = () =>
  new OAuthError('invalid_client', 'The document that describes the application could not be read')

/**
 * Reads the documents that client ids are the URLs of, and keeps them as long as their HTTP headers say. What went wrong
 * with one is in the log; the answer does not tell what our network looks like.
 */
export function createClientDocuments(settings: Settings) {
  const { clock, log, clientMetadataDocuments } = settings
  const loopback = clientMetadataDocuments === 'loopback'
  const kept = new Map<string, { readonly client: Client; readonly until: number }>()
  const attempts = new SharedAttempts<Client>(TIMEOUT / 1000 + 1)
  // Nobody shall make us knock at somebody else's door all day.
  const fetches = new RateLimit({ window: 60, perKey: 30, total: 300 })

  return async function read(url: URL): Promise<Client> {
    const known = kept.get(url.href)
    if (known !== undefined && clock() < known.until) return known.client
    return attempts.run(() => fetchClient(url), url.href)
  }

  async function fetchClient(url: URL): Promise<Client> {
    const wait = fetches.take(url.host, clock())
    if (wait > 0) {
      throw new OAuthError('temporarily_unavailable', 'Too many applications are being looked up', {
        status: 429,
        headers: { 'Retry-After': String(wait) },
      })
    }
    const { text, headers } = await fetchText(url)
    const client = await describedClient(url.href, text)
    keep(client, freshness(headers, clock()))
    return client
  }

  async function fetchText(url: URL) {
    try {
      return await fetchPublicJson(url, MAX_SIZE, { loopback, signal: AbortSignal.timeout(TIMEOUT) })
    } catch (error) {
      log({ level: 'warn', message: 'client metadata document', url: url.href, error: String(error) })
      throw unreadable()
    }
  }

  async function describedClient(clientId: string, text: string): Promise<Client> {
    try {
      const { client } = await createClient(parseDocument(clientId, text), 'document', settings)
      return { ...client, id: clientId, registeredBy: 'document' }
    } catch (error) {
      log({ level: 'warn', message: 'client metadata document', url: clientId, error: String(error) })
      throw error instanceof OAuthError ? new OAuthError('invalid_client', error.message) : error
    }
  }

  function keep(client: Client, seconds: number): void {
    kept.delete(client.id)
    if (seconds === 0) return
    const [oldest] = kept.keys()
    if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest)
    kept.set(client.id, { client, until: clock() + seconds })
  }
}

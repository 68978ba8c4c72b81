import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { freshness } from '../client-metadata-document/freshness.ts'
import { temporarilyUnavailable } from '../errors.ts'
import type { Settings } from '../options.ts'
import { fetchPublicJson } from '../public-fetch/public-json.ts'
import { SharedAttempts } from '../shared-attempts.ts'
import type { IdentityProvider } from './options.ts'

/** Bytes. */
const MAX_SIZE = 64 * 1024
/** Milliseconds for all that has to be read. */
const TIMEOUT = 5000
/** Seconds: a new key is known this long after it is first used, at most; nobody makes us ask more often. */
const LEAST = 30
/** Seconds: a key that was withdrawn is dead after this. */
const MOST = 600
/** Seconds until a provider that did not answer is asked again. */
const PAUSE = 5

type KeySet = ReturnType<typeof createLocalJWKSet>

/** @returns a function that finds the key of a JWS of a provider's; its keys are kept as their HTTP headers say */
export function createProviderKeys({ clock, log }: Settings, provider: IdentityProvider): JWTVerifyGetKey {
  const { issuer, loopback } = provider
  let kept: { readonly keys: KeySet; readonly readAt: number; readonly until: number } | undefined
  const attempts = new SharedAttempts<KeySet>(TIMEOUT / 1000 + 1)
  let pausedUntil = Number.NEGATIVE_INFINITY

  return async (header, token) => {
    const keys = kept !== undefined && clock() < kept.until ? kept.keys : await attempts.run(read)
    try {
      return await keys(header, token)
    } catch (error) {
      const isNew = error instanceof errors.JWKSNoMatchingKey
      if (!isNew || kept === undefined || clock() < kept.readAt + LEAST) throw error
      return (await attempts.run(read))(header, token)
    }
  }

  /** @throws OAuthError 503: that we cannot know does not make an assertion wrong */
  async function read(): Promise<KeySet> {
    if (clock() < pausedUntil) throw temporarilyUnavailable()
    const signal = AbortSignal.timeout(TIMEOUT)
    try {
      const { text, headers } = await fetchPublicJson(await locate(signal), MAX_SIZE, { loopback, signal })
      const keys = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet)
      const readAt = clock()
      kept = { keys, readAt, until: readAt + Math.min(MOST, Math.max(LEAST, freshness(headers, readAt))) }
      return keys
    } catch (error) {
      pausedUntil = clock() + PAUSE
      log({ level: 'warn', message: 'identity provider', issuer, error: String(error) })
      throw temporarilyUnavailable()
    }
  }

  /** Where the provider's metadata says that its keys are: as OpenID Connect has it, or else RFC 8414. */
  async function locate(signal: AbortSignal): Promise<URL> {
    if (provider.jwksUri !== undefined) return provider.jwksUri
    const { origin, pathname } = new URL(issuer)
    const path = pathname.replace(/\/$/, '')
    const appended = `${origin}${path}/.well-known/openid-configuration`
    const inserted = `${origin}/.well-known/oauth-authorization-server${path}`
    const metadata = await readMetadata(appended, signal).catch(() => readMetadata(inserted, signal))
    return new URL(metadata.jwks_uri)
  }

  async function readMetadata(url: string, signal: AbortSignal): Promise<{ readonly jwks_uri: string }> {
    const { text } = await fetchPublicJson(new URL(url), MAX_SIZE, { loopback, signal })
    const metadata = JSON.parse(text)
    if (metadata?.issuer !== issuer) throw new Error('the metadata is of another issuer')
    return metadata
  }
}

import { type AccessToken, type TrustedIssuer, verifyIssuerJwt } from '../access-token.ts'
import type { Settings } from '../options.ts'
import { Refusal, Unavailable } from '../refusal.ts'
import { advertised } from './advertised-feed.ts'
import { combineFeeds } from './combined-feed.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'

/** More than any source reads. */
const MAX_LIST_LENGTH = 64 * 1024 * 1024

type Notice = (source: string, issuer: string, detail: string, cause: unknown) => void

/** All sources of all issuers of one guard. */
export interface Revocation {
  /** Throws a {@link Refusal} for a revoked token, and {@link Unavailable} where a source cannot say. At once where all know. */
  require(token: AccessToken, text: string): void | Promise<void>
  ready(): Promise<void>
  onChange(listener: () => void): void
  close(): void
}

/** Opens the configured sources, each once per issuer; nothing is fetched before the first token or `ready()`. */
export function openRevocation(
  configured: Settings['revocation'],
  issuers: readonly TrustedIssuer[],
  environment: Pick<Settings, 'fetch' | 'clock'>,
  notice: Notice,
): Revocation {
  const sources = configured === 'auto' ? [advertised()] : configured
  const feeds = new Map<string, RevocationFeed>()
  for (const issuer of issuers) {
    const opened = sources.map((source) => source.open(contextFor(issuer, source, environment, notice)))
    feeds.set(issuer.issuer, combineFeeds(opened))
  }

  return {
    require(token, text) {
      const feed = feeds.get(token.issuer)
      if (feed === undefined)
        throw new Unavailable('revocation_unavailable', { detail: 'no source for the issuer' })
      const verdict = feed.check(token, text)
      return typeof verdict === 'string' ? requireActive(verdict) : verdict.then(requireActive)
    },
    async ready() {
      await Promise.all([...feeds.values()].map((feed) => feed.ready()))
    },
    onChange(listener) {
      for (const feed of feeds.values()) feed.onChange?.(listener)
    },
    close() {
      for (const feed of feeds.values()) feed.close()
    },
  }
}

function requireActive(verdict: RevocationVerdict): void {
  if (verdict !== 'active') throw new Refusal('token_revoked')
}

function contextFor(
  issuer: TrustedIssuer,
  source: RevocationSource,
  { fetch, clock }: Pick<Settings, 'fetch' | 'clock'>,
  notice: Notice,
): RevocationContext {
  return {
    issuer: issuer.issuer,
    metadata: () => issuer.keys.metadata(),
    verifyJwt: (jwt, type) => verifyIssuerJwt(jwt, type, issuer, MAX_LIST_LENGTH),
    fetch,
    clock,
    report: (problem, cause) => notice(source.name, issuer.issuer, problem, cause),
  }
}

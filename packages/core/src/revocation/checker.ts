import { type AccessToken, type TrustedIssuer, verifyIssuerJwt } from '../access-token.ts'
import type { Settings } from '../options.ts'
import { Refusal } from '../refusal.ts'
import { revocationList } from './revocation-list.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'

/** 64 MB of list, in base64url. */
const MAX_LIST_LENGTH = 96 * 1024 * 1024

type Notice = (source: string, issuer: string, detail: string, cause: unknown) => void

/** All sources of all issuers of one guard. */
export interface Revocation {
  /** Throws a {@link Refusal} for a revoked token, and Unavailable where a source cannot say. */
  require(token: AccessToken, text: string): void | Promise<void>
  verdict(token: AccessToken, text: string): RevocationVerdict | Promise<RevocationVerdict>
  ready(): Promise<void>
  onChange(listener: () => void): void
  close(): void
}

/** Opens the configured sources, each once per issuer; nothing is fetched before the first token. */
export function openRevocation(
  configured: Settings['revocation'],
  issuers: readonly TrustedIssuer[],
  environment: Pick<Settings, 'fetch' | 'clock'>,
  notice: Notice,
): Revocation {
  const listeners: (() => void)[] = []
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const feeds = new Map(
    issuers.map((issuer) => {
      const open = (source: RevocationSource) => {
        const feed = source.open(contextFor(issuer, source, environment, notice))
        feed.onChange?.(changed)
        return feed
      }
      return [
        issuer.issuer,
        configured === 'auto' ? new AdvertisedFeed(issuer, open) : several(configured.map(open)),
      ]
    }),
  )

  function verdict(token: AccessToken, text: string) {
    return feeds.get(token.issuer)?.check(token, text) ?? 'active'
  }

  return {
    verdict,
    require(token, text) {
      const result = verdict(token, text)
      if (typeof result === 'string') return requireActive(result)
      return result.then(requireActive)
    },
    async ready() {
      await Promise.all([...feeds.values()].map((feed) => feed.ready()))
    },
    onChange(listener) {
      listeners.push(listener)
    },
    close() {
      for (const feed of feeds.values()) feed.close()
    },
  }
}

function requireActive(verdict: RevocationVerdict): void {
  if (verdict !== 'active') throw new Refusal('token_revoked')
}

/** `'auto'`: the revocation list, if the issuer's metadata advertises one; known once the metadata is. */
class AdvertisedFeed implements RevocationFeed {
  readonly #issuer: TrustedIssuer
  readonly #open: (source: RevocationSource) => RevocationFeed
  #feed: RevocationFeed | undefined
  #closed = false

  constructor(issuer: TrustedIssuer, open: (source: RevocationSource) => RevocationFeed) {
    this.#issuer = issuer
    this.#open = open
  }

  check(token: AccessToken, text: string): RevocationVerdict | Promise<RevocationVerdict> {
    return this.#feed?.check(token, text) ?? this.#resolve().then((feed) => feed.check(token, text))
  }

  async ready(): Promise<void> {
    await (await this.#resolve()).ready()
  }

  close(): void {
    this.#closed = true
    this.#feed?.close()
  }

  async #resolve(): Promise<RevocationFeed> {
    const { revocation_list_uri: uri } = await this.#issuer.keys.metadata()
    this.#feed ??= uri === undefined ? several([]) : this.#open(revocationList())
    if (this.#closed) this.#feed.close()
    return this.#feed
  }
}

/** Revoked if any source says so; unknown if any cannot say, unless another says revoked. */
function several(feeds: readonly RevocationFeed[]): RevocationFeed {
  const [only] = feeds
  if (feeds.length === 1 && only !== undefined) return only
  return {
    check(token, text) {
      if (feeds.length === 0) return 'active'
      return askAll(feeds, token, text)
    },
    async ready() {
      await Promise.all(feeds.map((feed) => feed.ready()))
    },
    close() {
      for (const feed of feeds) feed.close()
    },
  }
}

async function askAll(
  feeds: readonly RevocationFeed[],
  token: AccessToken,
  text: string,
): Promise<RevocationVerdict> {
  const answers = await Promise.allSettled(feeds.map(async (feed) => feed.check(token, text)))
  if (answers.some((answer) => answer.status === 'fulfilled' && answer.value === 'revoked')) return 'revoked'
  const failure = answers.find((answer) => answer.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  return 'active'
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

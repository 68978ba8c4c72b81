import type { AccessToken } from '../access-token.ts'
import { Flights, LATE } from '../flights.ts'
import { SLOWEST } from '../keys.ts'
import { revocationList } from './revocation-list.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'
import { statusList } from './status-list.ts'

/** Seconds after which metadata that advertised nothing is looked at again. */
const LOOK_AGAIN = 60

/**
 * What an issuer's metadata advertises: {@link revocationList} where there is a `revocation_list_uri`; otherwise
 * {@link statusList} where there is a `status_list_aggregation_endpoint`; otherwise nothing, and then every token is active.
 * What was opened stays open, whatever the metadata says later.
 */
export function advertised(): RevocationSource {
  return { name: 'advertised', open: (context) => new AdvertisedFeed(context) }
}

class AdvertisedFeed implements RevocationFeed {
  readonly #context: RevocationContext
  readonly #listeners = new Set<() => void>()
  #feed: RevocationFeed | undefined
  #lookedAt = Number.NEGATIVE_INFINITY
  readonly #looking = new Flights<void>(SLOWEST.metadata + LATE)
  #closed = false

  constructor(context: RevocationContext) {
    this.#context = context
  }

  check(token: AccessToken, text: string): RevocationVerdict | Promise<RevocationVerdict> {
    if (this.#feed !== undefined) return this.#feed.check(token, text)
    const age = this.#context.clock() - this.#lookedAt
    if (age >= 0 && age < LOOK_AGAIN) return 'active'
    return this.#look().then(() => this.#feed?.check(token, text) ?? 'active')
  }

  async ready(): Promise<void> {
    if (this.#feed === undefined) await this.#look()
    await this.#feed?.ready()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#closed = true
    this.#feed?.close()
  }

  #look(): Promise<void> {
    return this.#looking.run(() => this.#open())
  }

  async #open(): Promise<void> {
    const { revocation_list_uri: list, status_list_aggregation_endpoint: statuses } =
      await this.#context.metadata()
    this.#lookedAt = this.#context.clock()
    if (this.#feed !== undefined) return
    if (list === undefined && statuses === undefined) return
    const source = list === undefined ? statusList() : revocationList()
    this.#feed = source.open(this.#context)
    this.#feed.onChange?.(() => {
      for (const listener of this.#listeners) listener()
    })
    if (this.#closed) this.#feed.close()
  }
}

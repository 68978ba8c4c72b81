import type { Records } from './records.ts'
import type { RevocationRule } from './revocation/rules.ts'

export type Kind = keyof Records

export interface AddOptions {
  /** The second from which the record is not there any more. Default: never. */
  readonly expiresAt?: number
  /** Lists to find it by, besides that of its kind: `client:ID`, `user:ID`. They stay what they are. */
  readonly indexes?: readonly string[]
}

export interface ListOptions {
  /** One of the `indexes` that records were added with. Default: all of the kind. */
  readonly index?: string
  readonly offset?: number
  /** Default 50. */
  readonly limit?: number
}

/** Part of a list, newest first, and how long the whole is. */
export interface Page<T> {
  readonly data: readonly T[]
  readonly total: number
}

/**
 * Everything an issuer remembers. Instances that share a store are one issuer. Records are JSON; a store knows nothing of
 * what is in them, and keeps any kind. Each method is atomic, whoever else calls at the same time, and is done when its
 * promise resolves. Time is the store's own clock.
 *
 * Any method rejects with an error named `StoreUnavailable` when the store cannot be reached, and `add` when there is no
 * room: the issuer answers 503. A store never makes room by forgetting what has not expired, audit events apart.
 */
export interface IssuerStore {
  get<K extends Kind>(kind: K, id: string): Promise<Records[K] | undefined>

  /** Keeps a new record. @returns false, and changes nothing, if there is one with this id: of two callers one wins */
  add<K extends Kind>(kind: K, id: string, record: Records[K], options?: AddOptions): Promise<boolean>

  /**
   * Changes a record: reads it, and writes what `change` makes of it unless somebody else has written meanwhile; then
   * again. `change` may run several times, and changes nothing by throwing. Lists and the place in them stay.
   * @param expiresAt moves the expiry; `Infinity` takes it away. Default: it stays
   * @returns the record as it was written; `undefined` if there is none
   */
  update<K extends Kind>(
    kind: K,
    id: string,
    change: (record: Records[K]) => Records[K],
    expiresAt?: number,
  ): Promise<Records[K] | undefined>

  /** Removes a record. @returns it, to one caller only */
  take<K extends Kind>(kind: K, id: string): Promise<Records[K] | undefined>

  /** Newest first, by when they were added; without those that have expired. */
  list<K extends Kind>(kind: K, options?: ListOptions): Promise<Page<Records[K]>>

  /** Gives rules the next sequence numbers, from 1. @returns the last of them */
  appendRules(rules: readonly RevocationRule[]): Promise<number>
  /** Rules after `since` that have not expired, oldest first, and the sequence number of the newest rule ever; 0: none. */
  rulesSince(since: number): Promise<{ readonly seq: number; readonly rules: readonly RevocationRule[] }>
  /** Resolves when a rule after `since` exists, or after `seconds` of real time, or when `signal` aborts. */
  waitForRules(since: number, seconds: number, signal: AbortSignal): Promise<void>
}

/** The store does not answer, or has no room. Known by its name, so that a store can have a class of its own. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** All records of a list, newest first, a page at a time. What is added meanwhile may make it see one twice. */
export async function* everyRecord<K extends Kind>(
  store: IssuerStore,
  kind: K,
  index?: string,
): AsyncGenerator<Records[K]> {
  const limit = 500
  for (let offset = 0; ; offset += limit) {
    const { data } = await store.list(kind, { ...(index === undefined ? {} : { index }), offset, limit })
    yield* data
    if (data.length < limit) return
  }
}

import { ConfigurationError } from '@sharkguard/core'
import type { IssuerStore, Kind, Records, RevocationRule } from '@sharkguard/issuer'
import { connectionOf, type DuplicableClient } from './client.ts'
import { secondsOf } from './clock.ts'
import { within } from './deadline.ts'
import * as scripts from './issuer-scripts.ts'
import { RuleWaiters } from './rule-waiters.ts'
import { parseServerInfo } from './server-info.ts'

/** Options of {@link redisIssuerStore}. */
export interface RedisIssuerStoreOptions {
  /** Put before each key. Issuers with one prefix on one server are one issuer. Default `'sharkguard:issuer:'`. */
  readonly prefix?: string
  /** Milliseconds after which an answer is not waited for any longer. Default 2000. */
  readonly deadlineMs?: number
  /** Seconds since the epoch, for tests. Default: the clock of the server, which is the same for all instances. */
  readonly clock?: () => number
}

/** What {@link redisIssuerStore} makes. */
export interface RedisIssuerStore extends IssuerStore {
  /**
   * Resolves when the server can be trusted with what an issuer must not forget. Call it at start-up.
   * @throws ConfigurationError naming `maxmemory-policy` when the server may evict
   * @throws StoreUnavailable when it does not answer, or is a replica
   */
  ready(): Promise<void>
  /** Ends the connection of its own. The client is yours to close. */
  close(): void
}

/** The server does not answer, refuses, or has no room. What was asked for may have been done all the same. */
class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/**
 * Keeps what an issuer remembers in a Redis: instances that share it are one issuer, and an instance that is killed takes
 * nothing with it. Each method is one script, and so atomic; `update` compares a version and runs again when another
 * instance was faster.
 *
 * `waitForRules` reads a stream that blocks until there is a newer entry, by the sequence number of the rules, over one
 * connection that it duplicates from the client: a message cannot be missed, and a lost connection costs a moment.
 *
 * Needs Redis 6.2, `noeviction`, and persistence (`appendonly yes`) if a restart of the server is to lose nothing. After a
 * failover the last writes may be gone, as anything written to Redis: `min-replicas-to-write` narrows that.
 * Takes no cluster.
 * @param client of node-redis (v4 to v6) or ioredis (v5, v6); connecting and closing it stays with you
 * @throws ConfigurationError for another kind of client, or a wrong option
 */
export function redisIssuerStore(
  client: DuplicableClient,
  options: RedisIssuerStoreOptions = {},
): RedisIssuerStore {
  const { prefix, deadlineMs, now } = resolveOptions(options)
  const connection = connectionOf(client)
  if (typeof client.duplicate !== 'function')
    throw new ConfigurationError('client', 'expected one with duplicate()')
  const waiters = new RuleWaiters(client, `${prefix}rules:wake`)

  /** Waits for the first connection, and for no other: what is asked for during an outage must not be done after it. */
  async function send(...command: [string, ...string[]]): Promise<unknown> {
    try {
      if (connection.replies > 0 && !connection.isUp) throw new Error('there is no connection to the server')
      return await within(deadlineMs, connection.send(...command))
    } catch (cause) {
      throw new StoreUnavailable(`redis: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
    }
  }
  const run = (script: string, ...values: string[]) => send('EVAL', script, '1', prefix, now(), ...values)

  async function newestRule(): Promise<number> {
    const [seq] = (await run(scripts.RULES_SINCE, 'inf')) as [number]
    return seq
  }

  return {
    async get(kind, id) {
      const found = (await run(scripts.GET, kind, id)) as [string, string] | null
      return parse(found?.[0])
    },

    async add(kind, id, record, { expiresAt = Number.POSITIVE_INFINITY, indexes = [] } = {}) {
      const values = [JSON.stringify(record), expiry(expiresAt), JSON.stringify(indexes.map(wellFormed))]
      return (await run(scripts.ADD, kind, id, ...values)) === 1
    },

    async update(kind, id, change, expiresAt) {
      for (;;) {
        const found = (await run(scripts.GET, kind, id)) as [string, string] | null
        if (found === null) return undefined
        const json = JSON.stringify(change(JSON.parse(found[0])))
        const moved = expiresAt === undefined ? 'stays' : expiry(expiresAt)
        if ((await run(scripts.REPLACE, kind, id, found[1], json, moved)) === 1) return parse(json)
      }
    },

    async take(kind, id) {
      return parse(await run(scripts.TAKE, kind, id))
    },

    async list(kind, { index = '', offset = 0, limit = 50 } = {}) {
      for (;;) {
        const page = await run(scripts.LIST, kind, index, String(offset), String(limit))
        if (page === null) continue
        const [total, ...jsons] = page as [number, ...string[]]
        return { data: jsons.map((json) => JSON.parse(json)), total }
      }
    },

    async appendRules(rules) {
      const values = rules.flatMap((rule) => [JSON.stringify(rule), String(rule.x)])
      return Number(await run(scripts.APPEND_RULES, ...values))
    },

    async rulesSince(since) {
      const [seq, at, ...entries] = (await run(scripts.RULES_SINCE, String(since))) as [
        number,
        string,
        ...string[],
      ]
      const rules = entries.map((entry) => JSON.parse(entry.slice(entry.indexOf(' ') + 1)) as RevocationRule)
      return { seq, rules: rules.filter(({ x }) => x > Number(at)) }
    },

    async waitForRules(since, seconds, signal) {
      await waiters.wait(since, seconds, signal, newestRule)
    },

    async ready() {
      const info = String(await send('INFO'))
      try {
        parseServerInfo(info)
      } catch (cause) {
        if (cause instanceof ConfigurationError) throw cause
        throw new StoreUnavailable(`redis: ${(cause as Error).message}`, { cause })
      }
    },

    close() {
      waiters.close()
    },
  }
}

function parse<K extends Kind>(json: unknown): Records[K] | undefined {
  return json === null || json === undefined ? undefined : JSON.parse(String(json))
}

/** As UTF-8 carries it: half of a surrogate pair, as JSON may have it, is nothing that the server's parser takes. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, '\ufffd')
}

/** Empty: never. */
function expiry(expiresAt: number): string {
  return expiresAt === Number.POSITIVE_INFINITY ? '' : String(expiresAt)
}

function resolveOptions({
  prefix = 'sharkguard:issuer:',
  deadlineMs = 2000,
  clock,
}: RedisIssuerStoreOptions) {
  if (typeof prefix !== 'string') throw new ConfigurationError('prefix', 'expected text')
  if (!(deadlineMs > 0 && deadlineMs <= 60_000)) {
    throw new ConfigurationError('deadlineMs', 'expected milliseconds above 0, at most 60000')
  }
  if (clock !== undefined && typeof clock !== 'function')
    throw new ConfigurationError('clock', 'expected a function')
  const seconds = clock && secondsOf(clock)
  return { prefix, deadlineMs, now: () => (seconds === undefined ? '' : String(seconds())) }
}

import type { IssuedToken, Revocable } from '../records.ts'
import { everyRecord, type IssuerStore } from '../store.ts'
import { matchesGlob } from './glob.ts'
import { chainOf, type Selectable } from './rule-book.ts'
import type { RevocationRule } from './rules.ts'

/** What a rule is about, before it is known from when on. */
export type Selector = Pick<RevocationRule, 'k' | 'v' | 'c'>

/** Older than this before now, in seconds, nothing can have an `iat` that is ahead. */
const SETTLED = 60

/** Lists by which the tokens that a rule is about are found; see {@link tokensOf}. */
export function tokenIndexes(token: Revocable): readonly string[] {
  const { clientId, subject, gid, jkt } = token
  const indexes = [`client:${clientId}`, `subject:${subject}`, `grant:${gid}`]
  if (jkt !== undefined) indexes.push(`key:${jkt}`)
  for (const party of chainOf(token)) {
    indexes.push(`party:${party.sub}`)
    if (party.jkt !== undefined) indexes.push(`party-key:${party.jkt}`)
  }
  return [...new Set(indexes)]
}

/** Live access tokens that a rule is about, each once, whenever they were issued. */
export async function tokensOf(store: IssuerStore, selector: Selector): Promise<readonly IssuedToken[]> {
  if (selector.k === 'jti') {
    const token = await store.get('token', selector.v)
    return token === undefined ? [] : [token]
  }
  const found = new Map<string, IssuedToken>()
  for (const index of indexesOf(selector)) {
    for await (const token of everyRecord(store, 'token', index)) {
      if (selects(selector, token)) found.set(token.jti, token)
    }
  }
  return [...found.values()]
}

/**
 * The latest `iat` of codes, refresh tokens and consents that a rule is about: at most seconds ahead of the clock, so of
 * codes and refresh tokens only those are looked at that were made lately. A consent may be renewed where it is.
 */
export async function latestGrant(store: IssuerStore, selector: Selector, now: number): Promise<number> {
  let latest = Number.NEGATIVE_INFINITY
  const look = (record: Revocable) => {
    if (selects(selector, record)) latest = Math.max(latest, record.issuedAt)
  }
  for (const kind of ['code', 'refresh'] as const) {
    for await (const record of everyRecord(store, kind)) {
      if (record.issuedAt < now - SETTLED) break
      look(record)
    }
  }
  const { k, v } = selector
  const index = k === 'cid' ? `client:${v}` : k === 'sub' ? `user:${v}` : undefined
  for await (const consent of everyRecord(store, 'consent', index)) look(consent)
  return latest
}

/** `undefined`: no list is as narrow as all of them. */
function indexesOf({ k, v, c }: Selector): readonly (string | undefined)[] {
  switch (k) {
    case 'gid':
      return [`grant:${v}`]
    case 'cid':
      return c ? [`client:${v}`, `party:${v}`] : [`client:${v}`]
    case 'sub':
      return c ? [`subject:${v}`, `party:${v}`] : [`subject:${v}`]
    case 'jkt':
      return c ? [`key:${v}`, `party-key:${v}`] : [`key:${v}`]
    default:
      return [undefined]
  }
}

function selects({ k, v, c = false }: Selector, selectable: Selectable): boolean {
  const inChain = (is: (sub: string) => boolean) => c && chainOf(selectable).some(({ sub }) => is(sub))
  const isIt = (sub: string) => sub === v
  switch (k) {
    case 'jti':
      return selectable.jti === v
    case 'gid':
      return selectable.gid === v
    case 'cid':
      return selectable.clientId === v || inChain(isIt)
    case 'sub':
      return selectable.subject === v || inChain(isIt)
    case 'jkt':
      return selectable.jkt === v || (c && chainOf(selectable).some(({ jkt }) => jkt === v))
    case 'glob': {
      const matches = (sub: string) => matchesGlob(v, sub)
      return matches(selectable.clientId) || inChain(matches)
    }
    case 'kid':
      return false
  }
}

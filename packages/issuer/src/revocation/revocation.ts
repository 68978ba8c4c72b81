import type { Settings } from '../options.ts'
import { randomId } from '../random.ts'
import type { Client, IssuedToken, Revocable } from '../records.ts'
import type { StatusLists } from '../status-list/status-lists.ts'
import { everyRecord } from '../store.ts'
import { latestGrant, type Selector, tokensOf } from './affected.ts'
import { Followers } from './followers.ts'
import { RuleBook, type Selectable } from './rule-book.ts'
import type { RevocationRule } from './rules.ts'

/** Longer than any clock is wrong: a rule outlives by this what it ends. */
const SKEW = 60
/** How far `iat` may run ahead of the clock, when tokens and revocations follow one another within one second. */
const MAX_AHEAD = 5
/** Audit events are kept for 90 days. */
const AUDIT_LIFE = 90 * 86_400

/** What is revoked for all time, and what is revoked as far as it was issued by now. */
type Kind = RevocationRule['k']
const UNDATED: ReadonlySet<Kind> = new Set(['jti', 'gid', 'jkt', 'kid'])

/** Why something was revoked, for the audit log. */
interface Event {
  readonly action: string
  readonly target: string
  readonly reason?: string | undefined
  readonly details?: Readonly<Record<string, unknown>>
}

/** What a rule is to end: live tokens, and the latest `iat` of codes, refresh tokens and consents. */
interface Affected {
  readonly selector: Selector
  readonly tokens: readonly IssuedToken[]
  readonly latest: number
}

/** How many live tokens were ended that had not been before, and the event that says so. */
export interface Revoked {
  readonly count: number
  readonly auditEventId: string
}

/**
 * Turns each of the five layers, and key rotation, into rules. Every call is a snapshot: what was issued so far ends, what
 * comes later lives. A token issued after a revocation, in the same second, gets an `iat` that says so. A call resolves
 * when the guards that follow the list here have its rules; see {@link Followers}.
 *
 * **Delegation chains.** Compromise spreads along them, so a rule about an agent, a user or a key also ends tokens in whose
 * chain it occurs; `chain: false` keeps it to the agent's own. Only the vault's rules never do: who lost access to a
 * secret was not thereby compromised. One token takes along what was exchanged for it.
 */
export function createRevocation(settings: Settings, statusLists?: StatusLists) {
  const { store, clock, longestLife, tokenLifetime } = settings
  const book = new RuleBook(store, clock)
  const followers = new Followers()

  async function audit(
    action: string,
    target: string,
    reason: string | undefined,
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const id = `aud_${randomId()}`
    const at = Math.floor(clock())
    const options = { expiresAt: at + AUDIT_LIFE, indexes: [`action:${action}`, `target:${target}`] }
    await store.add('audit', id, { id, action, target, reason, details, at }, options)
    return id
  }

  /** The one way of every layer: rules, then the event, then until the guards have them. */
  async function revoke(selectors: readonly Selector[], event: Event): Promise<Revoked> {
    const affected: Affected[] = []
    const ended = new Set<string>()
    for (const selector of selectors) {
      const tokens = await tokensOf(store, selector)
      for (const token of tokens) if (!(await book.revokes(token))) ended.add(token.jti)
      const latest = UNDATED.has(selector.k) ? 0 : await latestGrant(store, selector, Math.floor(clock()))
      affected.push({ selector, tokens, latest })
    }
    // Dated when everything has been looked at: what was renewed while that took is older than its rule.
    const rules = affected.map(ruleOf)
    const seq = rules.length === 0 ? 0 : await store.appendRules(rules)
    if (statusLists !== undefined) await publishStatus(statusLists, selectors)
    const count = ended.size
    const { action, target, reason, details } = event
    const [auditEventId] = await Promise.all([
      audit(action, target, reason, { ...details, count }),
      followers.haveSeen(seq),
    ])
    return { count, auditEventId }
  }

  /** After the rules are there: a token that is issued meanwhile is found either here or by whoever issues it. */
  async function publishStatus(lists: StatusLists, selectors: readonly Selector[]): Promise<void> {
    const revoked: IssuedToken[] = []
    for (const selector of selectors) {
      for (const token of await tokensOf(store, selector)) if (await book.revokes(token)) revoked.push(token)
    }
    await lists.revoke(revoked)
  }

  function ruleOf({ selector, tokens, latest }: Affected): RevocationRule {
    const now = Math.floor(clock())
    const lastExpiry = tokens.reduce((last, { expiresAt }) => Math.max(last, expiresAt), now + tokenLifetime)
    if (UNDATED.has(selector.k)) {
      // A single token has no successor; of a grant and of a key, refresh tokens and consents may be left.
      const x = selector.k === 'jti' ? lastExpiry : now + longestLife
      return { ...selector, x: Math.max(x, lastExpiry) + SKEW, u: lastExpiry + SKEW }
    }
    const newest = tokens.reduce((last, { issuedAt }) => Math.max(last, issuedAt), Math.max(latest, now))
    const b = Math.floor(newest) + 1
    return { ...selector, b, x: b + longestLife + SKEW, u: Math.max(b, lastExpiry) + SKEW }
  }

  /** A token, and those that were exchanged for it, for one of these, and so on. */
  async function descent(token: IssuedToken): Promise<readonly IssuedToken[]> {
    const tokens = [token]
    for (const { jti } of tokens) {
      for await (const derived of everyRecord(store, 'token', `parent:${jti}`)) tokens.push(derived)
    }
    return tokens
  }

  return {
    audit,
    followers,

    /** L1: one access token, and what was exchanged for it. */
    async revokeToken(token: IssuedToken, reason?: string): Promise<Revoked> {
      const selectors = (await descent(token)).map(({ jti }) => ({ k: 'jti', v: jti }) as const)
      const details = { client_id: token.clientId }
      return revoke(selectors, { action: 'oauth.token_revoked', target: token.jti, reason, details })
    },

    /** L1 by a refresh token: the whole grant, all tokens that came and might come of one authorization. */
    async revokeGrant(grant: Revocable, action = 'oauth.grant_revoked', reason?: string): Promise<Revoked> {
      const details = { client_id: grant.clientId }
      return revoke([{ k: 'gid', v: grant.gid }], { action, target: grant.gid, reason, details })
    },

    /** L2: all tokens of one agent issued so far. */
    async revokeClient(client: Client, action: string, reason?: string, chain = true): Promise<Revoked> {
      const details = { client_id: client.id }
      return revoke([cid(client.id, chain)], { action, target: client.agentId, reason, details })
    },

    /**
     * Key rotation: all tokens of the agent so far end, and the key it had, with any other it has live tokens for, can
     * never be bound again.
     */
    async rotateKey(client: Client, newJkt: string, reason?: string): Promise<Revoked & { oldJkt?: string }> {
      const tokens = await tokensOf(store, { k: 'cid', v: client.id })
      const keys = new Set([client.jkt, ...tokens.map(({ jkt }) => jkt)])
      keys.delete(newJkt)
      const old = [...keys].filter((jkt) => jkt !== undefined)
      for (const jkt of old) await store.add('retired', jkt, { clientId: client.id })
      await store.update('client', client.id, (now) => ({ ...now, jkt: newJkt }))
      const selectors = [cid(client.id), ...old.map((jkt) => ({ k: 'jkt', v: jkt, c: true }) as const)]
      const oldJkt = client.jkt ?? old[0]
      const revoked = await revoke(selectors, {
        action: 'agent.dpop_key_rotated',
        target: client.agentId,
        reason,
        details: { client_id: client.id, old_jkt: oldJkt, new_jkt: newJkt },
      })
      return oldJkt === undefined ? revoked : { ...revoked, oldJkt }
    },

    /**
     * L3: the agents that a user created, which are deactivated, or authorized; and, unless only some agents are chosen,
     * every token in the user's name.
     * @param chosen agent ids or client ids; of those that are not the user's, nothing happens
     */
    async revokeUser(userId: string, reason?: string, chosen?: readonly string[]) {
      const isChosen = ({ id, agentId }: Client) =>
        chosen === undefined || chosen.includes(id) || chosen.includes(agentId)
      const agents = new Map<string, Client>()
      for await (const client of everyRecord(store, 'client', `creator:${userId}`)) {
        if (!isChosen(client)) continue
        agents.set(client.id, client)
        await store.update('client', client.id, (now) => ({ ...now, active: false }))
      }
      let consents = 0
      for await (const consent of everyRecord(store, 'consent', `user:${userId}`)) {
        const client = await store.get('client', consent.clientId)
        if (client === undefined || !isChosen(client) || (await book.revokes(consent))) continue
        consents++
        agents.set(client.id, client)
      }
      const own = chosen === undefined ? [{ k: 'sub', v: userId, c: true } as const] : []
      const selectors = [...[...agents.keys()].map((id) => cid(id)), ...own]
      const agentIds = [...agents.values()].map(({ agentId }) => agentId)
      const details = { agent_ids: agentIds, consents }
      const event = { action: 'user.cascade_revoked_agents', target: userId, reason, details }
      return { ...(await revoke(selectors, event)), agentIds, consents }
    },

    /** L4: agents whose client id matches a pattern, by SQLite's GLOB. */
    async revokePattern(pattern: string, reason?: string, chain = true): Promise<Revoked> {
      const selector = { k: 'glob', v: pattern, ...(chain ? { c: true } : {}) } as const
      return revoke([selector], { action: 'oauth.bulk_revoke_pattern', target: pattern, reason })
    },

    /** L5: every agent that ever used a vault connection. @returns also the agents' ids */
    async revokeVaultUsers(
      connectionId: string,
      clientIds: readonly string[],
      reason?: string,
    ): Promise<Revoked & { readonly agentIds: readonly string[] }> {
      const clients = await Promise.all(clientIds.map((id) => store.get('client', id)))
      const agentIds = clients.flatMap((client) => client?.agentId ?? [])
      const selectors = clientIds.map((id) => cid(id, false))
      const details = { agent_ids: agentIds, client_ids: clientIds }
      const event = { action: 'vault.disconnect_cascade', target: connectionId, reason, details }
      return { ...(await revoke(selectors, event)), agentIds }
    },

    /** Signing keys that are trusted no more: everything they signed. */
    async withdrawKeys(kids: readonly string[], reason?: string): Promise<Revoked> {
      const selectors = kids.map((v) => ({ k: 'kid', v }) as const)
      const target = kids.join(' ')
      return revoke(selectors, { action: 'signing_key.withdrawn', target, reason })
    },

    /** Whether a token, code, refresh token or consent has been revoked, by the same rules that guards get. */
    isRevoked: (revocable: Revocable): Promise<boolean> => book.revokes(revocable),

    /**
     * The `iat` of what is issued now: after every revocation that would match it. Waits out what would lie further ahead
     * than guards tolerate.
     */
    async issuedAt(selectable: Selectable): Promise<number> {
      for (;;) {
        const now = clock()
        const first = Math.max(Math.floor(now), await book.clearFrom(selectable))
        if (first - now <= MAX_AHEAD) return first
        await new Promise((resolve) => setTimeout(resolve, 1000))
        // The clock of a test may stand still, and never catch up.
        if (clock() === now) return first
      }
    },
  }
}

export type Revocation = ReturnType<typeof createRevocation>

function cid(id: string, chain = true): Selector {
  return chain ? { k: 'cid', v: id, c: true } : { k: 'cid', v: id }
}

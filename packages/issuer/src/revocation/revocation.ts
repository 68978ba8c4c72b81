import type { Settings } from '../options.ts'
import { randomId } from '../random.ts'
import type { Client, IssuedToken, Revocable } from '../records.ts'
import { everyRecord } from '../store.ts'
import { matchesGlob } from './glob.ts'
import type { RevocationRule } from './rules.ts'

/** Longer than any token can live, and any clock be wrong: a rule is kept until then. */
const SKEW = 60
/** How far `iat` may run ahead of the clock, when tokens and revocations follow one another within one second. */
const MAX_AHEAD = 5
/** Audit events are kept for 90 days. */
const AUDIT_LIFE = 90 * 86_400

/**
 * Turns each of the five layers, and key rotation, into rules. Every call is a snapshot: tokens issued so far end, later
 * ones live. A token issued after a revocation, in the same second, gets an `iat` that says so.
 */
export function createRevocation({ store, clock, longestLife }: Settings) {
  async function audit(
    action: string,
    target: string,
    reason: string | undefined,
    details = {},
  ): Promise<string> {
    const id = `aud_${randomId()}`
    const at = Math.floor(clock())
    const options = { expiresAt: at + AUDIT_LIFE, indexes: [`action:${action}`, `target:${target}`] }
    await store.add('audit', id, { id, action, target, reason, details, at }, options)
    return id
  }

  /** All tokens of a client that were issued so far. */
  async function clientRule(clientId: string): Promise<{ rule: RevocationRule; count: number }> {
    const now = clock()
    let latest = Math.floor(now)
    let count = 0
    for await (const token of everyRecord(store, 'token', `client:${clientId}`)) {
      latest = Math.max(latest, token.issuedAt)
      count++
    }
    return { rule: timed('cid', clientId, latest + 1), count }
  }

  function timed(k: RevocationRule['k'], v: string, before: number): RevocationRule {
    return { k, v, b: before, x: before + longestLife + SKEW }
  }

  return {
    audit,

    /** L1: one access token. */
    async revokeToken(token: IssuedToken, reason?: string): Promise<void> {
      await store.appendRules([{ k: 'jti', v: token.jti, x: token.expiresAt + SKEW }])
      await audit('oauth.token_revoked', token.jti, reason, { client_id: token.clientId })
    },

    /** L2: all tokens of one agent issued so far. */
    async revokeClient(client: Client, action: string, reason?: string) {
      const { rule, count } = await clientRule(client.id)
      await store.appendRules([rule])
      return {
        count,
        auditEventId: await audit(action, client.agentId, reason, { client_id: client.id, count }),
      }
    },

    /** Key rotation: the old key can never be bound again, and all tokens of the agent so far end. */
    async rotateKey(client: Client, newJkt: string, reason?: string) {
      const { rule, count } = await clientRule(client.id)
      const rules = [rule]
      if (client.jkt !== undefined && client.jkt !== newJkt) {
        await store.add('retired', client.jkt, { clientId: client.id })
        rules.push({
          k: 'jkt',
          v: client.jkt,
          x: Math.floor(clock()) + longestLife + SKEW,
        })
      }
      await store.appendRules(rules)
      await store.update('client', client.id, (now) => ({ ...now, jkt: newJkt }))
      const details = { client_id: client.id, old_jkt: client.jkt, new_jkt: newJkt, count }
      return { count, auditEventId: await audit('agent.dpop_key_rotated', client.agentId, reason, details) }
    },

    /** L3: agents that the user created, and tokens in the user's name. */
    async revokeUser(userId: string, agents: readonly Client[], reason?: string) {
      const rules = await Promise.all(agents.map(async ({ id }) => (await clientRule(id)).rule))
      for (const { id } of agents) await store.update('client', id, (now) => ({ ...now, active: false }))
      await store.appendRules([...rules, timed('sub', userId, Math.floor(clock()) + 1)])
      const agentIds = agents.map(({ agentId }) => agentId)
      return audit('user.cascade_revoked_agents', userId, reason, { agent_ids: agentIds })
    },

    /** L4: agents whose client id matches a pattern, by SQLite's GLOB. */
    async revokePattern(pattern: string, reason?: string) {
      const parts: Awaited<ReturnType<typeof clientRule>>[] = []
      for await (const { id } of everyRecord(store, 'client')) {
        if (matchesGlob(pattern, id)) parts.push(await clientRule(id))
      }
      const before = parts.reduce((max, { rule }) => Math.max(max, rule.b ?? 0), Math.floor(clock()) + 1)
      await store.appendRules([timed('glob', pattern, before)])
      const count = parts.reduce((sum, part) => sum + part.count, 0)
      return { count, auditEventId: await audit('oauth.bulk_revoke_pattern', pattern, reason, { count }) }
    },

    /** L5: every agent that ever used a vault connection. */
    async revokeVaultUsers(connectionId: string, clientIds: readonly string[], reason?: string) {
      const rules = await Promise.all(clientIds.map(async (id) => (await clientRule(id)).rule))
      await store.appendRules(rules)
      return audit('vault.disconnect_cascade', connectionId, reason, { client_ids: clientIds })
    },

    /** Whether a token, code or consent has been revoked, by the same rules that guards get. */
    async isRevoked(token: Revocable): Promise<boolean> {
      const { rules } = await store.rulesSince(0)
      return rules.some(
        (rule) => matches(rule, token) && (rule.b === undefined || Math.floor(token.issuedAt) < rule.b),
      )
    },

    /**
     * The `iat` of a token issued now: after every revocation that would match it. Waits out what would lie further ahead
     * than guards tolerate.
     */
    async issuedAt(token: Omit<Revocable, 'jti' | 'issuedAt'>): Promise<number> {
      for (;;) {
        const now = clock()
        const { rules } = await store.rulesSince(0)
        const after = rules
          .filter((rule) => rule.b !== undefined && matches(rule, token))
          .reduce((max, rule) => Math.max(max, rule.b as number), Math.floor(now))
        if (after - now <= MAX_AHEAD) return after
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }
    },
  }
}

type Matchable = Omit<Revocable, 'issuedAt'>

export type Revocation = ReturnType<typeof createRevocation>

function matches({ k, v }: RevocationRule, token: Matchable): boolean {
  switch (k) {
    case 'jti':
      return token.jti === v
    case 'gid':
      return token.gid === v
    case 'cid':
      return token.clientId === v
    case 'sub':
      return token.subject === v
    case 'jkt':
      return token.jkt === v
    case 'glob':
      return matchesGlob(v, token.clientId)
    case 'kid':
      return false
  }
}

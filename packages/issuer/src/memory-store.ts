import type { RevocationRule } from './revocation/rules.ts'
import type { AuditEvent, Client, IssuedToken, IssuerStore, MayActGrant, VaultConnection } from './store.ts'

const MAX_AUDIT_EVENTS = 10_000

/** Everything in this process, gone when it ends. */
export function memoryStore(): IssuerStore {
  const clients = new Map<string, Client>()
  const tokens = new Map<string, IssuedToken>()
  const claims = new Map<string, number>()
  const retired = new Set<string>()
  const vault = new Map<string, VaultConnection>()
  const mayAct = new Map<string, MayActGrant>()
  const waiting = new Set<() => void>()
  let audit: AuditEvent[] = []
  let rules: { seq: number; rule: RevocationRule }[] = []
  let seq = 0

  return {
    client: async (id) => clients.get(id),
    saveClient: async (client) => void clients.set(client.id, client),
    clients: async () => [...clients.values()].reverse(),

    async saveToken(token) {
      for (const [jti, { expiresAt }] of tokens) {
        if (expiresAt > token.issuedAt) break
        tokens.delete(jti)
      }
      tokens.set(token.jti, token)
    },
    token: async (jti) => tokens.get(jti),
    liveTokens: async (clientId, now) =>
      [...tokens.values()].filter((token) => token.clientId === clientId && token.expiresAt > now),

    async claim(key, expiresAt, now) {
      for (const [old, until] of claims) {
        if (until > now) break
        claims.delete(old)
      }
      if (claims.has(key)) return false
      claims.set(key, expiresAt)
      return true
    },

    async appendRules(added) {
      for (const rule of added) rules.push({ seq: ++seq, rule })
      for (const wake of waiting) wake()
      return seq
    },
    async rulesSince(since, now) {
      rules = rules.filter(({ rule }) => rule.x > now)
      return { seq, rules: rules.filter((entry) => entry.seq > since).map(({ rule }) => rule) }
    },
    waitForRules(since, seconds, signal) {
      if (seq > since || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, seconds * 1000)
        signal.addEventListener('abort', done)
        waiting.add(done)
      })
    },

    retireKey: async (jkt) => void retired.add(jkt),
    isRetiredKey: async (jkt) => retired.has(jkt),

    async appendAudit(event) {
      audit.push(event)
      if (audit.length > MAX_AUDIT_EVENTS) audit = audit.slice(-MAX_AUDIT_EVENTS / 2)
    },
    auditEvents: async () => [...audit].reverse(),

    saveVaultConnection: async (connection) => void vault.set(connection.id, connection),
    vaultConnections: async () => [...vault.values()],
    deleteVaultConnection: async (id) => void vault.delete(id),

    saveMayActGrant: async (grant) => void mayAct.set(grant.id, grant),
    mayActGrants: async () => [...mayAct.values()],
    deleteMayActGrant: async (id) => mayAct.delete(id),
  }
}

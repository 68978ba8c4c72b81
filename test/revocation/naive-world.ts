import { expect } from 'vitest'
import type { AccessToken } from '../../packages/core/src/access-token.ts'
import { parseActors } from '../../packages/core/src/actors.ts'
import { parseRevocationList } from '../../packages/core/src/revocation/revocation-list-claims.ts'
import { RuleSet } from '../../packages/core/src/revocation/rule-set.ts'
import { type AccessTokens, createAccessTokens } from '../../packages/issuer/src/access-token.ts'
import { memoryStore } from '../../packages/issuer/src/memory-store.ts'
import { resolveOptions } from '../../packages/issuer/src/options.ts'
import type { Act, Client, IssuedToken } from '../../packages/issuer/src/records.ts'
import { createRevocationList } from '../../packages/issuer/src/revocation/list.ts'
import { createRevocation } from '../../packages/issuer/src/revocation/revocation.ts'
import type { SigningKeys } from '../../packages/issuer/src/signing-keys.ts'

const ISSUER = 'http://as.example.com'
const agent = (n: number) => `agent-${n}`
const user = (n: number) => `user-${n}`
/** As long as a thumbprint, which is all that a guard takes for a key. */
const key = (name: string | number) => `${name}-`.padEnd(43, 'A')
/** What SQLite's GLOB says of the names there are. */
const MATCHES: Record<string, (name: string) => boolean> = {
  'a*': (name) => name.startsWith('a'),
  '*[01]': (name) => /[01]$/.test(name),
  'agent-?': (name) => /^agent-.$/.test(name),
  '*[!2]': (name) => /[!2]$/.test(name),
}

export type Event =
  | { does: 'mint'; who: number; user: number; key: number }
  | { does: 'exchange'; of: number; who: number; key: number }
  | { does: 'L1' | 'grant'; of: number }
  | { does: 'L2'; who: number; chain: boolean }
  | { does: 'rotate'; who: number }
  | { does: 'L3'; user: number }
  | { does: 'L4'; glob: string }
  | { does: 'L5'; who: readonly number[] }
  | { does: 'tick'; by: number }
  | { does: 'deliver'; from: number; shuffle: number }
  | { does: 'restart'; what: 'issuer' | 'guard' }

export interface Tally {
  decided: number
  revoked: number
  /** Tokens that were minted in the second of a revocation, after it. */
  sameSecond: number
}

interface Known {
  readonly record: IssuedToken
  readonly parent: Known | undefined
  readonly token: AccessToken
  /** Numbers of the calls that ended it. */
  readonly endedBy: Set<number>
}

/**
 * An issuer and a guard, of our code but for signatures, beside what revoking means: a call ends the tokens that there are
 * and that it is about, each by name. No rule, no cut-off, no date.
 */
export class World {
  now = 1_800_000_000
  readonly #store = memoryStore({ clock: () => this.now })
  #issuer = this.#startIssuer()
  #rules = new RuleSet()
  readonly #tokens: Known[] = []
  /** By number of the call, the number of the list after it. */
  readonly #calls: number[] = []
  readonly #delivered = new Set<number>()
  readonly #inactive = new Set<string>()
  #lastRevoked = 0
  #fresh = 0
  #agents: Promise<unknown> | undefined

  async happen(event: Event): Promise<void> {
    this.#agents ??= Promise.all([0, 1, 2, 3].map((n) => this.#register(n)))
    await this.#agents
    switch (event.does) {
      case 'tick':
        this.now += event.by
        return
      case 'mint':
        return this.#mint(agent(event.who), event.user === 3 ? undefined : user(event.user), key(event.key))
      case 'exchange':
        return this.#exchange(this.#pick(event.of), agent(event.who), key(event.key))
      case 'deliver':
        return this.#deliver(event.from, event.shuffle)
      case 'restart':
        if (event.what === 'issuer') this.#issuer = this.#startIssuer()
        else {
          this.#rules = new RuleSet()
          this.#delivered.clear()
        }
        return
      default:
        return this.#revoke(event)
    }
  }

  /** What the guard says, by what it has been told, and what the issuer says, who knows. */
  async compare(tally: Tally): Promise<void> {
    tally.sameSecond += this.#fresh
    this.#fresh = 0
    for (const known of this.#tokens) {
      if (this.now >= known.record.expiresAt) continue
      const expected = [...known.endedBy].some((call) => this.#delivered.has(call))
      tally.decided++
      if (expected) tally.revoked++
      if (this.#rules.revokes(known.token) !== expected) {
        expect({ guard: known, calls: this.#calls, delivered: [...this.#delivered] }).toBe(
          `revoked: ${expected}`,
        )
      }
      if ((await this.#issuer.revocation.isRevoked(known.record)) !== known.endedBy.size > 0) {
        expect({ issuer: known }).toBe(`revoked: ${known.endedBy.size > 0}`)
      }
    }
  }

  async #revoke(event: Exclude<Event, { does: 'tick' | 'mint' | 'exchange' | 'deliver' | 'restart' }>) {
    const { revocation } = this.#issuer
    const call = this.#calls.length
    const before = (await this.#store.rulesSince(0)).seq
    switch (event.does) {
      case 'L1': {
        const token = this.#pick(event.of)
        if (token === undefined) return
        await revocation.revokeToken(token.record)
        this.#end(call, (known) => isDescent(known, token))
        break
      }
      case 'grant': {
        const token = this.#pick(event.of)
        if (token === undefined) return
        await revocation.revokeGrant(token.record)
        this.#end(call, ({ record }) => record.gid === token.record.gid)
        break
      }
      case 'L2':
        await revocation.revokeClient(await this.#client(event.who), 'test', undefined, event.chain)
        this.#endClients(call, [agent(event.who)], event.chain)
        break
      case 'rotate':
        await this.#rotate(call, event.who)
        break
      case 'L3': {
        await revocation.revokeUser(user(event.user))
        const created = event.user < 2 ? [agent(event.user)] : []
        for (const id of created) this.#inactive.add(id)
        this.#endClients(call, created, true)
        const is = (name: string) => name === user(event.user)
        this.#end(call, ({ record }) => is(record.subject) || partiesOf(record).some(({ sub }) => is(sub)))
        break
      }
      case 'L4': {
        await revocation.revokePattern(event.glob)
        const is = MATCHES[event.glob] as (name: string) => boolean
        this.#end(call, ({ record }) => is(record.clientId) || partiesOf(record).some(({ sub }) => is(sub)))
        break
      }
      case 'L5':
        await revocation.revokeVaultUsers('vc', event.who.map(agent))
        this.#endClients(call, event.who.map(agent), false)
        break
    }
    const { seq } = await this.#store.rulesSince(0)
    if (seq > before) this.#lastRevoked = Math.floor(this.now)
    this.#calls.push(seq)
  }

  async #rotate(call: number, who: number): Promise<void> {
    const client = await this.#client(who)
    const live = this.#tokens.filter(
      ({ record }) => record.clientId === client.id && record.expiresAt > this.now,
    )
    const old = new Set([client.jkt, ...live.map(({ record }) => record.jkt)])
    old.delete(undefined)
    await this.#issuer.revocation.rotateKey(client, key(`new-${call}`))
    this.#endClients(call, [client.id], true)
    this.#end(
      call,
      ({ record }) =>
        old.has(record.jkt) || partiesOf(record).some(({ jkt }) => jkt !== undefined && old.has(jkt)),
    )
    for (const jkt of old) expect(await this.#store.get('retired', jkt as string)).toBeDefined()
  }

  #endClients(call: number, ids: readonly string[], chain: boolean): void {
    const is = (name: string) => ids.includes(name)
    this.#end(
      call,
      ({ record }) => is(record.clientId) || (chain && partiesOf(record).some(({ sub }) => is(sub))),
    )
  }

  #end(call: number, matches: (known: Known) => boolean): void {
    for (const known of this.#tokens) if (matches(known)) known.endedBy.add(call)
  }

  async #mint(clientId: string, subject = clientId, jkt: string): Promise<void> {
    if (this.#inactive.has(clientId) || (await this.#store.get('retired', jkt)) !== undefined) return
    await this.#store.update('client', clientId, (client) => ({ jkt, ...client }))
    await this.#issue({ clientId, subject, jkt }, undefined)
  }

  async #exchange(from: Known | undefined, clientId: string, jkt: string): Promise<void> {
    if (from === undefined || from.record.expiresAt <= this.now || this.#inactive.has(clientId)) return
    if ((await this.#store.get('retired', jkt)) !== undefined) return
    const { record } = from
    const act: Act = { sub: clientId, jkt, act: record.act }
    if (chainLength(act) > 5) return
    const issued = { clientId, subject: record.subject, gid: record.gid, act }
    const issuedAt = await this.#issuer.tokens.issuedAt(record, issued)
    // The issuer knows which subject tokens are revoked.
    expect(issuedAt === undefined).toBe(from.endedBy.size > 0)
    if (issuedAt === undefined) return
    const lifetime = record.expiresAt - Math.floor(this.now)
    await this.#issue({ ...issued, issuedAt, lifetime, parent: record.jti }, from)
  }

  async #issue(
    request: Omit<Parameters<AccessTokens['issue']>[0], 'audience' | 'scope'>,
    parent: Known | undefined,
  ): Promise<void> {
    const { token: text } = await this.#issuer.tokens.issue({ ...request, audience: 'http://rs', scope: '' })
    const claims = JSON.parse(text)
    const record = (await this.#store.get('token', claims.jti)) as IssuedToken
    this.#tokens.push({ record, parent, token: read(claims), endedBy: new Set() })
    if (Math.floor(this.now) === this.#lastRevoked) this.#fresh++
    // Nobody mints faster than the issuer lets them: it would wait.
    if (record.issuedAt - this.now > 3) this.now += 3
  }

  /** The list after some number, as the issuer gives it, its rules shuffled, and some of them twice. */
  async #deliver(from: number, shuffle: number): Promise<void> {
    // A call's rules are appended together, so nobody ever has some of them.
    const states = [0, ...this.#calls]
    const since = states[from % states.length] as number
    const answer = await this.#issuer.list(
      new URLSearchParams({ since: `${since}` }),
      new AbortController().signal,
    )
    const claims = JSON.parse(await answer.text())
    claims.rules = shuffled(claims.rules, shuffle)
    const list = parseRevocationList(claims, { issuer: ISSUER, since, now: this.now })
    this.#rules.add(list.rules, this.now)
    this.#rules.purge(this.now)
    for (const [call, after] of this.#calls.entries()) if (after > since) this.#delivered.add(call)
  }

  #startIssuer() {
    const clock = () => this.now
    const settings = resolveOptions({
      issuer: ISSUER,
      store: this.#store,
      clock,
      tokenLifetime: 60,
      statusList: false,
    })
    const keys = { sign: async (claims: object) => JSON.stringify(claims) } as unknown as SigningKeys
    const revocation = createRevocation(settings)
    const tokens = createAccessTokens(settings, keys, revocation, undefined)
    return { revocation, tokens, list: createRevocationList(settings, keys, revocation.followers) }
  }

  async #register(n: number): Promise<void> {
    const client = { id: agent(n), agentId: `agent_${n}`, active: true } as Client
    const indexes = n < 2 ? [`creator:${user(n)}`] : []
    await this.#store.add('client', client.id, client, { indexes })
  }

  async #client(n: number): Promise<Client> {
    return (await this.#store.get('client', agent(n))) as Client
  }

  #pick(n: number): Known | undefined {
    return this.#tokens[n % Math.max(1, this.#tokens.length)]
  }
}

function isDescent(known: Known | undefined, from: Known): boolean {
  return known !== undefined && (known === from || isDescent(known.parent, from))
}

function partiesOf({ subject, act }: IssuedToken): { sub: string; jkt?: string | undefined }[] {
  const actors: Act[] = []
  for (let actor = act; actor !== undefined; actor = actor.act) actors.push(actor)
  return act === undefined ? [] : [{ sub: subject }, ...actors]
}

const chainLength = (act: Act | undefined): number => (act === undefined ? 0 : 1 + chainLength(act.act))

function read(claims: Claims): AccessToken {
  return {
    issuer: claims.iss,
    subject: claims.sub,
    clientId: claims.client_id,
    audience: [claims.aud],
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    notBefore: 0,
    id: claims.jti,
    grant: claims.gid,
    scopes: [],
    jkt: claims.cnf?.jkt,
    actors: parseActors(claims.act),
    keyId: undefined,
    hash: claims.jti,
    claims,
  }
}

interface Claims extends Record<'iss' | 'sub' | 'aud' | 'client_id' | 'jti' | 'gid', string> {
  readonly iat: number
  readonly exp: number
  readonly cnf?: { readonly jkt: string }
  readonly act?: unknown
  readonly [claim: string]: unknown
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  return items
    .map((item, i) => ({ item, order: Math.imul(i + 1, seed | 1) ^ (seed >>> 3) }))
    .sort((a, b) => a.order - b.order)
    .flatMap(({ item }, i) => (i % 3 === 0 ? [item, item] : [item]))
}

import { invalidProof } from '../dpop.ts'
import { invalidRequest, OAuthError } from '../errors.ts'
import type { Parts } from '../parts.ts'
import type { Act, Client, IssuedToken, MayActGrant } from '../records.ts'
import { narrowScope, parseScope } from '../scope.ts'
import { everyRecord } from '../store.ts'
import { targetsOf } from '../target.ts'
import { type Grant, type GrantRequest, tokenResponse } from './grant.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

const invalidToken = (which: string) => invalidRequest(`${which} is not a valid access token of this issuer`)
const accessDenied = (description: string) => new OAuthError('access_denied', description, { status: 403 })

/**
 * Token exchange (RFC 8693), for delegation: the client acts for the subject of the token it presents, which stays `sub`,
 * and becomes the outermost actor. Needs a may-act grant, or a `may_act` claim, whose hops and scopes bound it; what the
 * client itself is registered for does not matter. The scope never widens, the lifetime ends with the subject token's, and
 * so does the whole when the subject token's grant is revoked.
 */
export function tokenExchangeGrant({ settings, tokens }: Parts): Grant {
  return async (request) => {
    const { client, form, jkt } = request
    if (client.authMethod === 'none') {
      throw new OAuthError('unauthorized_client', 'A public client cannot exchange tokens')
    }
    if ((form.get('requested_token_type')?.[0] ?? ACCESS_TOKEN) !== ACCESS_TOKEN) {
      throw invalidRequest('requested_token_type must be that of an access token')
    }
    const { record: subject, claims } = await requireToken(request, 'subject_token')
    const actor = await actorOf(request)
    const act: Act = { sub: actor, jkt, act: subject.act }
    const may = await requirePermission(client, subject, claims.may_act, depth(act))
    const scope = narrowScope(parseScope(form.get('scope')?.[0]), within(subject.scope, may?.scopes ?? []))
    const named = targetsOf(form, settings)
    const audience = named.length > 0 ? named : subject.audience
    const issued = { clientId: client.id, subject: subject.subject, gid: subject.gid, jkt, act }
    const issuedAt = await tokens.issuedAt(subject, issued)
    if (issuedAt === undefined) throw invalidToken('subject_token')
    const lifetime = Math.min(settings.tokenLifetime, subject.expiresAt - Math.floor(settings.clock()))
    const parent = subject.jti
    const token = await tokens.issue({ ...issued, audience, scope, issuedAt, lifetime, parent })
    return tokenResponse(token, { jkt, scope }, { issued_token_type: ACCESS_TOKEN })
  }

  /**
   * A token that the request presents, and may present: a bound one only with a proof of its key, or by the client it was
   * issued to; what comes of it stays bound.
   */
  async function requireToken({ form, client, jkt }: GrantRequest, name: 'subject_token' | 'actor_token') {
    const text = form.get(name)?.[0]
    if (text === undefined) throw invalidRequest(`${name} is required`)
    if (form.get(`${name}_type`)?.[0] !== ACCESS_TOKEN) {
      throw invalidRequest(`${name}_type must be ${ACCESS_TOKEN}`)
    }
    const found = await tokens.verify(text)
    if (found === undefined) throw invalidToken(name)
    const bound = found.record.jkt
    if (bound !== undefined && jkt === undefined)
      throw invalidProof(`${name} is bound: a DPoP proof is required`)
    if (bound !== undefined && bound !== jkt && found.record.clientId !== client.id) {
      throw invalidRequest(`${name} is bound to a key that this request does not prove`)
    }
    return found
  }

  /**
   * Who will act: the client. An `actor_token` has to say the same: with a user's name in the chain instead, what is
   * exchanged further would not end with the client.
   */
  async function actorOf(request: GrantRequest): Promise<string> {
    const { form, client } = request
    if (!form.has('actor_token') && !form.has('actor_token_type')) return client.id
    const { record } = await requireToken(request, 'actor_token')
    if (record.clientId !== client.id) throw invalidRequest('actor_token was issued to another client')
    if (record.subject !== client.id) throw invalidRequest('actor_token is in the name of somebody else')
    return client.id
  }

  /** @returns the grant that allows it; `undefined` where a `may_act` claim does (RFC 8693 §4.4) */
  async function requirePermission(
    client: Client,
    subject: IssuedToken,
    mayAct: unknown,
    hops: number,
  ): Promise<MayActGrant | undefined> {
    if ((mayAct as { sub?: unknown } | null | undefined)?.sub === client.id) return undefined
    const { store } = settings
    const to = [subject.subject, (await store.get('client', subject.subject))?.agentId]
    let tooFar = false
    for (const from of [client.id, client.agentId]) {
      for (const id of to) {
        for await (const grant of everyRecord(store, 'mayAct', `pair:${from} ${id}`)) {
          // Ids may have spaces in them, and then a list is of several pairs.
          if (grant.fromId !== from || grant.toId !== id) continue
          if (hops <= grant.maxHops) return grant
          tooFar = true
        }
      }
    }
    throw accessDenied(
      tooFar
        ? 'The delegation chain would be longer than the grant allows'
        : 'No grant allows to act for this subject',
    )
  }
}

const depth = (act: Act | undefined): number => (act === undefined ? 0 : 1 + depth(act.act))

/** Those of a scope's names that a grant allows; all, where it names none. */
function within(scope: string, allowed: readonly string[]): string {
  if (allowed.length === 0) return scope
  return scope
    .split(' ')
    .filter((name) => allowed.includes(name))
    .join(' ')
}

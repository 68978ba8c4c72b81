import type { Settings } from '../options.ts'
import { randomId } from '../random.ts'
import { type Client, type Consent, consentId } from '../records.ts'
import type { Revocation } from '../revocation/revocation.ts'
import type { AuthorizationRequest } from './request.ts'

/** What users have agreed to, so that they are not asked again, and that it is known who acts in their name. */
export function createConsents({ store, clock, refreshTokenLifetime }: Settings, revocation: Revocation) {
  const live = async (consent: Consent | undefined): Promise<Consent | undefined> =>
    consent === undefined || (await revocation.isRevoked(consent)) ? undefined : consent

  return {
    /** Whether the user need not be asked: has agreed to as much before, to a client that nobody else can be. */
    async covers(userId: string, request: AuthorizationRequest): Promise<boolean> {
      const { client, redirectUri, prompt, scopes, resources } = request
      if (prompt.has('consent') || !isUnmistakable(client, redirectUri)) return false
      const consent = await live(await store.get('consent', consentId(userId, client.id)))
      return (
        consent !== undefined &&
        scopes.every((scope) => consent.scopes.includes(scope)) &&
        resources.every((resource) => consent.resources.includes(resource))
      )
    },

    /** Adds what was agreed to now to what was before, unless that has been revoked. */
    async remember(userId: string, { client, scopes, resources }: AuthorizationRequest): Promise<void> {
      const id = consentId(userId, client.id)
      const before = await live(await store.get('consent', id))
      const gid = before?.gid ?? randomId()
      const revocable = { gid, clientId: client.id, subject: userId }
      const expiresAt = Math.floor(clock()) + refreshTokenLifetime
      const consent: Consent = {
        ...revocable,
        issuedAt: await revocation.issuedAt(revocable),
        scopes: union(before?.scopes, scopes),
        resources: union(before?.resources, resources),
        expiresAt,
      }
      const indexes = [`user:${userId}`, `client:${client.id}`]
      if (!(await store.add('consent', id, consent, { expiresAt, indexes }))) {
        await store.update('consent', id, () => consent, expiresAt)
      }
    },
  }
}

/** RFC 8252 §8.6: who listens on this machine, and has no secret, may be anybody. */
const isUnmistakable = ({ authMethod }: Client, redirectUri: string) =>
  authMethod !== 'none' || redirectUri.startsWith('https:')

const union = (before: readonly string[] = [], now: readonly string[]) => [...new Set([...before, ...now])]

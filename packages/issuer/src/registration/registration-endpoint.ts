import type { Context, Hono } from 'hono'
import { addClient, findClient } from '../clients.ts'
import { OAuthError } from '../errors.ts'
import { readJson, uncacheable } from '../http.ts'
import type { Settings } from '../options.ts'
import { isEqualInConstantTime, randomSecret, sha256 } from '../random.ts'
import type { Client } from '../records.ts'
import type { Revocation } from '../revocation/revocation.ts'
import { createClient, describeClient, hasSecret, type Registered } from './create-client.ts'
import { createRegistrationLimit } from './limits.ts'
import { parseReplacement } from './replacement.ts'
import { requireScopes } from './scopes.ts'

/** Seconds for which a rotated secret still works at the token endpoint. */
const SECRET_GRACE = 3600
/** Seconds for which a client is kept that is granted nothing. */
const UNUSED_LIFETIME = 86_400
/** Bytes of a registration: what a flood of them can cost. */
const MAX_SIZE = 8 * 1024

/** Dynamic client registration (RFC 7591) and its management (RFC 7592), under SharkAuth's paths. */
export function mountRegistration(app: Hono, settings: Settings, revocation: Revocation): void {
  const { store, clock, issuer, registration, longestLife } = settings
  const requireRoom = createRegistrationLimit(settings)
  const uri = (id: string) => `${issuer.replace(/\/$/, '')}/oauth/register/${id}`

  app.use('/oauth/register/*', async (c, next) => {
    uncacheable(c)
    await next()
  })

  app.post('/oauth/register', async (c) => {
    if (!registration.isOpen) {
      throw new OAuthError('access_denied', 'Registration is closed', { status: 403 })
    }
    const { initialAccessToken } = registration
    if (initialAccessToken !== undefined && !isEqualInConstantTime(bearer(c), initialAccessToken)) {
      throw unauthorized('Registration needs an initial access token')
    }
    requireRoom(c)
    const registered = await createClient(await readJson(c, MAX_SIZE), 'itself', settings)
    const client = {
      ...registered.client,
      scopes: requireScopes(registered.client.scopes, registration.scopes),
    }
    await addClient(store, client, clock() + UNUSED_LIFETIME)
    await revocation.audit('oauth.dcr.registered', client.id, undefined)
    return c.json(answer({ ...registered, client }), 201)
  })

  app.get('/oauth/register/:id', async (c) => c.json(describe(await authorize(c))))

  app.put('/oauth/register/:id', async (c) => {
    const old = await authorize(c)
    const replacement = await parseReplacement(await readJson(c, MAX_SIZE), old, settings)
    const scopes = requireScopes(replacement.scopes, registration.scopes)
    const newSecret = hasSecret(replacement) && old.secretHash === undefined ? randomSecret() : undefined
    const secretHash = newSecret && (await sha256(newSecret))
    const client = await change(old, (now) => ({
      ...now,
      ...replacement,
      scopes,
      secretHash: hasSecret(replacement) ? (secretHash ?? now.secretHash) : undefined,
      previousSecret: hasSecret(replacement) ? now.previousSecret : undefined,
    }))
    await revocation.audit('oauth.dcr.updated', client.id, undefined)
    return c.json({ ...describe(client), ...secretMembers(newSecret) })
  })

  app.delete('/oauth/register/:id', async (c) => {
    const client = await authorize(c)
    // Known as deactivated for as long as anything of it may live; then forgotten.
    await store.update('client', client.id, (now) => ({ ...now, active: false }), clock() + longestLife)
    await revocation.revokeClient(client, 'oauth.dcr.deleted')
    return c.body(null, 204)
  })

  app.post('/oauth/register/:id/secret', async (c) => {
    const old = await authorize(c)
    if (old.secretHash === undefined) {
      throw new OAuthError('invalid_client_metadata', 'The client is not registered for a secret')
    }
    const secret = randomSecret()
    const secretHash = await sha256(secret)
    const client = await change(old, (now) => ({
      ...now,
      secretHash,
      previousSecret: now.secretHash ? { hash: now.secretHash, until: clock() + SECRET_GRACE } : undefined,
    }))
    await revocation.audit('oauth.dcr.secret_rotated', client.id, undefined)
    return c.json({ client_id: client.id, ...secretMembers(secret) })
  })

  app.delete('/oauth/register/:id/registration-token', async (c) => {
    const token = randomSecret()
    const registrationTokenHash = await sha256(token)
    const client = await change(await authorize(c), (now) => ({ ...now, registrationTokenHash }))
    await revocation.audit('oauth.dcr.registration_token_rotated', client.id, undefined)
    return c.json({ client_id: client.id, registration_access_token: token })
  })

  function answer({ client, clientSecret, registrationToken }: Registered) {
    return {
      ...describe(client),
      ...secretMembers(clientSecret),
      registration_access_token: registrationToken,
    }
  }

  function describe(client: Client) {
    return { ...describeClient(client), registration_client_uri: uri(client.id) }
  }

  /** Unless the client has been deleted, or its registration token rotated, since it was authorized. */
  async function change(client: Client, make: (now: Client) => Client): Promise<Client> {
    const changed = await store.update('client', client.id, (now) => {
      if (!now.active || now.registrationTokenHash !== client.registrationTokenHash) throw invalidToken()
      return make(now)
    })
    if (changed === undefined) throw invalidToken()
    return changed
  }

  /** RFC 7592 §2: 401 for a wrong token and for an unknown client alike. */
  async function authorize(c: Context): Promise<Client> {
    const client = await findClient(store, c.req.param('id') ?? '')
    const hash = await sha256(bearer(c))
    const isRight =
      client?.active &&
      client.registeredBy === 'itself' &&
      client.registrationTokenHash !== undefined &&
      isEqualInConstantTime(hash, client.registrationTokenHash)
    if (!isRight) throw invalidToken()
    return client
  }
}

/** RFC 7591 §3.2.1: a secret comes with the time of its end; 0 for never. */
const secretMembers = (secret: string | undefined) =>
  secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }

const bearer = (c: Context) => /^bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''

const invalidToken = () => unauthorized('The registration access token is not valid')

const unauthorized = (description: string) =>
  new OAuthError('invalid_token', description, {
    status: 401,
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  })

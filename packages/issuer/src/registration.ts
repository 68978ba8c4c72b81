import type { Context, Hono } from 'hono'
import { addClient, createClient, describeClient, findClient, type Registered } from './clients.ts'
import { OAuthError } from './errors.ts'
import { readJson, uncacheable } from './http.ts'
import type { Settings } from './options.ts'
import { isEqualInConstantTime, randomSecret, sha256 } from './random.ts'
import type { Client } from './records.ts'
import type { Revocation } from './revocation/revocation.ts'

/** Seconds for which a rotated secret still works at the token endpoint. */
const SECRET_GRACE = 3600

/** Dynamic client registration (RFC 7591) and its management (RFC 7592), under SharkAuth's paths. */
export function mountRegistration(app: Hono, settings: Settings, revocation: Revocation): void {
  const { store, clock, issuer } = settings
  const uri = (id: string) => `${issuer.replace(/\/$/, '')}/oauth/register/${id}`

  app.post('/oauth/register', async (c) => {
    uncacheable(c)
    if (settings.registration === 'closed') {
      throw new OAuthError('access_denied', 'Registration is closed', { status: 403 })
    }
    const registered = await createClient(await readJson(c), 'shark_dcr_', clock())
    await addClient(store, registered.client)
    await revocation.audit('oauth.dcr.registered', registered.client.id, undefined)
    return c.json(answer(registered), 201)
  })

  app.get('/oauth/register/:id', async (c) => c.json(describe(await authorize(c))))

  app.put('/oauth/register/:id', async (c) => {
    const old = await authorize(c)
    const { client } = await createClient(await readJson(c), 'shark_dcr_', clock())
    const { id, agentId, secretHash, previousSecret, registrationTokenHash, createdAt, jkt } = old
    const kept = { id, agentId, secretHash, previousSecret, registrationTokenHash, createdAt, jkt }
    const replaced = { ...client, ...kept }
    await store.update('client', id, () => replaced)
    return c.json(describe(replaced))
  })

  app.delete('/oauth/register/:id', async (c) => {
    const client = await authorize(c)
    await store.update('client', client.id, (now) => ({ ...now, active: false }))
    await revocation.revokeClient(client, 'oauth.dcr.deleted')
    return c.body(null, 204)
  })

  app.post('/oauth/register/:id/secret', async (c) => {
    uncacheable(c)
    const client = await authorize(c)
    const secret = randomSecret()
    const previousSecret =
      client.secretHash === undefined ? undefined : { hash: client.secretHash, until: clock() + SECRET_GRACE }
    const secretHash = await sha256(secret)
    await store.update('client', client.id, (now) => ({ ...now, secretHash, previousSecret }))
    return c.json({ client_id: client.id, client_secret: secret, client_secret_expires_at: 0 })
  })

  app.delete('/oauth/register/:id/registration-token', async (c) => {
    uncacheable(c)
    const client = await authorize(c)
    const token = randomSecret()
    const registrationTokenHash = await sha256(token)
    await store.update('client', client.id, (now) => ({ ...now, registrationTokenHash }))
    return c.json({ client_id: client.id, registration_access_token: token })
  })

  function answer({ client, clientSecret, registrationToken }: Registered) {
    return {
      ...describe(client),
      ...(clientSecret === undefined ? {} : { client_secret: clientSecret, client_secret_expires_at: 0 }),
      registration_access_token: registrationToken,
    }
  }

  function describe(client: Client) {
    return { ...describeClient(client), registration_client_uri: uri(client.id) }
  }

  /** RFC 7592 §2: 401 for a wrong token and for an unknown client alike. */
  async function authorize(c: Context): Promise<Client> {
    const token = /^bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
    const client = await findClient(store, c.req.param('id') ?? '')
    const hash = await sha256(token)
    if (
      client?.active &&
      client.registrationTokenHash &&
      isEqualInConstantTime(hash, client.registrationTokenHash)
    ) {
      return client
    }
    throw new OAuthError('invalid_token', 'The registration access token is not valid', {
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    })
  }
}

import { invalidClient, invalidRequest } from './errors.ts'
import { isEqualInConstantTime, sha256 } from './random.ts'
import type { Client } from './records.ts'
import type { IssuerStore } from './store.ts'

/** A client by its id. */
export function findClient(store: IssuerStore, id: string): Promise<Client | undefined> {
  return store.get('client', id)
}

/** A client by its id, or by the admin API's name for it. */
export async function findAgent(store: IssuerStore, id: string): Promise<Client | undefined> {
  return (
    (await store.get('client', id)) ??
    (await store.list('client', { index: `agent:${id}`, limit: 1 })).data[0]
  )
}

/**
 * Keeps a new client where it is found by all its names.
 * @param expiresAt the second from which it is forgotten unless it has been used
 * @returns false if there is one with its id
 */
export function addClient(store: IssuerStore, client: Client, expiresAt?: number): Promise<boolean> {
  const creator = client.createdBy === undefined ? [] : [`creator:${client.createdBy}`]
  const indexes = [`agent:${client.agentId}`, ...creator]
  return store.add(
    'client',
    client.id,
    client,
    expiresAt === undefined ? { indexes } : { indexes, expiresAt },
  )
}

/** A client that registered itself and has been granted something is kept for good. */
export async function keepClient(store: IssuerStore, client: Client): Promise<void> {
  if (client.registeredBy !== 'itself' || client.used) return
  await store.update('client', client.id, (now) => ({ ...now, used: true }), Number.POSITIVE_INFINITY)
}

/**
 * Authenticates a client (RFC 6749 §2.3). One that was registered for `client_secret_basic` may also send its secret in
 * the body, and the other way round: SharkAuth's own SDK does the former.
 */
export async function authenticateClient(
  store: IssuerStore,
  authorization: string | undefined,
  form: ReadonlyMap<string, readonly string[]>,
  now: number,
): Promise<Client> {
  const basic = authorization === undefined ? undefined : parseBasic(authorization)
  const bodySecret = form.get('client_secret')?.[0]
  if (basic !== undefined && bodySecret !== undefined) {
    throw invalidRequest('The client authenticated in more than one way')
  }
  const id = basic?.id ?? form.get('client_id')?.[0]
  const secret = basic?.secret ?? bodySecret
  const client = id === undefined ? undefined : await findClient(store, id)
  if (client === undefined || !client.active) throw invalidClient()
  if (client.authMethod === 'none' && secret === undefined) return client
  if (secret === undefined || !(await isSecretOf(client, secret, now))) throw invalidClient()
  return client
}

async function isSecretOf(client: Client, secret: string, now: number): Promise<boolean> {
  const hash = await sha256(secret)
  const { secretHash, previousSecret } = client
  if (secretHash !== undefined && isEqualInConstantTime(hash, secretHash)) return true
  return (
    previousSecret !== undefined &&
    now < previousSecret.until &&
    isEqualInConstantTime(hash, previousSecret.hash)
  )
}

/** RFC 7617, with both parts form-encoded (RFC 6749 §2.3.1). */
function parseBasic(authorization: string): { id: string; secret: string } | undefined {
  const match = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)
  if (match === null) return undefined
  try {
    const [id, ...secret] = atob(match[1] as string).split(':')
    const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
    return { id: decode(id as string), secret: decode(secret.join(':')) }
  } catch {
    throw invalidClient()
  }
}

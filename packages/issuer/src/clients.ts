import { invalidClient } from './errors.ts'
import type { Settings } from './options.ts'
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
  return store.add('client', client.id, client, { indexes, ...(expiresAt !== undefined && { expiresAt }) })
}

/** A client that registered itself and has been granted something is kept for good. */
export async function keepClient(store: IssuerStore, client: Client): Promise<void> {
  if (client.registeredBy !== 'itself' || client.used) return
  await store.update('client', client.id, (now) => ({ ...now, used: true }), Number.POSITIVE_INFINITY)
}

/** @throws OAuthError `invalid_client` */
export async function activeClient(id: string | undefined, { store }: Settings): Promise<Client> {
  const client = id === undefined ? undefined : await findClient(store, id)
  if (client === undefined || !client.active) throw invalidClient()
  return client
}

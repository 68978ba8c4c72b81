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

/** Keeps a new client where it is found by all its names. */
export async function addClient(store: IssuerStore, client: Client): Promise<void> {
  const creator = client.createdBy === undefined ? [] : [`creator:${client.createdBy}`]
  await store.add('client', client.id, client, { indexes: [`agent:${client.agentId}`, ...creator] })
}

/** @throws OAuthError `invalid_client` */
export async function activeClient(id: string | undefined, { store }: Settings): Promise<Client> {
  const client = id === undefined ? undefined : await findClient(store, id)
  if (client === undefined || !client.active) throw invalidClient()
  return client
}

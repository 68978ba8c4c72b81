import { addClient } from './clients.ts'
import type { Settings } from './options.ts'
import { sha256 } from './random.ts'
import { type MetadataRules, parseClientMetadata } from './registration/client-metadata.ts'
import { createClient } from './registration/create-client.ts'
import { SharedAttempts, STORE_PATIENCE } from './shared-attempts.ts'

/**
 * A client that is known from the start: metadata by its names of RFC 7591 §2, and credentials of your choice. With a
 * secret it is a confidential client, without one a public one, unless `token_endpoint_auth_method` says otherwise.
 */
export interface SeedClient {
  readonly client_id: string
  readonly client_secret?: string
  readonly client_name?: string
  readonly [member: string]: unknown
}

/** @throws TypeError naming the option and what is wrong with it */
export function requireClients(clients: unknown = [], rules: MetadataRules): readonly SeedClient[] {
  if (!Array.isArray(clients)) throw new TypeError('issuer: clients: expected a list of client metadata')
  const ids = new Set<unknown>()
  for (const client of clients) {
    const { client_id: id, client_secret: secret } = Object(client)
    if (typeof id !== 'string' || !/^[\x20-\x7e]{1,200}$/.test(id) || ids.has(id)) {
      throw new TypeError('issuer: clients: client_id: expected printable ASCII, different for each')
    }
    if (secret !== undefined && !(typeof secret === 'string' && /^[\x20-\x7e]{8,}$/.test(secret))) {
      throw new TypeError('issuer: clients: client_secret: expected 8 characters or more of printable ASCII')
    }
    ids.add(id)
    try {
      parseClientMetadata(complete(client), [], rules)
    } catch (error) {
      throw new TypeError(`issuer: clients: ${id}: ${(error as Error).message}`)
    }
  }
  return clients
}

function complete(client: SeedClient): SeedClient {
  return {
    client_name: client.client_id,
    token_endpoint_auth_method: client.client_secret === undefined ? 'none' : 'client_secret_basic',
    grant_types: [
      'authorization_code',
      'refresh_token',
      ...(client.client_secret ? ['client_credentials'] : []),
    ],
    ...client,
  }
}

/** @returns a function that puts them into the store once; again after it has failed */
export function createSeed(settings: Settings): () => Promise<void> {
  const { store, clients } = settings

  async function plant(): Promise<void> {
    for (const seed of clients) {
      const { client } = await createClient(complete(seed), 'admin', settings)
      const secretHash = seed.client_secret === undefined ? undefined : await sha256(seed.client_secret)
      await addClient(store, { ...client, id: seed.client_id, secretHash })
    }
  }
  const attempts = new SharedAttempts<void>(STORE_PATIENCE)
  let planted = false
  return async () => {
    if (planted) return
    await attempts.run(plant)
    planted = true
  }
}

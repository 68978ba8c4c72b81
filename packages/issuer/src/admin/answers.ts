import type { Context } from 'hono'
import { findAgent } from '../clients.ts'
import { invalidRequest, OAuthError } from '../errors.ts'
import type { Client, Records } from '../records.ts'
import { describeClient } from '../registration/create-client.ts'
import { everyRecord, type IssuerStore, type Kind, type ListOptions, type Page } from '../store.ts'

export const notFound = () => new OAuthError('not_found', 'There is no such thing here', { status: 404 })

/** An agent by either of its ids. @throws OAuthError 404 */
export async function requireAgent(store: IssuerStore, id: string): Promise<Client> {
  const agent = await findAgent(store, id)
  if (agent === undefined) throw notFound()
  return agent
}

export function describeAgent(client: Client) {
  return {
    ...describeClient(client),
    id: client.agentId,
    name: client.name,
    auth_method: client.authMethod,
    scopes: client.scopes,
    active: client.active,
    created_by: client.createdBy ?? null,
    created_at: client.createdAt,
    dpop_jkt: client.jkt ?? null,
  }
}

/** The page that a request asks for: `limit` (default 50, at most 200) from `offset`. */
function pageOf(c: Context): { readonly offset: number; readonly limit: number } {
  const natural = (text: string | undefined, fallback: number) =>
    text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : fallback
  return {
    offset: natural(c.req.query('offset'), 0),
    limit: Math.min(200, natural(c.req.query('limit'), 50)),
  }
}

/** That page of a list. */
export function listPage<K extends Kind>(c: Context, store: IssuerStore, kind: K, index?: string) {
  const options: ListOptions = { ...pageOf(c), ...(index === undefined ? {} : { index }) }
  return store.list(kind, options)
}

/** That page of those in a list that match. Looks at each of the list: for what there is no index of. */
export async function searchPage<K extends Kind>(
  c: Context,
  store: IssuerStore,
  kind: K,
  index: string | undefined,
  matches: (record: Records[K]) => boolean,
): Promise<Page<Records[K]>> {
  const { offset, limit } = pageOf(c)
  const data: Records[K][] = []
  let total = 0
  for await (const record of everyRecord(store, kind, index)) {
    if (!matches(record)) continue
    if (total >= offset && data.length < limit) data.push(record)
    total++
  }
  return { data, total }
}

/** `chain` of a body: whether a revocation follows delegation chains. Default true. */
export function chainOf({ chain = true }: Readonly<Record<string, unknown>>): boolean {
  if (typeof chain !== 'boolean') throw invalidRequest('chain must be true or false')
  return chain
}

/** `reason` of a body, for the audit log. */
export function reasonOf({ reason }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof reason === 'string' ? reason.slice(0, 500) : undefined
}

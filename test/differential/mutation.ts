import { generateKeyPair } from '../support/exchange.ts'
import type { Draft } from './draft.ts'

/** Changes a valid request in one way. */
export type Mutation = readonly [name: string, apply: (draft: Draft) => void]

/** Whose key nobody has bound or published. */
export const stranger = generateKeyPair('ES256', 'stranger')

/** One mutation for each value. */
export const each = <T>(
  kind: string,
  values: Record<string, T>,
  apply: (draft: Draft, value: T) => void,
): Mutation[] =>
  Object.entries(values).map(([what, value]) => [`${kind}: ${what}`, (draft) => apply(draft, value)])

/** Whether these change different things, so that all of them are in the request. */
export function isTogether(mutations: readonly Mutation[]): boolean {
  const slots = mutations.map(([name]) => slot(name))
  return new Set(slots).size === slots.length
}

/** How a token is bound, and what is sent with it to prove that, is one thing; what kind of token it is, another. */
function slot(name: string): string {
  const kind = name.slice(0, name.indexOf(':'))
  if (/^token (typ|client_id)$/.test(kind)) return 'kind of token'
  return /^(scheme|token cnf|proof key|proof jwk|proof alg|proof|fields)$/.test(kind) ? 'binding' : kind
}

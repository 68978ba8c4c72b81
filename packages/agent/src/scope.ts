/** One or several scopes, as a list or separated by spaces. */
export type Scopes = string | readonly string[]

/** RFC 6749 §3.3, without duplicates. Their order is kept: it means nothing, but a request should be reproducible. */
export function parseScopes(scopes: Scopes | undefined): string[] {
  const list = typeof scopes === 'string' ? [scopes] : (scopes ?? [])
  return [...new Set(list.flatMap((scope) => scope.split(' ')))].filter((scope) => scope !== '')
}

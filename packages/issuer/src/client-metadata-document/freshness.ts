/** Seconds for which a document that says nothing about it is kept. */
const DEFAULT = 300
/** Never longer: what a client changes is seen within a day. */
const MAX = 86_400

/** For how many seconds a response may be kept (RFC 9111 §4.2.1), by a cache that is shared by all who log in here. */
export function freshness(headers: Headers, now: number): number {
  const directives = (headers.get('cache-control') ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
  if (directives.some((name) => /^(no-store|no-cache|private)\b/.test(name))) return 0
  const age = Number(/^\d+$/.exec(headers.get('age') ?? '0')?.[0] ?? 0)
  for (const name of ['s-maxage', 'max-age']) {
    const given = directives.find((directive) => directive.startsWith(`${name}=`))
    if (given !== undefined) return bounded(Number(given.slice(name.length + 1).replaceAll('"', '')) - age)
  }
  const expires = headers.get('expires')
  return expires === null ? DEFAULT : bounded(Date.parse(expires) / 1000 - now)
}

/** What is no number is stale already. */
const bounded = (seconds: number) => (seconds > 0 ? Math.min(seconds, MAX) : 0)

/** An http(s) URI in plain RFC 3986 syntax, no userinfo: what WHATWG `URL` would repair is refused instead. */
const HTTP_URI =
  /^(https?):\/\/(\[[0-9a-f:.]+\]|(?:[a-z0-9._~!$&'()*+;=-]|%[0-9a-f]{2})+)(?::([0-9]*))?(\/(?:[a-z0-9._~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*)?(?:\?(?:[a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?(?:#(?:[a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?$/i

const DEFAULT_PORT: Record<string, string> = { http: '80', https: '443' }

/**
 * Whether `htu` names the target URI, query and fragment apart (RFC 9449 §4.3 (9)), after the syntax-based and
 * scheme-based normalization of RFC 3986 §6.2.2 and §6.2.3. Nothing more: `/mcp` and `/mcp/` differ.
 */
export function isSameTargetUri(htu: string, target: string): boolean {
  if (htu === target) return true
  const normalized = normalizeTargetUri(htu)
  return normalized !== undefined && normalized === normalizeTargetUri(target)
}

/** Scheme, host, port and path in normal form; `undefined` for what is no http(s) URI. */
export function normalizeTargetUri(uri: string): string | undefined {
  const parts = HTTP_URI.exec(uri)
  if (parts === null) return undefined
  const scheme = (parts[1] as string).toLowerCase()
  const host = normalizePercent(parts[2] as string).toLowerCase()
  const port =
    parts[3] === undefined || parts[3] === '' || parts[3] === DEFAULT_PORT[scheme] ? '' : `:${parts[3]}`
  return `${scheme}://${host}${port}${removeDotSegments(normalizePercent(parts[4] ?? '/'))}`
}

/** RFC 3986 §6.2.2.1 and §6.2.2.2: hex digits in upper case, unreserved characters decoded. */
function normalizePercent(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/%[0-9a-f]{2}/gi, (triplet) => {
    const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(char) ? char : triplet.toUpperCase()
  })
}

/** RFC 3986 §5.2.4, for a path that starts with a slash. */
function removeDotSegments(path: string): string {
  if (!path.includes('/.')) return path
  const output: string[] = []
  const segments = path.slice(1).split('/')
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '..') output.pop()
    if (segment !== '.' && segment !== '..') output.push(segment)
    else if (last) output.push('')
  }
  return `/${output.join('/')}`
}

import { AgentError } from './errors.ts'

/**
 * `htu` (RFC 9449 §4.2): the URL exactly as fetch puts it on the wire, without query and fragment. Scheme, host, default
 * port and dot segments are normalised (RFC 3986 §6.2.2, §6.2.3); percent-encodings stay as they are sent, so that a
 * server which compares octets agrees as well as one which normalises.
 */
export function htuOf(url: string | URL): string {
  const { origin, pathname } = parseHttpUrl(url, 'url')
  return origin + pathname
}

/**
 * `htm`: the method on the wire. fetch upper-cases six methods everywhere (`patch` is sent as `patch`), and some runtimes
 * more of them: Node 26 sends `query` as `QUERY`.
 */
export function htmOf(method: string): string {
  if (typeof method !== 'string' || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) {
    throw new AgentError('configuration', 'method must be an HTTP method such as POST')
  }
  const upper = method.toUpperCase()
  if (method === upper || /^(?:delete|get|head|options|post|put)$/i.test(method)) return upper
  try {
    return new Request('http://localhost', { method }).method
  } catch {
    // Not a method that fetch sends; whoever sends it, sends it so.
    return method
  }
}

/** An absolute http(s) URL without user information; `name` is what the error calls it. */
export function parseHttpUrl(url: string | URL, name: string): URL {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new AgentError('configuration', `${name} must be an absolute http or https URL`)
  }
  if (!/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    throw new AgentError('configuration', `${name} must be an http or https URL without user information`)
  }
  return parsed
}

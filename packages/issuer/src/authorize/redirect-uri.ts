/** http where only this machine answers: the port is the operating system's choice (RFC 8252 §7.3). */
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::\d{1,5})?(?=[/?]|$)/

/**
 * Whether a redirect URI is one that was registered: the very same text (RFC 9700 §4.1.3), except that a loopback one may
 * have any port.
 */
export function isRegisteredUri(uri: string, registered: readonly string[]): boolean {
  if (registered.includes(uri)) return true
  if (!LOOPBACK.test(uri) || !URL.canParse(uri)) return false
  const withoutPort = uri.replace(LOOPBACK, '$1')
  return registered.some((one) => LOOPBACK.test(one) && one.replace(LOOPBACK, '$1') === withoutPort)
}

/** Hierarchical, in characters of a URI (RFC 3986 §2), the scheme in the one spelling that browsers have for it. */
const PRIVATE_USE = /^([a-z][a-z0-9+.-]{0,127}):\/[\w.~:/?[\]!$&'()*+,;=%-]*$/
const REVERSED_DOMAIN = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+$/

/**
 * Whether a client may register a redirect URI: https, http where only this machine answers (MCP: "either localhost or use
 * HTTPS"), or of a private-use scheme, which is a domain name reversed and so has a period, or one that the operator
 * listed (RFC 8252 §7.1, §8.4). No fragment, no user, and nothing that a browser would read otherwise than we do.
 *
 * @param schemes those without a period that may be used
 */
export function isRedirectUri(uri: string, schemes: ReadonlySet<string>): boolean {
  if (!URL.canParse(uri)) return false
  if (/^https?:\/\/[^/?#@\\\s]+([/?][^#\\\s]*)?$/.test(uri))
    return uri.startsWith('https:') || LOOPBACK.test(uri)
  const scheme = PRIVATE_USE.exec(uri)?.[1]
  return scheme !== undefined && (REVERSED_DOMAIN.test(scheme) || schemes.has(scheme))
}

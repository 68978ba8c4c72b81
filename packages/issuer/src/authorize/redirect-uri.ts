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

/**
 * Whether a client may register a redirect URI: https, or http where only this machine answers (MCP: "either localhost or
 * use HTTPS"); no fragment, no user, and nothing that a browser would read otherwise than we do. No private-use schemes:
 * any program can claim them.
 */
export function isRedirectUri(uri: string): boolean {
  if (!/^https?:\/\/[^/?#@\\\s]+([/?][^#\\\s]*)?$/.test(uri) || !URL.canParse(uri)) return false
  return uri.startsWith('https:') || LOOPBACK.test(uri)
}

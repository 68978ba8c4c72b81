/** Schemes that lead into the browser, to a server, or to what the system does by itself: nothing there is a client. */
const NO_CLIENT = new Set([
  ...['http', 'https', 'ws', 'wss', 'ftp', 'ftps', 'sftp', 'ssh', 'telnet', 'ldap', 'ldaps', 'gopher', 'jar'],
  ...['javascript', 'vbscript', 'livescript', 'data', 'blob', 'about', 'file', 'filesystem', 'view-source'],
  ...['chrome', 'chrome-extension', 'chrome-untrusted', 'devtools', 'edge', 'moz-extension', 'resource'],
  ...[
    'mailto',
    'tel',
    'sms',
    'urn',
    'cid',
    'mid',
    'intent',
    'android-app',
    'content',
    'search-ms',
    'ms-msdt',
  ],
])

/**
 * `redirectSchemes`: private-use schemes without a period that redirect URIs may have. Those with one need no permission:
 * they are somebody's domain name, reversed (RFC 8252 §8.4).
 * @throws TypeError naming the option and what was expected
 */
export function resolveSchemes(option: readonly string[] = []): ReadonlySet<string> {
  const isScheme = (scheme: unknown) => typeof scheme === 'string' && /^[a-z][a-z0-9+-]{0,62}$/.test(scheme)
  if (!Array.isArray(option) || !option.every(isScheme)) {
    throw new TypeError(
      "issuer: redirectSchemes: expected a list of schemes in lower case, without ':'; those with a period need not be listed",
    )
  }
  const wrong = option.find((scheme) => NO_CLIENT.has(scheme))
  if (wrong === undefined) return new Set(option)
  throw new TypeError(`issuer: redirectSchemes: ${wrong}: no application can be reached by this scheme`)
}

/** One challenge of a `WWW-Authenticate` field. */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string
  /** By name in lower case. Empty for a bare scheme and for a token68. */
  readonly params: ReadonlyMap<string, string>
  readonly token68?: string
}

const MAX_LENGTH = 16_384
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const END = '(?=[ \\t]*(?:,|$))'
const QUOTED = '"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*)"'

const SEPARATOR = /[ \t,]*/y
const SCHEME = new RegExp(`(${TOKEN})(?:${END}| +)`, 'y')
const TOKEN68 = new RegExp(`([A-Za-z0-9\\-._~+/]+=*)${END}`, 'y')
const PARAMETER = new RegExp(`(${TOKEN})[ \\t]*=[ \\t]*(?:(${TOKEN})|${QUOTED})${END}`, 'y')
const AT_END = new RegExp(END, 'y')

/**
 * Parses a `WWW-Authenticate` field value, also one joined from several fields (RFC 9110 §11.6.1). Strict: a value that
 * breaks the grammar, repeats a parameter within one challenge, or is longer than 16 KB has no challenges at all,
 * rather than those that some other reader would not see.
 */
export function parseChallenges(value: string | null): Challenge[] {
  if (value === null || value.length > MAX_LENGTH) return []
  const challenges: { scheme: string; params: Map<string, string>; token68?: string }[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(value)
    if (match !== null) at = pattern.lastIndex
    return match
  }

  for (take(SEPARATOR); at < value.length; take(SEPARATOR)) {
    let parameter = take(PARAMETER)
    if (parameter === null) {
      const scheme = take(SCHEME)?.[1]
      if (scheme === undefined) return []
      const challenge: (typeof challenges)[number] = { scheme: scheme.toLowerCase(), params: new Map() }
      challenges.push(challenge)
      if (take(AT_END) !== null) continue
      const token68 = take(TOKEN68)?.[1]
      if (token68 !== undefined) {
        challenge.token68 = token68
        continue
      }
      parameter = take(PARAMETER)
      if (parameter === null) return []
    }
    const challenge = challenges.at(-1)
    const [, name = '', token, quoted = ''] = parameter
    const key = name.toLowerCase()
    if (challenge === undefined || challenge.token68 !== undefined || challenge.params.has(key)) return []
    challenge.params.set(key, token ?? quoted.replace(/\\(.)/gs, '$1'))
  }
  return challenges
}

/** The challenge that says what was wrong: of DPoP if there is one with an `error`, else of Bearer. */
export function findRefusal(headers: Headers): Challenge | undefined {
  const refused = parseChallenges(headers.get('www-authenticate')).filter(({ params }) => params.has('error'))
  return refused.find(({ scheme }) => scheme === 'dpop') ?? refused.find(({ scheme }) => scheme === 'bearer')
}

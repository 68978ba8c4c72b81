/** One challenge of a `WWW-Authenticate` field. */
export interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/
/** RFC 9110 §5.6.4, with neither obs-text nor tab. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\[ -~])*)"/

/**
 * Reads `WWW-Authenticate` by the grammar of RFC 9110 §11.6.1 and by nothing more: throws for anything that a lenient
 * parser would guess at, and for a parameter that comes twice.
 */
export function parseChallenges(field: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  let rest = field
  const take = (pattern: RegExp) => {
    const match = pattern.exec(rest)
    if (match === null) throw new SyntaxError(`expected ${pattern} at: ${rest}`)
    rest = rest.slice(match[0].length)
    return match
  }
  while (rest !== '') {
    if (challenges.length > 0) take(/^, /)
    const name = take(TOKEN)[0]
    if (rest.startsWith('=')) {
      const parameters = challenges.at(-1)?.parameters
      if (parameters === undefined) throw new SyntaxError('a parameter before any scheme')
      addParameter(parameters, name)
      continue
    }
    const challenge = { scheme: name, parameters: Object.create(null) as Record<string, string> }
    challenges.push(challenge)
    if (rest === '' || rest.startsWith(', ')) continue
    take(/^ /)
    addParameter(challenge.parameters, take(TOKEN)[0])
  }
  if (challenges.length === 0) throw new SyntaxError('no challenge')
  return challenges

  function addParameter(parameters: Record<string, string>, name: string): void {
    take(/^=/)
    if (name in parameters) throw new SyntaxError(`${name} comes twice`)
    parameters[name] = (take(QUOTED)[1] as string).replaceAll(/\\(.)/g, '$1')
  }
}

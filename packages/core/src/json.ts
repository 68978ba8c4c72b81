/** A JSON object of unknown content. */
export type JsonObject = { readonly [member: string]: unknown }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses a JSON object strictly: valid UTF-8, no byte order mark, unique member names at every level (RFC 7519 §4), no
 * lone surrogates. Answers `undefined` for anything else; never throws.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (!isJsonObject(value)) return undefined
    // What serializes back to the very same text has no duplicates: they would have been dropped.
    if (!text.includes('\\') && JSON.stringify(value) === text) return value
    return hasUniqueMembers(text) && isWellFormed(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Walks valid JSON text once and compares member names within each object, escapes resolved. */
function hasUniqueMembers(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '{') open.push(new Set())
    else if (char === '[') open.push(undefined)
    else if (char === '}' || char === ']') open.pop()
    else if (char === '"') {
      const start = i++
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
      let next = i + 1
      while (isSpace(text[next])) next++
      if (text[next] !== ':') continue
      const names = open[open.length - 1]
      const name = JSON.parse(text.slice(start, i + 1)) as string
      if (names === undefined || names.has(name)) return false
      names.add(name)
    }
  }
  return true
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\n' || char === '\r' || char === '\t'
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return !/\p{Surrogate}/u.test(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => isWellFormed(name) && isWellFormed(member))
}

/**
 * Freezes a parsed JSON value at every level, so that one request cannot change what the next one sees.
 * @returns false when it is nested deeper than `depth`
 */
export function deepFreeze(value: unknown, depth = 32): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  for (const member of Object.values(value)) if (!deepFreeze(member, depth - 1)) return false
  Object.freeze(value)
  return true
}

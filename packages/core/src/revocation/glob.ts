/** A pattern cut into what it demands of each character; `undefined` when it can match nothing. */
export type Glob = readonly Part[]

type Part =
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  | { readonly kind: 'literal'; readonly char: string }
  | {
      readonly kind: 'class'
      readonly negated: boolean
      readonly ranges: readonly (readonly [number, number])[]
    }

/**
 * Compiles a pattern of SQLite's GLOB: `*`, `?` for one code point, `[a-z]`, `[^…]` (`!` is a character like any other),
 * `[]…]`; no escape, case-sensitive. A class that does not end matches nothing.
 */
export function compileGlob(pattern: string): Glob | undefined {
  const chars = [...pattern]
  const parts: Part[] = []
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] as string
    if (char === '*') {
      if (parts.at(-1)?.kind !== 'any') parts.push({ kind: 'any' })
    } else if (char === '?') parts.push({ kind: 'one' })
    else if (char !== '[') parts.push({ kind: 'literal', char })
    else {
      const end = compileClass(chars, i, parts)
      if (end === undefined) return undefined
      i = end
    }
  }
  return parts
}

/** Reads a class as SQLite does, oddities included. @returns the index of the closing bracket */
function compileClass(chars: readonly string[], open: number, parts: Part[]): number | undefined {
  let i = open + 1
  const negated = chars[i] === '^'
  if (negated) i++
  const ranges: (readonly [number, number])[] = []
  // A bracket that comes first is a member, and cannot begin a range.
  if (chars[i] === ']') {
    ranges.push([BRACKET, BRACKET])
    i++
  }
  let prior = 0
  for (; i < chars.length && chars[i] !== ']'; i++) {
    const next = chars[i + 1]
    if (chars[i] === '-' && prior > 0 && next !== undefined && next !== ']') {
      ranges.push([prior, codePoint(next)])
      prior = 0
      i++
    } else {
      prior = codePoint(chars[i])
      ranges.push([prior, prior])
    }
  }
  if (i >= chars.length) return undefined
  parts.push({ kind: 'class', negated, ranges })
  return i
}

const BRACKET = 0x5d

/**
 * Matches a whole text. On a mismatch it goes back to the last `*` alone, and each return moves that one on: no pattern
 * takes more than its length times the text's.
 */
export function matchesGlob(glob: Glob, text: string): boolean {
  const chars = [...text]
  let part = 0
  let at = 0
  let star = -1
  let resume = 0
  while (at < chars.length) {
    const current = glob[part]
    if (current?.kind === 'any') {
      star = part++
      resume = at
    } else if (current !== undefined && matchesPart(current, chars[at] as string)) {
      part++
      at++
    } else if (star === -1) {
      return false
    } else {
      part = star + 1
      at = ++resume
    }
  }
  while (glob[part]?.kind === 'any') part++
  return part === glob.length
}

function matchesPart(part: Part, char: string): boolean {
  switch (part.kind) {
    case 'literal':
      return part.char === char
    case 'class': {
      const code = codePoint(char)
      return part.ranges.some(([from, to]) => from <= code && code <= to) !== part.negated
    }
    default:
      return true
  }
}

function codePoint(char: string | undefined): number {
  return char?.codePointAt(0) ?? 0
}

/**
 * SQLite's GLOB: `*`, `?` for one code point, `[a-z]`, `[^…]`, `[]…]`; no escape, case-sensitive; a class without end
 * matches nothing. Goes back to the last `*` only, so that no pattern takes more than pattern × text steps.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const p = [...pattern]
  const t = [...text]
  let pi = 0
  let ti = 0
  let star = -1
  let resume = 0
  while (ti < t.length) {
    const next = p[pi] === '*' ? undefined : matchOne(p, pi, t[ti] as string)
    if (p[pi] === '*') {
      star = pi++
      resume = ti
    } else if (next !== undefined) {
      pi = next
      ti++
    } else if (star !== -1) {
      pi = star + 1
      ti = ++resume
    } else {
      return false
    }
  }
  while (p[pi] === '*') pi++
  return pi === p.length
}

/** @returns where the pattern goes on after matching one character, or `undefined` */
function matchOne(p: readonly string[], at: number, char: string): number | undefined {
  if (at >= p.length) return undefined
  if (p[at] === '?') return at + 1
  if (p[at] !== '[') return p[at] === char ? at + 1 : undefined
  let i = at + 1
  const negated = p[i] === '^'
  if (negated) i++
  let found = false
  let first = true
  while (i < p.length && (p[i] !== ']' || first)) {
    const from = p[i] as string
    const to = p[i + 2]
    if (p[i + 1] === '-' && to !== undefined && to !== ']') {
      if (compare(from, char) <= 0 && compare(char, to) <= 0) found = true
      i += 3
    } else {
      if (from === char) found = true
      i++
    }
    first = false
  }
  if (i >= p.length) return undefined
  return found !== negated ? i + 1 : undefined
}

function compare(a: string, b: string): number {
  return (a.codePointAt(0) as number) - (b.codePointAt(0) as number)
}

const STAR = '*'.codePointAt(0)
const ANY = '?'.codePointAt(0)
const OPEN = '['.codePointAt(0)
const CLOSE = ']'.codePointAt(0)
const CARET = '^'.codePointAt(0)
const HYPHEN = '-'.codePointAt(0)

/**
 * SQLite's GLOB: `*`, `?` for one code point, `[a-z]`, `[^…]`, `[]…]`; no escape, case-sensitive; a class without end
 * matches nothing. Goes back to the last `*` only, so that no pattern takes more than pattern × text steps.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const p = read(pattern)
  const t = read(text)
  let pi = 0
  let ti = 0
  let star = -1
  let resume = 0
  while (ti < t.length) {
    const next = p[pi] === STAR ? undefined : matchOne(p, pi, t[ti] as number)
    if (p[pi] === STAR) {
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
  while (p[pi] === STAR) pi++
  return pi === p.length
}

/** Code points up to the first NUL; what UTF-8 cannot carry, or SQLite does not, is U+FFFD. */
function read(text: string): readonly number[] {
  const end = text.indexOf('\0')
  return [...(end === -1 ? text : text.slice(0, end))].map((char) => {
    const point = char.codePointAt(0) as number
    return (point >= 0xd800 && point < 0xe000) || (point & 0x1ffffe) === 0xfffe ? 0xfffd : point
  })
}

/** @returns where the pattern goes on after matching one character, or `undefined` */
function matchOne(p: readonly number[], at: number, char: number): number | undefined {
  if (p[at] === ANY || (p[at] === char && char !== OPEN)) return at + 1
  return p[at] === OPEN ? matchClass(p, at + 1, char) : undefined
}

function matchClass(p: readonly number[], start: number, char: number): number | undefined {
  const negated = p[start] === CARET
  let i = negated ? start + 1 : start
  let found = false
  if (p[i] === CLOSE) {
    found = char === CLOSE
    i++
  }
  // A range begins with the single character before its hyphen, which counts by itself as well.
  let from: number | undefined
  for (; i < p.length; i++) {
    const point = p[i] as number
    const to = p[i + 1]
    if (point === CLOSE) return found !== negated ? i + 1 : undefined
    if (point === HYPHEN && from !== undefined && to !== undefined && to !== CLOSE) {
      found ||= from <= char && char <= to
      from = undefined
      i++
    } else {
      found ||= point === char
      from = point
    }
  }
  return undefined
}

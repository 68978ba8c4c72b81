/** A compiled pattern. `undefined`: one that matches nothing, because a class has no end. */
export type Glob = readonly Step[] | undefined

/** A code point, or one of the wildcards below, or a class of code points. */
type Step = number | CharacterClass

interface CharacterClass {
  readonly negated: boolean
  /** Pairs of first and last code point. */
  readonly ranges: readonly number[]
}

const ANY = -1
const STAR = -2
const REPLACEMENT = 0xfffd
const code = (char: string) => char.charCodeAt(0)
const CARET = code('^')
const HYPHEN = code('-')
const OPEN = code('[')
const CLOSE = code(']')

/**
 * Compiles a pattern of SQLite's GLOB operator: `*` for any text, `?` for one code point, `[a-z]`, `[^a-z]`, `[]a]` for a
 * class with `]` in it. Case-sensitive; there is no escape character, and `!` does not negate.
 */
export function compileGlob(pattern: string): Glob {
  const points = codePoints(pattern)
  const steps: Step[] = []
  let i = 0
  while (i < points.length) {
    const point = points[i++] as number
    if (point === code('*')) steps.push(STAR)
    else if (point === code('?')) steps.push(ANY)
    else if (point === OPEN) {
      const end = parseClass(points, i, steps)
      if (end === undefined) return undefined
      i = end
    } else steps.push(point)
  }
  return steps
}

/** @returns the position after the class's `]`, or `undefined` where there is none */
function parseClass(points: readonly number[], start: number, steps: Step[]): number | undefined {
  let i = start
  const ranges: number[] = []
  const negated = points[i] === CARET
  if (negated) i++
  if (points[i] === CLOSE) {
    ranges.push(CLOSE, CLOSE)
    i++
  }
  // What a hyphen would make a range of. Neither a leading `]` nor the end of a range begins another one.
  let first: number | undefined
  for (; i < points.length; i++) {
    const point = points[i] as number
    if (point === CLOSE) {
      steps.push({ negated, ranges })
      return i + 1
    }
    const last = points[i + 1]
    if (point === HYPHEN && first !== undefined && last !== undefined && last !== CLOSE) {
      ranges.push(first, last)
      first = undefined
      i++
    } else {
      ranges.push(point, point)
      first = point
    }
  }
  return undefined
}

/**
 * Matches text, given as {@link codePoints}, against a pattern. Goes back to the last `*` only, as an earlier one cannot
 * do better: at most pattern × text steps, whatever the pattern.
 */
export function matchesGlob(glob: Glob, text: readonly number[]): boolean {
  if (glob === undefined) return false
  let step = 0
  let at = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    const current = glob[step]
    if (current === STAR) {
      star = step++
      resume = at
    } else if (current !== undefined && matchesStep(current, text[at] as number)) {
      step++
      at++
    } else if (star !== -1) {
      step = star + 1
      at = ++resume
    } else {
      return false
    }
  }
  while (glob[step] === STAR) step++
  return step === glob.length
}

function matchesStep(step: Step, point: number): boolean {
  if (typeof step === 'number') return step === ANY || step === point
  const { ranges, negated } = step
  for (let i = 0; i < ranges.length; i += 2) {
    if ((ranges[i] as number) <= point && point <= (ranges[i + 1] as number)) return !negated
  }
  return negated
}

/** Text as SQLite's GLOB reads it: up to the first NUL, with U+FFFE, U+FFFF and lone surrogates as U+FFFD. */
export function codePoints(text: string): readonly number[] {
  const points: number[] = []
  for (const char of text) {
    const point = char.codePointAt(0) as number
    if (point === 0) break
    const unreadable = (point >= 0xd800 && point <= 0xdfff) || point === 0xfffe || point === 0xffff
    points.push(unreadable ? REPLACEMENT : point)
  }
  return points
}

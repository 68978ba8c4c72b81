/** Pairs of pattern and text that meet often: few letters, many wildcards, text that is often made from the pattern. */
export function randomPairs(count: number, seed: number): [pattern: string, text: string][] {
  const random = mulberry32(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const oneOf = (from: readonly string[]) => from[below(from.length)] as string
  const many = (limit: number, make: () => string) => Array.from({ length: below(limit + 1) }, make).join('')

  const letters = ['a', 'b', 'c', 'm', 'z', '-', ']', '^', '!', 'é', '日', '😀', 'A', '\uffff', '_', '1']
  const inClass = [...letters, 'a-c', 'b-z', 'z-a', '--', 'a-', '-]', '[', '^', '*', '?', 'é-日', '日-😀']
  const piece = () => {
    const kind = below(10)
    if (kind < 4) return oneOf(letters)
    if (kind < 6) return oneOf(['*', '**', '*?', '?*'])
    if (kind < 7) return '?'
    return `[${oneOf(['', '', '^', ']', '^]'])}${many(4, () => oneOf(inClass))}${below(12) === 0 ? '' : ']'}`
  }
  const pair = (): [string, string] => {
    const pieces = Array.from({ length: below(7) }, piece)
    const alike = () =>
      pieces
        .map((part) => {
          if (part.length > 1 && part.startsWith('[')) return oneOf([...part.slice(1)])
          if (part === '?') return oneOf(letters)
          return part.includes('*') ? many(3, () => oneOf(letters)) : part
        })
        .join('')
    return [pieces.join(''), below(3) === 0 ? many(6, () => oneOf(letters)) : alike()]
  }
  return Array.from({ length: count }, pair)
}

/** A small generator of numbers in [0, 1) that gives the same ones for the same seed. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

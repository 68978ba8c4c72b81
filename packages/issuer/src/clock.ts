/** The time as seconds since the epoch. Milliseconds (`Date.now`) are recognised by their size. */
export function createClock(clock: () => number = () => Date.now() / 1000): () => number {
  return () => {
    const now = clock()
    return now > 1e11 ? now / 1000 : now
  }
}

/** Past this, a reading can only be in milliseconds: in seconds it is the year 5138. */
const MILLISECONDS = 1e11

/** Seconds since the epoch, whatever the given clock counts in. */
export function secondsOf(clock: () => number): () => number {
  return () => {
    const reading = clock()
    return reading > MILLISECONDS ? reading / 1000 : reading
  }
}

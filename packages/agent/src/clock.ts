/** The time as seconds since the epoch. Milliseconds (`Date.now`) are recognised by their size. */
export type Clock = () => number

export const systemClock: Clock = () => Date.now() / 1000

/** A value above 1e11 can only be milliseconds: as seconds it would lie in the year 5138. */
export function createClock(clock: Clock = systemClock): Clock {
  return () => {
    const now = clock()
    return now > 1e11 ? now / 1000 : now
  }
}

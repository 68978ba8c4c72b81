/** Verifications of one turn of the event loop that run on it; those beyond go to the thread pool. */
const PER_TURN = 2

/**
 * Where verifications run. One request alone is fastest on the event loop; many at once are faster in the thread pool, which
 * also keeps the turns of the loop short. A server meets its requests in callbacks of their own, each of which has ended
 * before the next begins; only the turn tells that they came together. So the first few of a turn run on the loop, and the
 * rest do not.
 *
 * Except those that follow one another: where one caller awaits each answer before asking again, and nothing in between
 * lets the loop turn, nobody else waits, and the thread pool would only delay.
 * @param turnOfLoop a number for each turn; `NaN` where nobody counts them: then every verification is alone in its own
 * @param afterCallback runs a task when the callback from the event loop that is running has ended, microtasks and all
 */
export function createTurns(turnOfLoop: () => number, afterCallback: (task: () => void) => void) {
  let turn = Number.NaN
  /** How many may still begin in this turn. */
  let left = 0
  /** How many of those that began have been answered, in the callback that is still running: they may have successors. */
  let answered = 0
  let away = 0
  let watching = false

  const onAnswered = () => {
    answered++
  }
  const onCallbackEnd = () => {
    answered = 0
    watching = false
  }

  return {
    /** Whether a verification that begins now may run on the loop. */
    mayRunHere(): boolean {
      const now = turnOfLoop()
      if (now !== turn) {
        turn = now
        left = PER_TURN
        answered = 0
      }
      if (left > 0) left--
      else if (answered > 0 && away === 0) answered--
      else return false
      void SETTLED.then(onAnswered)
      if (left === 0 && !watching) {
        watching = true
        afterCallback(onCallbackEnd)
      }
      return true
    },
    /** A verification has gone to the thread pool. */
    leave(): void {
      away++
    },
    /** … and is back. */
    comeBack(): void {
      away--
    },
  }
}

const SETTLED = Promise.resolve()

import { vi } from 'vitest'

/** What the network says to a request that is going to be cut off. */
export const silence = () => new Promise<never>(() => undefined)

/** For `vi.useFakeTimers`: of time what the guard looks at, so that signatures are made and verified meanwhile. */
export const CUT_OFF_TIMERS = {
  toFake: ['setTimeout', 'clearTimeout', 'performance'],
} satisfies Parameters<typeof vi.useFakeTimers>[0]

/**
 * A request on Workers that begins something and ends before that does: its fetches and timers end with it, and their
 * promises never settle. Here the network has to be silent, and the timers are taken away.
 */
export async function cutOff(begin: () => unknown): Promise<void> {
  const timers: ReturnType<typeof setTimeout>[] = []
  const { setTimeout: set } = globalThis
  const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, delay?: number) => {
    const timer = set(run, delay)
    timers.push(timer)
    return timer
  }) as typeof setTimeout)
  try {
    // Nobody hears what becomes of it.
    Promise.resolve(begin()).catch(() => undefined)
    await vi.advanceTimersByTimeAsync(0)
  } finally {
    spy.mockRestore()
    for (const timer of timers) clearTimeout(timer)
  }
}

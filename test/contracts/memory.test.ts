import { memoryReplayStore } from '@sharkguard/core'
import { vi } from 'vitest'
import { describeReplayStore } from './replay-store.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

const EPOCHS = { 'in 2023': 1_700_000_000, 'past 2038': 2_200_000_000, 'past 2106': 4_300_000_000 }

for (const [when, epoch] of Object.entries(EPOCHS)) {
  const open = async () => {
    let now = epoch
    return {
      store: memoryReplayStore({ clock: () => now }),
      now: () => now,
      pass(seconds: number) {
        now += seconds
      },
      close() {},
    }
  }
  describeReplayStore(`the memory store ${when}`, open, 1000)
}

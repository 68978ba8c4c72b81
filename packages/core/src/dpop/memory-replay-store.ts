import type { ReplayStore } from './replay.ts'
// placeholder until the real store lands in this very file
export function memoryReplayStore(_options: { clock?: () => number } = {}): ReplayStore {
  const seen = new Set<string>()
  return { claim: (key) => (seen.has(key) ? 'replayed' : (seen.add(key), 'fresh')) }
}

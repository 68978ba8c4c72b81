/** What one guarded process holds, after a garbage collection, and what it has decided so far. Bytes. */
export interface Sample {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
  readonly arrayBuffers: number
  readonly decisions: Readonly<Record<string, number>>
}

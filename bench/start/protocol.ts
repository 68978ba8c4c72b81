import type { Resource } from '../world.ts'

/** What a process that starts is to do. */
export interface StartOrder {
  /** URL of the contender's module, and the name it exports. */
  readonly module: string
  readonly exported: string
  readonly resource: Resource
  readonly token: string
  readonly proof: string
}

/** Milliseconds and bytes. */
export interface StartReport {
  readonly allowed: boolean
  readonly importing: number
  readonly deciding: number
  readonly rss: number
}

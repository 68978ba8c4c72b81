import type { Resource } from '../world.ts'

/** The frameworks whose adapters are measured. */
export const FRAMEWORKS = ['express', 'fastify', 'hono'] as const
export type Framework = (typeof FRAMEWORKS)[number]

/** What stands before the handler: nothing; one raw verification of always the same signature; or a contender. */
export type Front = 'bare' | 'raw' | (string & {})

/** What a server's process is told in its arguments. */
export interface HostOrder {
  readonly framework: Framework
  readonly front: Front
  readonly resource: Resource
}

/** What a server's process answers when it is asked; microseconds and bytes. */
export interface Usage {
  readonly cpu: number
  readonly rss: number
}

/** To the process that makes the load. */
export type LoadOrder =
  | { readonly kind: 'prepare'; readonly requests: number }
  | { readonly kind: 'fire'; readonly port: number; readonly connections: number; readonly requests: number }

/** From it: when it has begun, has prepared, or has fired. */
export type LoadReport =
  | { readonly kind: 'resource'; readonly resource: Resource }
  | { readonly kind: 'prepared' }
  | {
      readonly kind: 'fired'
      readonly seconds: number
      readonly latencies: readonly number[]
      readonly failed: number
    }

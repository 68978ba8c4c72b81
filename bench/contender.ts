import type { Resource } from './world.ts'

/**
 * One verification, ready to begin: what a host has at hand anyway (header pairs, a `Request`) has been made, so that the
 * clock sees the verifier alone. Answers whether the request was let in.
 */
export type Check = () => boolean | Promise<boolean>

/** What a contender can do at all. */
export interface Verifier {
  /** Verifies an access token that is bound to no key. */
  bearer?(token: string): Check
  /** Verifies a token and the proof of the key it is bound to. */
  dpop?(token: string, proof: string, method: string, url: string): Check
}

/** A library that does a resource server's work. */
export interface Contender {
  readonly name: string
  /** Makes a verifier with the keys of this issuer; what it fetches, it fetches before the clock starts. */
  setup(world: Resource): Verifier | Promise<Verifier>
}

/** Most libraries throw where they refuse. */
export function settles(work: Promise<unknown>): Promise<boolean> {
  return work.then(accepted, refused)
}

const accepted = () => true
const refused = () => false

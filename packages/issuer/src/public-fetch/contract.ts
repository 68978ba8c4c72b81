/** What a fetch of somebody else's URL may reach. */
export interface Reach {
  /** Also http and addresses of this machine, for tests. */
  readonly loopback: boolean
  /** Ends the fetch, the reading of its body included. */
  readonly signal: AbortSignal
}

/**
 * GETs a URL that a stranger chose, and reaches nothing that only we can reach: not this machine, not its network, not a
 * cloud's metadata service. Follows no redirect, sends no credentials. The second seam between runtimes: Node resolves
 * the name, checks every address and connects to the one it has checked, so a name that changes its mind in between
 * gains nothing; elsewhere names cannot be resolved first, and keeping them from private networks is the platform's part.
 *
 * @throws whatever the runtime throws; the text may tell of our network and is for the log, not for the answer
 */
export type PublicFetch = (url: URL, reach: Reach) => Promise<Response>

/** Refused before anything was sent. */
export class UnreachableByPolicy extends Error {
  override readonly name = 'UnreachableByPolicy'
}

import { createApp } from './app.ts'
import { type Controls, createControls } from './controls.ts'
import { type IssuerOptions, resolveOptions } from './options.ts'
import { assemble } from './parts.ts'
import { createTrouble, type Failing, type FailureMode } from './trouble.ts'

/** An authorization server to test guards and agents against, as a web-standard `{ fetch }`. */
export interface Issuer extends Controls {
  readonly issuer: string
  /** Bearer token of the admin API. */
  readonly adminKey: string
  readonly fetch: (request: Request) => Promise<Response>
  /** Makes an endpoint fail until the returned function is called. */
  fail(what: Failing, mode?: FailureMode): () => void
  /** How many requests have come for a path. */
  requests(path: string): number
}

/** Creates an issuer. @throws TypeError for a wrong option, naming it */
export function createIssuer(options: IssuerOptions = {}): Issuer {
  const parts = assemble(resolveOptions(options))
  const app = createApp(parts)
  const { meet, fail, requests } = createTrouble()
  const { issuer, adminKey } = parts.settings
  return {
    issuer,
    adminKey,
    fetch: async (request) => meet(request) ?? app.fetch(request),
    ...createControls(parts, app),
    fail,
    requests,
  }
}

import type { AuthorizationServerMetadata } from './authorization-server.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import type { Clock } from './clock.ts'
import { readCredentials, type StoredClient, writeCredentials } from './credentials-file.ts'
import type { ClientMetadata } from './dcr-client.ts'
import { DPoPProver, type ProofAlgorithm } from './dpop-prover.ts'
import { AgentError, OAuthError } from './errors.ts'
import type { Fetch } from './fetch.ts'
import { OAuthClient } from './oauth-client.ts'
import { chooseAuthMethod, Registration } from './registration.ts'
import type { Token } from './token.ts'

export interface EnrolmentRequest {
  readonly resource: string
  readonly metadata: AuthorizationServerMetadata
  readonly prover: DPoPProver | undefined
  /** The algorithms each of the servers accepts for proofs, where it says so. */
  readonly proofAlgorithms: readonly (readonly string[] | undefined)[]
  readonly credentials: ClientAuthentication | undefined
  readonly credentialsFile: string | undefined
  readonly registration: ClientMetadata
  /** What to register for: more than the first token needs, so that a step-up needs no new registration. */
  readonly scopes: readonly string[]
  readonly fetch: Fetch
  readonly clock: Clock
}

/** Who an agent is at one issuer: its key, its client, and the tokens the two can get. */
export class Enrolment {
  readonly prover: DPoPProver
  readonly #request: EnrolmentRequest
  readonly #oauth: OAuthClient
  #client: ClientAuthentication | undefined
  /** What the issuer registered for us; undefined for credentials that were given. */
  #registered: StoredClient | undefined
  #fromFile = false

  private constructor(request: EnrolmentRequest, prover: DPoPProver) {
    const { metadata, fetch, clock } = request
    this.prover = prover
    this.#request = request
    this.#oauth = new OAuthClient({ metadata, fetch, clock })
  }

  /** Takes key and client from the options, else from the file, else makes them, and keeps what it made. */
  static async open(request: EnrolmentRequest): Promise<Enrolment> {
    const { credentials, credentialsFile, metadata, clock } = request
    const stored =
      credentialsFile === undefined ? undefined : await readCredentials(credentialsFile, metadata.issuer)
    const enrolment = new Enrolment(
      request,
      await chooseProver(request, stored?.private_key, stored?.dpop_alg),
    )
    if (credentials !== undefined) {
      enrolment.#client = { authMethod: chooseAuthMethod(metadata), ...credentials }
      if (stored?.private_key === undefined) await enrolment.#keep(stored?.client)
    } else if (stored?.client !== undefined && !hasExpired(stored.client, clock())) {
      enrolment.#use(stored.client)
      enrolment.#fromFile = true
    } else {
      await enrolment.#register()
    }
    return enrolment
  }

  get clientId(): string {
    return this.#client?.clientId ?? ''
  }

  async requestToken(scopes: readonly string[]): Promise<Token> {
    try {
      return await this.#requestToken(scopes)
    } catch (error) {
      if (!(error instanceof OAuthError) || error.error !== 'invalid_scope' || !(await this.#widen(scopes)))
        throw error
      return this.#requestToken(scopes)
    }
  }

  /**
   * Registers anew when the issuer no longer knows the client of the file (it lost its store, or ended the client).
   * Only while starting: a running agent that is shut out stays out.
   */
  async recover(error: unknown): Promise<boolean> {
    if (!this.#fromFile || !(error instanceof OAuthError) || error.error !== 'invalid_client') return false
    this.#fromFile = false
    await this.#register()
    return true
  }

  #requestToken(scopes: readonly string[]): Promise<Token> {
    const client = this.#client as ClientAuthentication
    return this.#oauth.getTokenWithDpop({
      ...client,
      prover: this.prover,
      resource: this.#request.resource,
      scope: scopes,
    })
  }

  async #register(): Promise<void> {
    const registered = await this.#registration().register(this.#request.scopes)
    this.#use(registered)
    await this.#keep(registered)
  }

  async #widen(scopes: readonly string[]): Promise<boolean> {
    if (this.#registered === undefined) return false
    const all = [...new Set([...this.#request.scopes, ...scopes])]
    const widened = await this.#registration().widen(this.#registered, all)
    if (widened === undefined) return false
    this.#use(widened)
    await this.#keep(widened)
    return true
  }

  #registration(): Registration {
    return new Registration(this.#request.metadata, this.#request.registration, this.#request.fetch)
  }

  #use(registered: StoredClient): void {
    this.#registered = registered
    this.#client = {
      clientId: registered.client_id,
      clientSecret: registered.client_secret,
      authMethod: registered.token_endpoint_auth_method,
    }
  }

  /** A key or a secret that was given is the caller's to keep. */
  async #keep(client: StoredClient | undefined): Promise<void> {
    const { credentialsFile, metadata, prover } = this.#request
    if (credentialsFile === undefined) return
    const key = prover === undefined && {
      private_key: await this.prover.privateKeyPem(),
      dpop_alg: this.prover.alg,
    }
    await writeCredentials(credentialsFile, metadata.issuer, {
      ...key,
      ...(client !== undefined && { client }),
    })
  }
}

function hasExpired({ client_secret_expires_at: end = 0 }: StoredClient, now: number): boolean {
  return end !== 0 && end <= now
}

async function chooseProver(
  { prover, proofAlgorithms }: EnrolmentRequest,
  pem: string | undefined,
  alg: ProofAlgorithm | undefined,
): Promise<DPoPProver> {
  const accepted = (name: string) => proofAlgorithms.every((list) => list?.includes(name) ?? true)
  const existing = prover ?? (pem === undefined ? undefined : await DPoPProver.fromPem(pem, alg && { alg }))
  const choice = existing?.alg ?? (['ES256', 'Ed25519', 'EdDSA'] as const).find(accepted)
  if (choice !== undefined && accepted(choice)) return existing ?? DPoPProver.generate({ alg: choice })
  const message = `the servers do not both accept proofs with ${choice ?? 'any algorithm this package has'}`
  throw new AgentError('configuration', `${message}; pass a prover with one that they accept`)
}

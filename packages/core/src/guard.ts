import { type AccessToken, createAccessTokenVerifier } from './access-token.ts'
import { type AuthInfo, createAuthInfo } from './auth-info.ts'
import { createChallenges } from './challenge.ts'
import { requireConfirmation } from './confirmation.ts'
import { type Credentials, parseCredentials, parseScheme, type Scheme } from './credentials.ts'
import { createReporter } from './decision.ts'
import { memoryReplayStore } from './dpop/memory-replay-store.ts'
import { createNonces } from './dpop/nonce.ts'
import { createProofVerifier, type Proof } from './dpop/proof.ts'
import type { ReplayStore } from './dpop/replay.ts'
import { IssuerKeys } from './keys.ts'
import { createOpenStreams, type StreamEnd } from './open-streams.ts'
import { type GuardOptions, resolveOptions } from './options.ts'
import { type Reason, Refusal, Unavailable } from './refusal.ts'
import {
  type CredentialFields,
  type GuardRequest,
  isPreflight,
  parseTargetPath,
  readCredentialFields,
} from './request.ts'
import {
  createMetadataRoute,
  createResourceMetadata,
  type ResourceMetadata,
  resourceMetadataPaths,
} from './resource-metadata.ts'
import { openRevocation } from './revocation/checker.ts'
import { requireScopes } from './scopes.ts'
import { type Answer, allowed, createRefusals, type Refused, unavailable, type Verdict } from './verdict.ts'

/** Lets in only requests with a token for this resource and a proof of the key it is bound to. */
export interface Guard {
  /** The canonical audience: this resource's identifier. */
  readonly audience: string
  /** Protected resource metadata, RFC 9728 §2. */
  readonly resourceMetadata: ResourceMetadata
  /** Where clients find it, RFC 9728 §3.1. */
  readonly resourceMetadataUrl: string
  /**
   * Decides one request by its method, target and headers alone. Does not look at the body, does not serve metadata, does
   * not let preflights through: that is {@link Guard.gate}. Never throws because of what a client sent.
   */
  verify(request: GuardRequest): Promise<Verdict>
  /**
   * What an adapter does with a request: nothing (`'pass'`: a CORS preflight), answer it (metadata, or a refusal), or let
   * the handler run with `auth`.
   */
  gate(request: GuardRequest): Promise<Passage>
  /** Request paths at which it is served: path-inserted and root form. */
  readonly metadataPaths: readonly string[]
  /** The answer where the request is for this resource's metadata; `undefined` for any other. Part of {@link Guard.gate}. */
  metadataAnswer(request: GuardRequest): Answer | undefined
  /**
   * Whether a request that was let in may do what needs more scopes than the guard's own: for a single route.
   * @param auth who calls; where nobody has been verified, credentials are asked for
   * @returns `undefined` where it may, else the refusal: `insufficient_scope`, naming the guard's scopes and these
   */
  requireScopes(auth: AuthInfo | null | undefined, scopes: readonly string[]): Refused | undefined
  /**
   * The refusal of a request that {@link Guard.verify} allowed, because the operation needs more scopes: RFC 6750 §3.1
   * `insufficient_scope` in the scheme that was used, naming all of `scopes` and no others. `onDecision` hears of it.
   */
  insufficientScope(auth: AuthInfo, scopes: readonly string[]): Refused
  /**
   * Calls `end` once, when the token of a request that was let in expires or is revoked while its answer is still going
   * on, or when that can no longer be known. Within a second of it.
   * @returns the undo, for when the stream ends by itself
   */
  watch(auth: AuthInfo, end: (reason: StreamEnd) => void): () => void
  /** Resolves when requests can be decided: keys and revocations are there. Rejects with {@link Unavailable}. */
  ready(): Promise<void>
  /** Forgets all keys and verified tokens at once: for the day a signing key is stolen. */
  purge(): void
  /** Ends connections and timers. The guard decides nothing afterwards that it does not know already. */
  close(): Promise<void>
}

/** What is to happen with a request. */
export type Passage =
  | { readonly kind: 'pass' }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'allow'; readonly auth: AuthInfo; readonly headers: Readonly<Record<string, string>> }

/** How far a request got, for the challenge and the report. */
export interface Progress {
  fields: CredentialFields
  credentials: Credentials | undefined
  token: AccessToken | undefined
}

/**
 * Creates the guard of one resource.
 * @param audience the resource's canonical URI, compared exactly with `aud`; a list names aliases, canonical first
 * @throws ConfigurationError naming the option and what was expected
 */
export function createGuard(audience: string | readonly string[], options: GuardOptions = {}): Guard {
  const settings = resolveOptions(audience, options)
  const issuers = settings.issuers.map((issuer) => ({
    ...issuer,
    keys: new IssuerKeys({ ...settings, ...issuer }),
  }))
  const tokens = createAccessTokenVerifier(issuers, settings)
  const nonces = createNonces(settings.audience, settings.nonce)
  const nonceAlwaysNeeded = settings.nonceNeededUntil === Number.POSITIVE_INFINITY
  const proofs = createProofVerifier({ ...settings, nonces })
  const replayStore: ReplayStore = settings.replayStore ?? memoryReplayStore({ clock: settings.clock })
  const report = createReporter(settings.onDecision)
  const revocation = openRevocation(settings.revocation, issuers, settings, report.notice)
  const streams = createOpenStreams(settings.clock, tokens.verify, revocation)
  const metadata = createResourceMetadata(settings)
  const metadataPaths = resourceMetadataPaths(settings.resourceMetadataUrl)
  const metadataAnswer = createMetadataRoute(metadata, metadataPaths)
  const refused = createRefusals(createChallenges({ ...settings, bearer: settings.dpop === 'when-bound' }))

  /** One request's whole way. Whatever is thrown refuses it. */
  async function verify(request: GuardRequest): Promise<Verdict> {
    const started = report.start()
    const fields = readCredentialFields(request.headers)
    const progress: Progress = { fields, credentials: undefined, token: undefined }
    try {
      const now = Math.floor(settings.clock())
      const path = parseTargetPath(request.url, settings.publicOrigin)
      const credentials = parseCredentials(fields)
      progress.credentials = credentials
      const token = await tokens.verify(credentials.token, now)
      progress.token = token
      const proofText = requireConfirmation(token.jkt, credentials, settings.dpop)
      const target = { method: request.method, uri: settings.publicPrefix + path, token }
      const proof = proofText === undefined ? undefined : await proofs.verify(proofText, target, now)
      await revocation.require(token, credentials.token)
      requireScopes(token.scopes, settings.scopes, settings.impliesScope)
      if (proof !== undefined) await claim(proof, now)
      const auth = createAuthInfo(credentials.token, token, settings)
      report.allowed(started, request, progress, auth)
      return allowed(auth, nonceAlwaysNeeded ? await nonces.current(settings.clock()) : undefined)
    } catch (error) {
      report.refused(started, request, progress, error)
      return refuse(error, progress)
    }
  }

  /** Last, once, atomic: what was refused before can neither fill the store nor burn a victim's `jti`. */
  async function claim(proof: Proof, now: number): Promise<void> {
    const life = settings.proofMaxAge + settings.clockTolerance + 1
    const expiresAt = Math.ceil(proof.issuedAt) + life
    try {
      const answer = await replayStore.claim(proof.replayKey, expiresAt, proof.jkt)
      if (answer === 'replayed') throw new Refusal('proof_replayed')
      if (answer !== 'fresh') throw new TypeError("claim answered neither 'fresh' nor 'replayed'")
    } catch (error) {
      if (error instanceof Refusal) throw error
      const { floor = Number.NEGATIVE_INFINITY } = replayStore
      // Where a proof made now would pass, a challenge brings one at once. Not a second time: then the client's clock is
      // slow, and it has to wait.
      if (expiresAt <= floor && floor < now + life && !proof.hasNonce) {
        throw new Refusal('proof_nonce_required', 'the replay store no longer knows proofs so old')
      }
      throw error instanceof Unavailable
        ? error
        : new Unavailable('replay_store_unavailable', { cause: error })
    }
  }

  function refuse(error: unknown, { fields, credentials }: Progress): Refused | Promise<Refused> {
    if (!(error instanceof Refusal)) return unavailable(error)
    const { reason } = error
    const scheme = credentials?.scheme ?? parseScheme(fields.authorization[0] ?? '')
    return reason === 'proof_nonce_required' ? refuseWithNonce(reason, scheme) : refused(reason, scheme)
  }

  async function refuseWithNonce(reason: Reason, scheme: Scheme | undefined): Promise<Refused> {
    return refused(reason, scheme, { nonce: await nonces.current(settings.clock()) })
  }

  function insufficientScope(auth: AuthInfo, scopes: readonly string[]): Refused {
    report.refusedOperation(auth, scopes)
    return refused('insufficient_scope', auth.cnf === undefined ? 'Bearer' : 'DPoP', { scopes })
  }

  async function gate(request: GuardRequest): Promise<Passage> {
    const document = metadataAnswer(request)
    if (document !== undefined) return { kind: 'answer', answer: document }
    if (isPreflight(request)) return { kind: 'pass' }
    const verdict = await verify(request)
    if (!verdict.ok) return { kind: 'answer', answer: verdict }
    return { kind: 'allow', auth: verdict.auth, headers: verdict.headers }
  }

  return {
    audience: settings.audience,
    resourceMetadata: metadata,
    resourceMetadataUrl: settings.resourceMetadataUrl,
    verify,
    gate,
    metadataAnswer,
    metadataPaths,
    requireScopes(auth, scopes) {
      if (auth === null || auth === undefined) return refused('credentials_missing', undefined)
      if (scopes.every((scope) => auth.hasScope(scope))) return undefined
      return insufficientScope(auth, [...new Set([...settings.scopes, ...scopes])])
    },
    insufficientScope,
    watch: (auth, end) => streams.watch(auth.token, end),
    async ready() {
      await Promise.all([...issuers.map(({ keys }) => keys.load()), revocation.ready()])
    },
    purge() {
      for (const { keys } of issuers) keys.purge()
      tokens.purge()
    },
    async close() {
      streams.close()
      revocation.close()
      if (settings.replayStore === undefined) await replayStore.close?.()
    },
  }
}

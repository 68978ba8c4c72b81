export type { AccessToken, Actor } from './access-token.ts'
export { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './algorithms.ts'
export type { AuthInfo } from './auth-info.ts'
export type { DpopPolicy } from './confirmation.ts'
export type { Scheme } from './credentials.ts'
export type { Decision, DecisionContext } from './decision.ts'
export {
  type AgentTokenClaims,
  type DecodeAgentTokenOptions,
  decodeAgentToken,
  TokenError,
} from './decode-agent-token.ts'
export {
  type MemoryReplayStore,
  type MemoryReplayStoreOptions,
  memoryReplayStore,
} from './dpop/memory-replay-store.ts'
export type { NonceOptions } from './dpop/nonce.ts'
export type { ReplayStore, ReplayVerdict } from './dpop/replay.ts'
export { createGuard, type Guard, type Passage } from './guard.ts'
export type { IssuerMetadata } from './keys.ts'
export type { StreamEnd } from './open-streams.ts'
export { DEFAULTS, type GuardOptions, type IssuerOption } from './options.ts'
export type { Profile } from './profile.ts'
export {
  ConfigurationError,
  REFUSALS,
  type Reason,
  Refusal,
  UNAVAILABLE,
  Unavailable,
  type UnavailableReason,
  type WireError,
} from './refusal.ts'
export type { GuardRequest, RequestHeaders } from './request.ts'
export type { ResourceMetadata } from './resource-metadata.ts'
export { breakOffWithToken, endWithToken, type NodeResponse } from './response-stream.ts'
export { type IntrospectionOptions, introspection } from './revocation/introspection.ts'
export { type RevocationListOptions, revocationList } from './revocation/revocation-list.ts'
export type {
  RevocationContext,
  RevocationFeed,
  RevocationSource,
  RevocationVerdict,
} from './revocation/source.ts'
export { type StatusListOptions, statusList } from './revocation/status-list.ts'
export type { ImpliesScope } from './scopes.ts'
export type { Allowed, Answer, Refused, ResponseHeaders, Verdict } from './verdict.ts'

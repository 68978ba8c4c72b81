export {
  type AgentRegistration,
  createIssuer,
  type Failing,
  type FailureMode,
  type Issuer,
  type MintOptions,
} from './issuer.ts'
export { type RunningIssuer, type StartOptions, startIssuer } from './listen.ts'
export { type MemoryStoreOptions, memoryStore } from './memory-store.ts'
export type { IssuerOptions } from './options.ts'
export type * from './records.ts'
export type { RevocationRule } from './revocation/rules.ts'
export {
  type AddOptions,
  type IssuerStore,
  type Kind,
  type ListOptions,
  type Page,
  StoreFull,
} from './store.ts'

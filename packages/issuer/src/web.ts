/** Everything that needs nothing of Node: what Workers get by the package's name. */
export type { AgentRegistration, MintOptions } from './controls.ts'
export type { TrustedIdentityProvider } from './identity-providers/options.ts'
export { createIssuer, type Issuer } from './issuer.ts'
export { type MemoryStoreOptions, memoryStore } from './memory-store.ts'
export type { IssuerOptions } from './options.ts'
export type * from './records.ts'
export type { RegistrationPolicy } from './registration/policy.ts'
export type { RevocationRule } from './revocation/rules.ts'
export type { SeedClient } from './seed.ts'
export type { SigningAlgorithm } from './signing-keys.ts'
export {
  type AddOptions,
  type IssuerStore,
  type Kind,
  type ListOptions,
  type Page,
  StoreUnavailable,
} from './store.ts'
export type { Failing, FailureMode } from './trouble.ts'
export type { UserOptions } from './users/users.ts'

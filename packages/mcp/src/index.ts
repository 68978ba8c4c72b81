export type { AuthInfo, Decision, GuardOptions } from '@sharkguard/core'
export { type GuardedHandler, type McpGuardOptions, type McpHandler, sharkGuard } from './guard.ts'
export { type OperationScopes, operationScopes } from './operation-scopes.ts'
export { type SessionOwnersOptions, sessionOwners } from './session-owners.ts'

export type { AuthInfo, Decision, GuardOptions } from '@sharkguard/core'
export { type Guarded, sharkGuard } from './guard.ts'

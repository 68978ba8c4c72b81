export type { AuthInfo, Decision, GuardOptions } from '@sharkguard/core'
export { sharkGuard } from './guard.ts'

import type { Mutation } from './mutation.ts'
import { PROOF_MUTATIONS } from './proof-mutations.ts'
import { REQUEST_MUTATIONS, TEXT_MUTATIONS } from './request-mutations.ts'
import { TOKEN_MUTATIONS } from './token-mutations.ts'

export const MUTATIONS: readonly Mutation[] = [
  ...TOKEN_MUTATIONS,
  ...PROOF_MUTATIONS,
  ...TEXT_MUTATIONS,
  ...REQUEST_MUTATIONS,
]

import type { AuthInfo } from './auth-info.ts'
import type { Scheme } from './credentials.ts'
import type { Progress } from './guard.ts'
import { type Reason, Refusal, Unavailable, type UnavailableReason } from './refusal.ts'
import type { GuardRequest } from './request.ts'

/**
 * What `onDecision` learns. Never a token, a proof, or a credential; `detail` may name claims, hosts and paths. A request that
 * is allowed and has an operation in it that needs more scopes is two decisions: `allowed`, then `refused`.
 */
export type Decision =
  | (DecisionContext & { readonly outcome: 'allowed' })
  | (DecisionContext & {
      readonly outcome: 'refused'
      readonly reason: Reason
      readonly detail: string | undefined
    })
  | (DecisionContext & {
      readonly outcome: 'unavailable'
      readonly reason: UnavailableReason
      readonly detail: string | undefined
      readonly cause: unknown
    })
  /** Not about a request: a source of revocations met something it ignored, or fell behind. */
  | {
      readonly outcome: 'notice'
      readonly source: string
      readonly issuer: string
      readonly detail: string
      readonly cause: unknown
    }

/** As far as the request got. */
export interface DecisionContext {
  readonly method: string
  readonly scheme: Scheme | undefined
  readonly issuer: string | undefined
  readonly clientId: string | undefined
  readonly subject: string | undefined
  readonly jkt: string | undefined
  /** Milliseconds from the call to the decision. */
  readonly durationMs: number
}

/** Hands decisions to `onDecision`, and costs nothing where nobody listens. */
export function createReporter(onDecision: ((decision: Decision) => void) | undefined) {
  /** Requests that were let in, by what their handlers got. */
  const admitted = new WeakMap<AuthInfo, () => DecisionContext>()

  function emit(decision: Decision): void {
    try {
      // An async function is a listener too, and its rejection would end the process.
      const pending: unknown = onDecision?.(decision)
      if (pending instanceof Promise) pending.catch(() => undefined)
    } catch {
      // A log that fails must not decide anything.
    }
  }

  function context(
    started: number,
    request: GuardRequest,
    { credentials, token }: Progress,
  ): DecisionContext {
    return {
      method: request.method,
      scheme: credentials?.scheme,
      issuer: token?.issuer,
      clientId: token?.clientId,
      subject: token?.subject,
      jkt: token?.jkt,
      durationMs: performance.now() - started,
    }
  }

  return {
    start: onDecision === undefined ? () => 0 : () => performance.now(),
    allowed(started: number, request: GuardRequest, progress: Progress, auth: AuthInfo): void {
      if (onDecision === undefined) return
      const contextNow = () => context(started, request, progress)
      admitted.set(auth, contextNow)
      emit({ outcome: 'allowed', ...contextNow() })
    },
    /** Of an operation in a request that was let in. */
    refusedOperation(auth: AuthInfo, scopes: readonly string[]): void {
      const contextNow = admitted.get(auth)
      if (contextNow === undefined) return
      const detail = `an operation needs ${scopes.join(' ')}`
      emit({ outcome: 'refused', reason: 'insufficient_scope', detail, ...contextNow() })
    },
    refused(started: number, request: GuardRequest, progress: Progress, error: unknown): void {
      if (onDecision === undefined) return
      const common = context(started, request, progress)
      if (error instanceof Refusal) {
        emit({ outcome: 'refused', reason: error.reason, detail: error.detail, ...common })
      } else {
        const reason = error instanceof Unavailable ? error.reason : 'unexpected'
        const detail = error instanceof Error ? error.message : undefined
        emit({ outcome: 'unavailable', reason, detail, cause: error, ...common })
      }
    },
    notice(source: string, issuer: string, detail: string, cause: unknown): void {
      emit({ outcome: 'notice', source, issuer, detail, cause })
    },
  }
}

import type { AuthInfo } from './auth-info.ts'
import type { Scheme } from './credentials.ts'
import type { Progress } from './guard.ts'
import { type Reason, Refusal, Unavailable, type UnavailableReason } from './refusal.ts'
import type { GuardRequest } from './request.ts'

/** What `onDecision` learns. Never a token, a proof, or a credential; `detail` may name claims, hosts and paths. */
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
  /** `undefined` for a refusal by `requireScopes` or `insufficientScope`, after the request itself was let in. */
  readonly method: string | undefined
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
    allowed(started: number, request: GuardRequest, progress: Progress): void {
      if (onDecision !== undefined) emit({ outcome: 'allowed', ...context(started, request, progress) })
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
    /** What was let in, and reported so, asks for more than it may. */
    insufficientScope({ cnf, issuer, clientId, subject }: AuthInfo, scopes: readonly string[]): void {
      emit({
        outcome: 'refused',
        reason: 'insufficient_scope',
        detail: `needs ${scopes.join(' ')}`,
        method: undefined,
        scheme: cnf === undefined ? 'Bearer' : 'DPoP',
        issuer,
        clientId,
        subject,
        jkt: cnf?.jkt,
        durationMs: 0,
      })
    },
    notice(source: string, issuer: string, detail: string, cause: unknown): void {
      emit({ outcome: 'notice', source, issuer, detail, cause })
    },
  }
}

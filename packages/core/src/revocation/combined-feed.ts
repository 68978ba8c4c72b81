import { Refusal, Unavailable } from '../refusal.ts'
import type { RevocationFeed, RevocationVerdict } from './source.ts'

/**
 * Several feeds as one: revoked if any of them says so; otherwise unknown if any of them cannot say. Answers at once when
 * all of them do. With no feeds, nothing is revoked.
 */
export function combineFeeds(feeds: readonly RevocationFeed[]): RevocationFeed {
  return {
    check(token, text) {
      let pending: Promise<RevocationVerdict>[] | undefined
      for (const feed of feeds) {
        const answer = attempt(() => feed.check(token, text))
        if (answer === 'active') continue
        if (answer === 'revoked') {
          // Whatever the others come to, and nobody is left to hear it.
          for (const other of pending ?? []) other.catch(() => undefined)
          return answer
        }
        pending = [...(pending ?? []), Promise.resolve(answer)]
      }
      return pending === undefined ? 'active' : settle(pending)
    },
    async ready() {
      await Promise.all(feeds.map((feed) => feed.ready()))
    },
    onChange(listener) {
      const undo = feeds.map((feed) => feed.onChange?.(listener))
      return () => {
        for (const stop of undo) stop?.()
      }
    },
    close() {
      for (const feed of feeds) feed.close()
    },
  }
}

function attempt(check: () => RevocationVerdict | Promise<RevocationVerdict>) {
  try {
    return check()
  } catch (error) {
    return Promise.reject(error)
  }
}

async function settle(pending: readonly Promise<RevocationVerdict>[]): Promise<RevocationVerdict> {
  const answers = await Promise.allSettled(pending)
  if (answers.some((answer) => isFulfilled(answer, 'revoked'))) return 'revoked'
  for (const answer of answers) {
    if (isFulfilled(answer, 'active')) continue
    throw asUnavailable(answer.status === 'rejected' ? answer.reason : new TypeError('not a verdict'))
  }
  return 'active'
}

function isFulfilled(answer: PromiseSettledResult<RevocationVerdict>, verdict: RevocationVerdict): boolean {
  return answer.status === 'fulfilled' && answer.value === verdict
}

function asUnavailable(error: unknown): unknown {
  if (error instanceof Refusal || error instanceof Unavailable) return error
  return new Unavailable('revocation_unavailable', { cause: error })
}

/** Nothing came in time. What was sent may have been done all the same. */
export class Late extends Error {
  override readonly name = 'Late'
}

/**
 * Settles as the promise does, or rejects with {@link Late} once `milliseconds` have passed. Where this process itself was held up, what
 * has arrived meanwhile is read before it is called late.
 */
export function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Late(`no reply within ${milliseconds} ms`))
    const timer = setTimeout(() => setImmediate(late), milliseconds)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

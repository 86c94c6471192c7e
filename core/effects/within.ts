/** Waits for work outside for a limited time. */
import type { Clock } from '../clock.ts'
import { RequestError } from '../errors.ts'

/**
 * Its result, if it comes in time. When it does not, the signal is aborted and nobody waits any more, whatever it does.
 *
 * @throws {RequestError} 504: the time is over
 */
export async function within<T>(
  clock: Clock,
  spanMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController()
  const { promise: over, reject } = Promise.withResolvers<never>()
  const cancel = clock.after(spanMs, () => {
    const error = new RequestError(504, `the other system did not answer within ${spanMs / 1000} s`)
    reject(error)
    abort.abort(error)
  })
  try {
    return await Promise.race([work(abort.signal), over])
  } finally {
    cancel()
  }
}

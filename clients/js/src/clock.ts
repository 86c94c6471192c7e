/** Time, as renewal and caches measure it: milliseconds that only grow. */

export function monotonicMs(): number {
  return performance.now()
}

/**
 * Waits, without keeping the process alive for it.
 *
 * @param signal ends the wait early; nothing is thrown
 */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    timer.unref()
    if (signal.aborted) finish()
    else signal.addEventListener('abort', finish)
  })
}

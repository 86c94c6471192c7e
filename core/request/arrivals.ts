/**
 * Requests that arrive in one turn of the event loop begin together, right after it: one look at what changed in the
 * storage serves them all, and each still sees whatever was committed before it was sent. Their audit entries share
 * writes for the same reason.
 */
export class Arrivals {
  readonly #refresh: () => void
  #next: Promise<void> | undefined

  constructor(refresh: () => void) {
    this.#refresh = refresh
  }

  /** hot: resolves when the request may begin. Rejects with whatever `refresh` throws. */
  join(): Promise<void> {
    this.#next ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#next = undefined
        try {
          this.#refresh()
          resolve()
        } catch (error) {
          reject(error)
        }
      })
    })
    return this.#next
  }
}

/**
 * Work that is done ahead of need, such as reserving the next block of a counter: whoever sees that it will be needed
 * begins it, whoever cannot go on without it waits. It runs once at a time.
 */
export class Ahead {
  readonly #work: () => Promise<void>
  #running: Promise<void> | undefined

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  /** hot: begins it, unless it runs. @returns its end, which rejects as the work does; only who needs it has to look */
  begin(): Promise<void> {
    return this.#running ?? this.#begin()
  }

  /** What runs is nobody's any more. */
  forget(): void {
    this.#running = undefined
  }

  #begin(): Promise<void> {
    const running = this.#work().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    // Who needs it awaits it and sees the failure; for the others it is begun again when it is needed again.
    running.catch(() => undefined)
    this.#running = running
    return running
  }
}

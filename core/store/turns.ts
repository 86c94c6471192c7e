/**
 * Turns at contended records. Two requests of this node that meet at the same record would undo each other's attempts
 * over and over; after its first conflict a request waits until those before it at that record are through. Nothing
 * depends on it but speed: other nodes are met by the storage's own check.
 */
export class Turns {
  readonly #tails = new Map<string, Promise<void>>()

  /** Waits for the turn at `key`. @returns to be called when it is over */
  async take(key: string): Promise<() => void> {
    const before = this.#tails.get(key)
    let release = (): void => undefined
    const over = new Promise<void>((resolve) => (release = resolve))
    const tail = before === undefined ? over : before.then(() => over)
    this.#tails.set(key, tail)
    await before
    return () => {
      release()
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }
}

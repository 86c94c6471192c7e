/**
 * In a plugin's process: closures that the server calls later, by a name that nobody can guess and no other process has. What
 * is never called goes when there are too many.
 */
import { systemRandom } from '../../random.ts'

const MAX_KEPT = 4096

export class Kept<T> {
  readonly #kept = new Map<string, T>()

  keep(value: T): string {
    const name = systemRandom.uuid()
    this.#kept.set(name, value)
    if (this.#kept.size > MAX_KEPT) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest)
        break
      }
    }
    return name
  }

  get(name: string): T {
    const value = this.#kept.get(name)
    if (value !== undefined) return value
    throw new Error('the process in which this began has ended')
  }

  /** As `get`, once. */
  take(name: string): T {
    const value = this.get(name)
    this.#kept.delete(name)
    return value
  }
}

/**
 * Gathers lines for one device: those of all requests that run now share one write (the requests that came in one turn
 * of the event loop begin together), and while a write is under way further ones gather for the next.
 *
 * Order   as added.
 * Limits  `MAX_GROUP_CHARACTERS` make one write, `MAX_WAITING_CHARACTERS` wait; while a device stalls, a line beyond
 *         that is refused at once.
 */
import type { AuditDevice } from './device.ts'
import { AuditWriteFailed, writeFailed } from './failures.ts'

/** Some 12,000 usual lines. */
const MAX_GROUP_CHARACTERS = 16 * 1024 * 1024
/** Listings of 10,000 names by 256 clients at once; each character is a byte of memory. */
const MAX_WAITING_CHARACTERS = 256 * 1024 * 1024

/** `undefined`: written. Never rejects, so that nobody need wait for it. */
export type Outcome = Promise<AuditWriteFailed | undefined>

/** The lines of one write, and what becomes of it. */
interface Group {
  lines: string
  readonly done: PromiseWithResolvers<AuditWriteFailed | undefined>
}

export class LineGroup {
  readonly #device: AuditDevice
  readonly #onOutcome: (failure: AuditWriteFailed | undefined) => void
  /** In their order; the last one still grows. */
  readonly #waiting: Group[] = []
  #waitingCharacters = 0
  #underWay: Group | undefined

  /** @param onOutcome told after each write */
  constructor(device: AuditDevice, onOutcome: (failure: AuditWriteFailed | undefined) => void) {
    this.#device = device
    this.#onOutcome = onOutcome
  }

  /** hot: the entries of a group wait for one promise. */
  add(line: string): Outcome {
    if (
      this.#waitingCharacters + line.length > MAX_WAITING_CHARACTERS &&
      this.#waiting.length > 0
    ) {
      return Promise.resolve(
        new AuditWriteFailed('the audit device does not keep up; too many entries wait for it'),
      )
    }
    const last = this.#waiting.at(-1)
    const fits = last !== undefined && last.lines.length + line.length <= MAX_GROUP_CHARACTERS
    const group = fits ? last : this.#begin()
    group.lines += line
    this.#waitingCharacters += line.length
    return group.done.promise
  }

  /** Resolves when nothing waits or is under way any more. */
  async flush(): Promise<void> {
    for (let last = this.#last(); last !== undefined; last = this.#last()) await last.done.promise
  }

  #last(): Group | undefined {
    return this.#waiting.at(-1) ?? this.#underWay
  }

  #begin(): Group {
    const group = { lines: '', done: Promise.withResolvers<AuditWriteFailed | undefined>() }
    this.#waiting.push(group)
    if (this.#waiting.length === 1 && this.#underWay === undefined) this.#startSoon()
    return group
  }

  /** Once none of the requests that run now can go on: their lines join this write. */
  #startSoon(): void {
    process.nextTick(() => this.#start())
  }

  #start(): void {
    if (this.#underWay !== undefined) return
    const group = this.#waiting.shift()
    if (group === undefined) return
    this.#waitingCharacters -= group.lines.length
    this.#underWay = group
    this.#device.write(group.lines).then(
      () => this.#finish(group, undefined),
      (error: unknown) => this.#finish(group, writeFailed(error)),
    )
  }

  #finish(group: Group, failure: AuditWriteFailed | undefined): void {
    this.#underWay = undefined
    this.#onOutcome(failure)
    group.done.resolve(failure)
    if (this.#waiting.length > 0) this.#startSoon()
  }
}

/**
 * Gathers lines for one device: those of all requests that run now share one write (the requests that came in one turn
 * of the event loop begin together), and while a write is under way further ones gather for the next.
 *
 * Order   as added.
 * Limits  `MAX_WAITING_CHARACTERS` make a group; while a device stalls, a line beyond that is refused at once.
 */
import type { AuditDevice } from './device.ts'
import { AuditWriteFailed, writeFailed } from './failures.ts'

/** Some 12,000 usual lines. */
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024

/** `undefined`: written. Never rejects, so that nobody need wait for it. */
export type Outcome = Promise<AuditWriteFailed | undefined>

export class LineGroup {
  readonly #device: AuditDevice
  readonly #onOutcome: (failure: AuditWriteFailed | undefined) => void
  #lines = ''
  #waiting: PromiseWithResolvers<AuditWriteFailed | undefined> | undefined
  #underWay: Outcome | undefined

  /** @param onOutcome told after each write */
  constructor(device: AuditDevice, onOutcome: (failure: AuditWriteFailed | undefined) => void) {
    this.#device = device
    this.#onOutcome = onOutcome
  }

  /** hot: the entries of a group wait for one promise. */
  add(line: string): Outcome {
    if (this.#lines.length + line.length > MAX_WAITING_CHARACTERS && this.#lines !== '') {
      if (this.#underWay !== undefined) {
        return Promise.resolve(
          new AuditWriteFailed('the audit device does not keep up; too many entries wait for it'),
        )
      }
      this.#start()
    }
    this.#lines += line
    if (this.#waiting === undefined) {
      this.#waiting = Promise.withResolvers()
      if (this.#underWay === undefined) process.nextTick(() => this.#start())
    }
    return this.#waiting.promise
  }

  /** Resolves when nothing waits or is under way any more. */
  async flush(): Promise<void> {
    while (this.#waiting !== undefined || this.#underWay !== undefined) {
      await (this.#waiting?.promise ?? this.#underWay)
    }
  }

  #start(): void {
    const group = this.#waiting
    if (group === undefined || this.#underWay !== undefined) return
    const lines = this.#lines
    this.#lines = ''
    this.#waiting = undefined
    this.#underWay = group.promise
    this.#device.write(lines).then(
      () => this.#finish(group, undefined),
      (error: unknown) => this.#finish(group, writeFailed(error)),
    )
  }

  #finish(
    group: PromiseWithResolvers<AuditWriteFailed | undefined>,
    failure: AuditWriteFailed | undefined,
  ): void {
    this.#underWay = undefined
    this.#onOutcome(failure)
    group.resolve(failure)
    // Whoever waited may add more first: their lines join this write.
    if (this.#waiting !== undefined) process.nextTick(() => this.#start())
  }
}

/**
 * Undoes what is due, source by source: leases that have ended, and what requests began and did not finish. What is due
 * is a range of keys, so that a million leases which are not due cost nothing.
 */
import { CorruptRecord, RequestError, Sealed } from '../errors.ts'
import type { OwnWork } from '../own-work.ts'
import type { View } from '../store/view.ts'
import { readDueName } from './due-name.ts'
import { Lanes } from './lanes.ts'
import type { Source } from './source.ts'
import { failureText, undo, type Undoing, type UndoParts } from './undo.ts'

/** Names that are read at a time. */
const PAGE = 1000
/** Pages that one sweep reads beyond those whose mounts have no place now; the next one goes on there. */
const MAX_PAGES = 50
/** Effects that one transaction takes, and one says of that they are undone: each makes up to eight changes. */
const BATCH = 128
/** How long a sweep waits for those that it has started; they go on without it. */
const PATIENCE_MS = 1000
/** The longest that one sweep goes on. */
const SWEEP_MS = 4000

/** Runs work in a transaction of its own. @returns `undefined`: it was not committed, because another came between */
export type Commit = <T>(
  work: (root: View, nowMs: number) => Promise<T>,
) => Promise<{ readonly done: T } | undefined>

export interface SweeperParts extends UndoParts {
  readonly ownWork: OwnWork
  readonly onFailure: (what: string, error: unknown) => void
}

interface Started<U> {
  readonly name: string
  readonly undoing: U
  outcome: Outcome | undefined
}
type Outcome = 'undone' | { readonly error: unknown }

export class Sweeper<U extends Undoing> {
  readonly #parts: SweeperParts
  readonly #source: Source<U>
  readonly #lanes: Lanes
  /** Where the next sweep begins; empty: with the first that is due. */
  #from = ''

  constructor(parts: SweeperParts, source: Source<U>) {
    this.#parts = parts
    this.#source = source
    this.#lanes = new Lanes(parts.clock)
  }

  /** Starts all that is due and finds a place, and waits a little for it to end. */
  async sweep(commit: Commit): Promise<void> {
    const { clock } = this.#parts
    const endMs = clock.monotonicMs() + SWEEP_MS
    do {
      const names = await this.#takeDue(commit)
      if (names.length === 0) return
      await this.#undoAll(names, commit)
    } while (clock.monotonicMs() < endMs)
  }

  /** The names of some that are due, each with its place taken. */
  async #takeDue(commit: Commit): Promise<string[]> {
    const { prefix } = this.#source
    const taken: string[] = []
    for (let page = 0; page < MAX_PAGES && taken.length < BATCH; page++) {
      const after = this.#from
      const read = await commit(async (root, nowMs) => {
        const names = await root.list(prefix, { after, limit: PAGE })
        return names.filter((name) => readDueName(name).dueAtMs <= nowMs)
      })
      const due = read?.done ?? []
      const mine = due.filter(
        (name) => taken.length < BATCH && this.#lanes.take(readDueName(name).mountUuid, name),
      )
      for (const name of mine) taken.push(name)
      this.#from = due.length < PAGE || taken.length === BATCH ? '' : (due.at(-1) ?? '')
      if (due.length < PAGE) break
    }
    return taken
  }

  async #undoAll(names: readonly string[], commit: Commit): Promise<void> {
    const started = await this.#claim(names, commit)
    const ended: Started<U>[] = []
    let waiting = true
    const running = started.map(async (one) => {
      one.outcome = await this.#undoOne(one.undoing)
      if (waiting) ended.push(one)
      else await this.#settle([one], commit)
    })
    const all = Promise.all(running).catch((error: unknown) => this.#report(error))
    await this.#patiently(all)
    waiting = false
    await this.#settle(ended, commit)
  }

  async #claim(names: readonly string[], commit: Commit): Promise<Started<U>[]> {
    const { prefix } = this.#source
    const claimed = await commit(async (root) => {
      const found: Started<U>[] = []
      for (const name of names) {
        const undoing = await this.#claimOne(root, prefix + name)
        if (undoing !== undefined) found.push({ name, undoing, outcome: undefined })
      }
      return found
    })
    const started = claimed?.done ?? []
    const those = new Set(started.map(({ name }) => name))
    for (const name of names) if (!those.has(name)) this.#free(name, undefined)
    return started
  }

  /** One that cannot be read is reported and left out, so that it holds up no others. */
  async #claimOne(root: View, key: string): Promise<U | undefined> {
    try {
      return await this.#source.claim(root, key)
    } catch (error) {
      if (!(error instanceof CorruptRecord)) throw error
      this.#report(error)
      root.delete(key)
      return undefined
    }
  }

  async #undoOne(undoing: U): Promise<Outcome> {
    try {
      await undo(this.#parts, undoing)
      return 'undone'
    } catch (error) {
      return { error }
    }
  }

  /** Writes down what came of them. What is not written is due again. */
  async #settle(ended: readonly Started<U>[], commit: Commit): Promise<void> {
    try {
      const written = await commit(async (root, nowMs) => {
        for (const { undoing, outcome } of ended) {
          if (outcome === 'undone') await this.#source.undone(root, undoing, nowMs)
          else await this.#source.failed(root, undoing, nowMs, failureText(outcome?.error))
        }
      })
      if (written === undefined) return
    } finally {
      for (const { name, outcome } of ended) this.#free(name, verdict(outcome))
    }
    for (const { undoing, outcome } of ended) await this.#tell(undoing, outcome)
  }

  async #tell(undoing: U, outcome: Outcome | undefined): Promise<void> {
    const error = outcome === 'undone' ? undefined : outcome?.error
    if (error !== undefined) this.#parts.onFailure(this.#source.what, error)
    const { namespaceId, mountUuid } = undoing
    await this.#parts.ownWork.record({
      ...this.#source.facts(undoing),
      namespaceId,
      mountUuid,
      error: error === undefined ? undefined : failureText(error),
    })
  }

  async #patiently(work: Promise<unknown>): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const cancel = this.#parts.clock.after(PATIENCE_MS, resolve)
    await Promise.race([work, over])
    cancel()
  }

  #free(name: string, undone: boolean | undefined): void {
    this.#lanes.free(readDueName(name).mountUuid, name, undone)
  }

  #report(error: unknown): void {
    if (!(error instanceof Sealed)) this.#parts.onFailure(this.#source.what, error)
  }
}

/** What an outcome says of the mount's system; 502 is of one of several, and says nothing of the others. */
function verdict(outcome: Outcome | undefined): boolean | undefined {
  if (outcome === 'undone') return true
  const error = outcome?.error
  return error instanceof RequestError && error.status === 502 ? undefined : false
}

/** The mounts at this node: transactions of their own, and what their engines have gathered and not yet written. */
import type { Clock } from '../clock.ts'
import { Sealed } from '../errors.ts'
import type { LocalMount } from '../plugin/local.ts'
import type { Random } from '../random.ts'
import { runTransaction } from '../store/run.ts'
import type { Store } from '../store/store.ts'
import { mountPrefix } from './record.ts'

/** From when something was gathered to when it is written, at most. */
const DEFER_MS = 60_000
/** Mounts that are remembered; above it all are forgotten, and those in use are back at once. */
const MAX_MOUNTS = 10_000

export interface LocalParts {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly onFailure: (what: string, error: unknown) => void
}

export class LocalMounts {
  readonly #parts: LocalParts
  readonly #mounts = new Map<string, LocalMount>()
  #deferred: (() => Promise<void>)[] = []
  #cancel: (() => void) | undefined
  /** The end of the last round that was asked for; they never overlap. */
  #round: Promise<void> = Promise.resolve()

  constructor(parts: LocalParts) {
    this.#parts = parts
  }

  /** hot: the mount of this uuid. */
  of(uuid: string): LocalMount {
    return this.#mounts.get(uuid) ?? this.#make(uuid)
  }

  /** Does all that was deferred. Never throws: failures are reported. */
  flush(): Promise<void> {
    this.#round = this.#round.then(() => this.#runDeferred())
    return this.#round
  }

  /** Nothing that was deferred is done any more. */
  stop(): void {
    this.#cancel?.()
    this.#deferred = []
  }

  #make(uuid: string): LocalMount {
    const { random } = this.#parts
    const prefix = mountPrefix(uuid)
    const local: LocalMount = {
      transact: (work) =>
        runTransaction(this.#parts, (root, nowMs) =>
          work({ storage: root.below(prefix), random, nowMs }),
        ),
      defer: (work) => this.#defer(work),
    }
    if (this.#mounts.size >= MAX_MOUNTS) this.#mounts.clear()
    this.#mounts.set(uuid, local)
    return local
  }

  #defer(work: () => Promise<void>): void {
    this.#deferred.push(work)
    this.#cancel ??= this.#parts.clock.after(DEFER_MS, () => void this.flush())
  }

  async #runDeferred(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const works = this.#deferred
    this.#deferred = []
    for (const work of works) {
      try {
        await work()
      } catch (error) {
        if (!(error instanceof Sealed)) {
          this.#parts.onFailure('writing what a mount has gathered', error)
        }
      }
    }
  }
}

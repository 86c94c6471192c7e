/**
 * What time brings to be done in other systems: engines say what is due, it is announced, done and concluded as the effect of a
 * request is. Each mount has so many at a time, and one that hangs holds up nothing but its own mount.
 */
import { NotFound, Sealed } from '../errors.ts'
import { mountOf } from '../mounts/mount.ts'
import { timedWork, type TimedWork } from '../mounts/periodic.ts'
import { mountPrefix } from '../mounts/record.ts'
import { mountByUuid } from '../mounts/table.ts'
import { passwordBy } from '../password/named.ts'
import type { TimedEffect } from '../plugin/plugin.ts'
import { Transaction } from '../store/transaction.ts'
import { View } from '../store/view.ts'
import { openIntent, type Intent } from './intents.ts'
import { perform } from './perform.ts'
import type { Commit, SweeperParts } from './sweeper.ts'
import { failureText } from './undo.ts'

/** From one look at all mounts to the next. */
const EVERY_MS = 5000
/** Effects of one mount at the same time. */
const WIDTH = 16
/** Effects of one mount that one look begins. */
const MOST_AT_ONCE = 1000
/** How long a round waits for what it has begun; that goes on without it. */
const PATIENCE_MS = 1000

interface Begun {
  readonly effect: TimedEffect
  readonly intent: Intent
}

export class TimedEffects {
  readonly #parts: SweeperParts
  /** Of each mount, by its uuid: those that are being done. */
  readonly #running = new Map<string, number>()
  #nextAtMs = 0

  constructor(parts: SweeperParts) {
    this.#parts = parts
  }

  async sweep(commit: Commit): Promise<void> {
    const { clock, store, registry } = this.#parts
    if (clock.monotonicMs() < this.#nextAtMs) return
    this.#nextAtMs = clock.monotonicMs() + EVERY_MS
    const mounts = await timedWork(new View(new Transaction(store), ''), registry)
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const cancel = clock.after(PATIENCE_MS, resolve)
    await Promise.race([Promise.all(mounts.map((mount) => this.#runMount(mount, commit))), over])
    cancel()
  }

  /** Begins what is due, as places become free. */
  async #runMount(mount: TimedWork, commit: Commit): Promise<void> {
    const running = new Set<Promise<void>>()
    for (let i = 0; i < MOST_AT_ONCE; i++) {
      if ((this.#running.get(mount.entry.uuid) ?? 0) >= WIDTH) {
        if (running.size === 0) return
        await Promise.race(running)
      }
      const begun = await this.#begin(mount, commit)
      if (begun === undefined) break
      const done = this.#do(mount, begun).finally(() => running.delete(done))
      running.add(done)
    }
    await Promise.all(running)
  }

  async #begin(
    { namespaceId, entry, work }: TimedWork,
    commit: Commit,
  ): Promise<Begun | undefined> {
    const { random, systemTtl, onFailure } = this.#parts
    const mount = mountOf(entry, systemTtl)
    try {
      const committed = await commit(async (root, nowMs) => {
        const effect = await work({
          storage: root.below(mountPrefix(mount.uuid)),
          mount,
          random,
          nowMs,
          generatePassword: (policy) => passwordBy({ root, namespaceId, random }, policy),
        })
        if (effect === undefined) return undefined
        const { type, internal } = effect
        const id = random.uuid()
        const path = mount.path + effect.path
        const announced = { id, namespaceId, path, mountUuid: mount.uuid, type, internal }
        return { effect, intent: openIntent(root, { ...announced, accessor: '' }, nowMs) }
      })
      return committed?.done
    } catch (error) {
      if (!(error instanceof Sealed)) onFailure(`timed work of the mount ${mount.path}`, error)
      return undefined
    }
  }

  /** Never fails: what became of it is told to the log and the audit log. */
  async #do({ namespaceId, entry: { uuid } }: TimedWork, begun: Begun): Promise<void> {
    const { random, ownWork, onFailure } = this.#parts
    const { path } = begun.intent
    const parts = { ...this.#parts, onFailure: (error: unknown) => onFailure(path, error) }
    this.#running.set(uuid, (this.#running.get(uuid) ?? 0) + 1)
    let failure: unknown
    try {
      await perform(parts, begun, async (root, nowMs, conclude) => {
        if ((await mountByUuid(root, namespaceId, uuid)) === undefined) throw new NotFound()
        await conclude({ storage: root.below(mountPrefix(uuid)), random, nowMs })
      })
    } catch (error) {
      failure = error
    }
    this.#ended(uuid)
    if (failure instanceof Sealed) return
    if (failure !== undefined) onFailure(path, failure)
    const error = failure === undefined ? undefined : failureText(failure)
    await ownWork.record({ operation: 'update', namespaceId, path, mountUuid: uuid, error })
  }

  #ended(uuid: string): void {
    const left = (this.#running.get(uuid) ?? 1) - 1
    if (left === 0) this.#running.delete(uuid)
    else this.#running.set(uuid, left)
  }
}

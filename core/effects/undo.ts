/** Undoes one effect: asks the engine that did it, for no longer than is its due. */
import type { Clock } from '../clock.ts'
import { BadRequest, RequestError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { mountPrefix } from '../mounts/record.ts'
import { findMountedOrRemoved } from '../mounts/removed.ts'
import type { Mounted, MountServices } from '../mounts/services.ts'
import type { EffectType } from '../plugin/effects.ts'
import type { Random } from '../random.ts'
import type { Store } from '../store/store.ts'
import { Transaction } from '../store/transaction.ts'
import { View } from '../store/view.ts'
import { within } from './within.ts'

/** What has to be undone. */
export interface Undoing {
  readonly namespaceId: string
  readonly mountUuid: string
  /** Which of the engine's effects. */
  readonly type: string
  readonly internal: JsonObject
}

export interface UndoParts extends MountServices {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
}

/** The longest that an engine may take for one. */
const UNDO_MS = 30_000

/** @throws it may still be there */
export async function undo(parts: UndoParts, undoing: Undoing): Promise<void> {
  const { store, clock, random } = parts
  const root = new View(new Transaction(store), '')
  const { mounted, effect } = await effectOf(root, parts, undoing)
  const { undo: undoEffect } = effect
  if (undoEffect === undefined) return
  const { mount } = mounted
  const storage = root.below(mountPrefix(mount.uuid))
  await within(clock, UNDO_MS, (signal) =>
    undoEffect.call(
      effect,
      { storage, mount, random, nowMs: clock.nowMs(), signal },
      undoing.internal,
    ),
  )
}

/** Removes what the engine stored of it, in the caller's transaction. */
export async function removeStored(
  root: View,
  parts: UndoParts,
  undoing: Undoing,
  nowMs: number,
): Promise<void> {
  const { mounted, effect } = await effectOf(root, parts, undoing)
  const storage = root.below(mountPrefix(mounted.mount.uuid))
  await effect.removed?.({ storage, random: parts.random, nowMs }, undoing.internal)
}

/** @throws {BadRequest} nobody here knows how to undo it */
export async function effectOf(
  root: View,
  services: MountServices,
  { namespaceId, mountUuid, type }: Pick<Undoing, 'namespaceId' | 'mountUuid' | 'type'>,
): Promise<{ mounted: Mounted; effect: EffectType }> {
  const mounted = await findMountedOrRemoved(root, services, namespaceId, mountUuid)
  if (mounted === undefined) {
    throw new BadRequest('its mount is gone, or of a type that this server does not have')
  }
  if (mounted.instance.unavailable !== undefined) throw mounted.instance.unavailable
  const effect = mounted.instance.plugin.effects?.[type]
  if (effect === undefined) {
    const { type: engine } = mounted.entry
    throw new BadRequest(`the engine "${engine}" does not know how to undo a "${type}"`)
  }
  return { mounted, effect }
}

/** What an operator is told of a failure: an engine's own words, and of anything else only where to look. */
export function failureText(error: unknown): string {
  if (error instanceof RequestError && error.message !== '') return error.message
  return "internal error; the server's log has the details"
}

/**
 * Who has failed to log in too often is locked out for a while (contract: http.md, 10.8). The count lies in the storage of the mount, so that all nodes
 * count alike; it is written beside the request, whose own writes are dropped when it fails. A login that
 * succeeds is run again when another one has failed meanwhile: however many guess at once, the lock holds.
 *
 * Names that nobody has are counted as well: who is locked out must not tell who is there.
 */
import { z } from 'zod'
import { PermissionDenied } from '../errors.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import type { MountContext } from './plugin.ts'
import type { RequestBase } from './request.ts'

const lockouts = kind(
  'lockout',
  z
    .object({
      failures: z.number().int(),
      /** 0: it is not locked. */
      lockedUntilMs: z.number(),
      /** Then nothing of it counts any more. */
      endsAtMs: z.number(),
    })
    .readonly(),
)
const LOCKOUT_PREFIX = 'lockout/'
/** That one ends, by time. */
const lockoutEnds = kind('lockout-end', z.object({ name: z.string() }).readonly(), {
  keptWhenWritten: false,
})
const ENDS_PREFIX = 'lockout-end/'
const TIME_DIGITS = 14
const REMOVED_AT_ONCE = 40

const lockoutKey = (name: string) => LOCKOUT_PREFIX + encodeURIComponent(name)
const endKey = (name: string, endsAtMs: number) =>
  `${ENDS_PREFIX}${String(endsAtMs).padStart(TIME_DIGITS, '0')}.${encodeURIComponent(name)}`

/**
 * Before anything is looked at. Not in the request's transaction: a failure that is noted beside it would have it run again.
 *
 * @param name canonical: each spelling of it must come here as the same
 * @throws {PermissionDenied} it is locked out
 */
export async function demandNotLocked({ local, mount }: RequestBase, name: string): Promise<void> {
  if (mount.lockout.disable) return
  await local.transact(async ({ storage, nowMs }) => {
    if (isLocked(await storage.get(lockouts, lockoutKey(name)), nowMs)) throw new PermissionDenied()
  })
}

/**
 * It has logged in, so its failures are forgotten; in the request's transaction, which is run again where another failure
 * comes between.
 *
 * @throws {PermissionDenied} it was locked out meanwhile
 */
export async function noteSuccess(
  { storage, mount, nowMs }: RequestBase,
  name: string,
): Promise<void> {
  if (mount.lockout.disable) return
  if (isLocked(await storage.get(lockouts, lockoutKey(name)), nowMs)) throw new PermissionDenied()
  await clearFailures(storage, name)
}

const isLocked = (found: { lockedUntilMs: number } | undefined, nowMs: number) =>
  found !== undefined && found.lockedUntilMs > nowMs

/** Counts a failure, whatever becomes of the request. */
export async function noteFailure({ local, mount }: RequestBase, name: string): Promise<void> {
  const { disable, threshold, durationSeconds, counterResetSeconds } = mount.lockout
  if (disable) return
  await local.transact(async ({ storage, nowMs }) => {
    const before = await storage.get(lockouts, lockoutKey(name))
    if (isLocked(before, nowMs)) return
    const counts = before?.lockedUntilMs === 0 && before.endsAtMs > nowMs
    const failures = (counts ? before.failures : 0) + 1
    const lockedUntilMs = failures >= threshold ? nowMs + durationSeconds * 1000 : 0
    const endsAtMs = lockedUntilMs || nowMs + counterResetSeconds * 1000
    await clearFailures(storage, name)
    storage.put(lockouts, lockoutKey(name), { failures, lockedUntilMs, endsAtMs })
    storage.put(lockoutEnds, endKey(name, endsAtMs), { name })
  })
}

/** An operator lets it in again. */
export async function clearFailures(storage: View, name: string): Promise<void> {
  const found = await storage.get(lockouts, lockoutKey(name))
  if (found === undefined) return
  storage.delete(lockoutKey(name))
  storage.delete(endKey(name, found.endsAtMs))
}

/** The names that are locked out now, in their order. */
export async function lockedNames(
  storage: Pick<View, 'get' | 'list'>,
  nowMs: number,
): Promise<string[]> {
  const found: string[] = []
  for (const key of await storage.list(LOCKOUT_PREFIX)) {
    const lockout = await storage.get(lockouts, LOCKOUT_PREFIX + key)
    if (isLocked(lockout, nowMs)) found.push(decodeURIComponent(key))
  }
  return found
}

/** For a method's `periodic`: what has ended is removed. @returns whether there is more */
export async function removeEnded({ storage, nowMs }: MountContext): Promise<boolean> {
  const keys = await storage.list(ENDS_PREFIX, { limit: REMOVED_AT_ONCE })
  const ended = keys.filter((key) => Number(key.slice(0, TIME_DIGITS)) <= nowMs)
  for (const key of ended) {
    const name = (await storage.get(lockoutEnds, ENDS_PREFIX + key))?.name
    if (name !== undefined) await clearFailures(storage, name)
    storage.delete(ENDS_PREFIX + key)
  }
  return ended.length === REMOVED_AT_ONCE
}

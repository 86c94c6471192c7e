/**
 * The mounts of a namespace, found by path or uuid, listed, and written. No mount lies below another, so the first one
 * on the way down a path is the only one: finding it costs as many look-ups as its path has segments.
 */
import type { Awaitable } from '../store/awaitable.ts'
import type { View } from '../store/view.ts'
import {
  mountChanges,
  mountChangesKey,
  mountFolder,
  mountKey,
  mountPathFolder,
  mountPathKey,
  mountPathRecords,
  mountRecords,
  nameOfPath,
  pathOfName,
  type MountEntry,
} from './record.ts'

/** Longest path of a mount, `auth/` and the trailing '/' included: its name fits into a key, however it is written. */
export const MAX_MOUNT_PATH_BYTES = 256
/** Most segments of a mount's path: a request that goes nowhere, which anybody may send, costs so many look-ups. */
export const MAX_MOUNT_SEGMENTS = 16

/** hot: the mount of a request's path; `foo` alone also reaches the mount `foo/`. */
export async function findMount(
  root: View,
  namespaceId: string,
  path: string,
): Promise<MountEntry | undefined> {
  const uuid = (await firstOnTheWay(root, namespaceId, path))?.uuid
  return uuid === undefined ? undefined : mountByUuid(root, namespaceId, uuid)
}

/** The mount with exactly this path, which ends in '/'. */
export async function mountAt(
  root: View,
  namespaceId: string,
  path: string,
): Promise<MountEntry | undefined> {
  if (!isMountPathSize(path)) return undefined
  const found = await root.get(mountPathRecords, mountPathKey(namespaceId, path))
  return found && mountByUuid(root, namespaceId, found.uuid)
}

/** hot: the mount, if it is there still, wherever it was moved to. */
export function mountByUuid(
  root: View,
  namespaceId: string,
  uuid: string,
): Awaitable<MountEntry | undefined> {
  return root.get(mountRecords, mountKey(namespaceId, uuid))
}

/** All mounts, sorted by path. */
export async function listMounts(root: View, namespaceId: string): Promise<readonly MountEntry[]> {
  // Read though its count matters not: the listing is then of one moment.
  await root.get(mountChanges, mountChangesKey(namespaceId))
  const entries: MountEntry[] = []
  for (const uuid of await root.list(mountFolder(namespaceId))) {
    const entry = await mountByUuid(root, namespaceId, uuid)
    if (entry !== undefined) entries.push(entry)
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The uuids of some mounts; a listing alone, which needs no record of them to be whole. */
export function someMounts(root: View, namespaceId: string, limit: number): Promise<string[]> {
  return root.list(mountFolder(namespaceId), { limit })
}

/** The path of a mount that `path` lies under, is, or lies over: it may not be mounted then. */
export async function conflictingPath(
  root: View,
  namespaceId: string,
  path: string,
): Promise<string | undefined> {
  const above = await firstOnTheWay(root, namespaceId, path)
  if (above !== undefined) return above.path
  const name = nameOfPath(path)
  const [next] = await root.list(mountPathFolder(namespaceId), { after: name, limit: 1 })
  return next?.startsWith(name) ? pathOfName(next) : undefined
}

/** Before a mount is made, moved or removed: of two requests that do, the second one runs again. */
export async function beginChange(root: View, namespaceId: string): Promise<void> {
  const key = mountChangesKey(namespaceId)
  const count = (await root.get(mountChanges, key))?.count ?? 0
  root.put(mountChanges, key, { count: count + 1 })
}

export function putMount(root: View, namespaceId: string, entry: MountEntry): void {
  root.put(mountRecords, mountKey(namespaceId, entry.uuid), entry)
  root.put(mountPathRecords, mountPathKey(namespaceId, entry.path), { uuid: entry.uuid })
}

/** Changes what is known of a mount, but not its path. */
export function replaceMount(root: View, namespaceId: string, entry: MountEntry): void {
  root.put(mountRecords, mountKey(namespaceId, entry.uuid), entry)
}

export function removeMount(root: View, namespaceId: string, entry: MountEntry): void {
  root.delete(mountKey(namespaceId, entry.uuid))
  root.delete(mountPathKey(namespaceId, entry.path))
}

/** Whether a mount may have such a path, as far as its length goes. */
export function isMountPathSize(path: string): boolean {
  return (
    Buffer.byteLength(path) <= MAX_MOUNT_PATH_BYTES &&
    path.split('/').length - 1 <= MAX_MOUNT_SEGMENTS
  )
}

interface OnTheWay {
  readonly path: string
  readonly uuid: string
}

/** hot: the first mount on the way down to `path`, which it may be itself. */
async function firstOnTheWay(
  root: View,
  namespaceId: string,
  path: string,
): Promise<OnTheWay | undefined> {
  const whole = path.endsWith('/') ? path : `${path}/`
  let end = whole.indexOf('/') + 1
  for (let segments = 1; segments <= MAX_MOUNT_SEGMENTS && end > 0; segments++) {
    const above = whole.slice(0, end)
    if (Buffer.byteLength(above) > MAX_MOUNT_PATH_BYTES) return undefined
    const found = await root.get(mountPathRecords, mountPathKey(namespaceId, above))
    if (found !== undefined) return { path: above, uuid: found.uuid }
    end = whole.indexOf('/', end) + 1
  }
  return undefined
}

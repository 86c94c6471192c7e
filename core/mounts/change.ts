/**
 * Changes of a namespace's mounts: mount, tune, move, remove. Each is a few records put in the request's transaction,
 * however much the mount holds, so no request ever sees half of it. Texts are those that clients know.
 */
import { BadRequest } from '../errors.ts'
import { childNamespace } from '../namespaces.ts'
import type { UpgradeResult } from '../plugin/plugin.ts'
import type { Namespace } from '../plugin/request.ts'
import { removeQuotas } from '../quota/remove.ts'
import type { Random } from '../random.ts'
import type { View } from '../store/view.ts'
import { newMount, type NewMount } from './defaults.ts'
import { mountPrefix, type MountEntry } from './record.ts'
import { purgeLater } from './removed.ts'
import type { Registry } from './registry.ts'
import {
  beginChange,
  conflictingPath,
  isMountPathSize,
  MAX_MOUNT_PATH_BYTES,
  MAX_MOUNT_SEGMENTS,
  mountAt,
  putMount,
  removeMount,
  replaceMount,
} from './table.ts'

export interface ChangeContext {
  readonly root: View
  readonly namespace: Namespace
  readonly registry: Registry
  readonly random: Random
  readonly nowMs: number
}

/** Nothing may be mounted under these, but auth methods under their own. */
const RESERVED_PREFIXES = ['audit/', 'auth/', 'cubbyhole/', 'identity/', 'sys/'] as const
const AUTH_PREFIX = 'auth/'

/** @throws {BadRequest} the path is taken, reserved or too long, or the engine refuses the options */
export async function mount(context: ChangeContext, spec: NewMount): Promise<MountEntry> {
  const { root, namespace, random, nowMs } = context
  demandSize('path', spec.path)
  await beginChange(root, namespace.id)
  const conflict = await takenPath(root, namespace, spec.path)
  if (conflict !== undefined) {
    throw new BadRequest(`path is already in use at ${shownPath(conflict)}`)
  }
  const entry = newMount(spec, random)
  const instance = await context.registry.find(root, entry)
  await instance?.plugin.initialize?.({
    storage: root.below(mountPrefix(entry.uuid)),
    random,
    nowMs,
  })
  putMount(root, namespace.id, entry)
  return entry
}

/**
 * Removes a mount, if it is there. Nobody reaches what it holds, and no token that it granted works, from the commit
 * on; the records themselves go later.
 */
export async function unmount({ root, namespace }: ChangeContext, path: string): Promise<void> {
  const entry = await mountAt(root, namespace.id, path)
  if (entry === undefined) return
  await beginChange(root, namespace.id)
  await unmountEntry(root, namespace.id, entry)
}

/** The same of a mount that was found, built-in ones too: for who removes all of a namespace. */
export async function unmountEntry(
  root: View,
  namespaceId: string,
  entry: MountEntry,
): Promise<void> {
  removeMount(root, namespaceId, entry)
  purgeLater(root, namespaceId, entry)
  await removeQuotas(root, ({ mountUuid }) => mountUuid === entry.uuid)
}

/**
 * Replaces an entry's settings. With other options, the engine is told, and may refuse.
 *
 * @throws {RequestError} the version of an external plugin that it is to have cannot run here
 */
export async function tune(
  context: ChangeContext,
  entry: MountEntry,
  changed: Pick<MountEntry, 'description' | 'options' | 'config'> &
    Partial<Pick<MountEntry, 'pluginVersion'>>,
): Promise<UpgradeResult> {
  const { root, namespace, random, nowMs } = context
  const tuned: MountEntry = { ...entry, ...changed }
  replaceMount(root, namespace.id, tuned)
  const hasSameVersion = changed.options?.['version'] === entry.options?.['version']
  if (hasSameVersion && tuned.pluginVersion === entry.pluginVersion) return NO_WARNINGS
  const instance = await context.registry.find(root, tuned)
  if (instance?.unavailable !== undefined) throw instance.unavailable
  if (hasSameVersion) return NO_WARNINGS
  const upgraded = await instance?.plugin.upgrade?.({
    storage: root.below(mountPrefix(entry.uuid)),
    random,
    nowMs,
    from: entry.options ?? {},
  })
  return upgraded ?? NO_WARNINGS
}

const NO_WARNINGS: UpgradeResult = { warnings: [] }

/** Moves a mount with all that it holds. @throws {BadRequest} */
export async function remount(context: ChangeContext, from: string, to: string): Promise<void> {
  const { root, namespace } = context
  demandSize('from', from)
  demandSize('to', to)
  if (isBuiltIn(from)) throw new BadRequest(`cannot remount "${from}"`)
  const entry = await mountAt(root, namespace.id, from)
  if (entry?.kind === 'auth' && !to.startsWith(AUTH_PREFIX)) {
    throw new BadRequest(`cannot remount auth mount to non-auth mount "${to}"`)
  }
  if (entry?.kind === 'auth' ? to === AUTH_PREFIX : isReserved(to)) {
    throw new BadRequest(`cannot remount to destination ${to}`)
  }
  if (entry === undefined) throw new BadRequest(`no matching mount at "${from}"`)
  await beginChange(root, namespace.id)
  const conflict = await takenPath(root, namespace, to)
  if (conflict !== undefined) throw new BadRequest(`path already in use at "${conflict}"`)
  removeMount(root, namespace.id, entry)
  putMount(root, namespace.id, { ...entry, path: to })
}

/** The mount or the namespace below this one that such a path would lie under or over, if there is one. */
async function takenPath(
  root: View,
  namespace: Namespace,
  path: string,
): Promise<string | undefined> {
  const name = path.slice(0, path.indexOf('/'))
  const below = await childNamespace(root, namespace.id, name)
  return below === undefined ? conflictingPath(root, namespace.id, path) : `${name}/`
}

/** A path on or under which no engine may be mounted. */
export function isReserved(path: string): boolean {
  return RESERVED_PREFIXES.some((prefix) => path.startsWith(prefix))
}

/** A mount that each namespace has from its beginning, and keeps. */
export function isBuiltIn(path: string): boolean {
  return path === 'auth/token/' || (isReserved(path) && !path.startsWith(AUTH_PREFIX))
}

/** As answers show it: auth methods without their prefix. */
function shownPath(path: string): string {
  return path.startsWith(AUTH_PREFIX) ? path.slice(AUTH_PREFIX.length) : path
}

/** @throws {BadRequest} the path is longer than a mount's may be */
function demandSize(field: 'path' | 'from' | 'to', path: string): void {
  if (isMountPathSize(path)) return
  throw new BadRequest(
    `'${field}' is too long: the path of a mount has at most ${MAX_MOUNT_PATH_BYTES} bytes in ${MAX_MOUNT_SEGMENTS} segments, "auth/" included`,
  )
}

/**
 * Changes of a namespace's mount table: mount, tune, move, remove. Each is one record put in the request's transaction,
 * however much the mount holds, so no request ever sees half of it. Texts are those that clients know.
 */
import { BadRequest } from '../errors.ts'
import type { UpgradeResult } from '../plugin/plugin.ts'
import type { Namespace } from '../plugin/request.ts'
import type { Random } from '../random.ts'
import type { View } from '../store/view.ts'
import { newMount, type NewMount } from './defaults.ts'
import { purgeLater } from './purge.ts'
import { mountPrefix, mountTable, mountTableKey, type MountEntry } from './record.ts'
import type { Registry } from './registry.ts'
import { Router } from './router.ts'

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

/** The mounts of the namespace. */
export async function readMounts(root: View, namespace: Namespace): Promise<Router> {
  return Router.of((await root.get(mountTable, mountTableKey(namespace.id))) ?? [])
}

/** @throws {BadRequest} the path is taken or reserved, or the engine refuses the options */
export async function mount(context: ChangeContext, spec: NewMount): Promise<MountEntry> {
  const { root, random, nowMs } = context
  const router = await readMounts(root, context.namespace)
  const conflict = router.conflict(spec.path)
  if (conflict !== undefined) {
    throw new BadRequest(`path is already in use at ${shownPath(conflict)}`)
  }
  const entry = newMount(spec, random)
  const instance = context.registry.instance(entry)
  await instance?.plugin.initialize?.({
    storage: root.below(mountPrefix(entry.uuid)),
    random,
    nowMs,
  })
  write(context, [...router.entries, entry])
  return entry
}

/**
 * Removes a mount, if it is there. Nobody reaches what it holds, and no token that it granted works, from the commit
 * on; the records themselves go later.
 */
export async function unmount(context: ChangeContext, path: string): Promise<void> {
  const router = await readMounts(context.root, context.namespace)
  const entry = router.get(path)
  if (entry === undefined) return
  write(
    context,
    router.entries.filter((one) => one !== entry),
  )
  purgeLater(context.root, entry.uuid)
}

/** Replaces an entry's settings. With other options, the engine is told, and may refuse. */
export async function tune(
  context: ChangeContext,
  entry: MountEntry,
  changed: Pick<MountEntry, 'description' | 'options' | 'config'>,
): Promise<UpgradeResult> {
  const { root, random, nowMs } = context
  const router = await readMounts(root, context.namespace)
  const tuned: MountEntry = { ...entry, ...changed }
  write(
    context,
    router.entries.map((one) => (one.uuid === entry.uuid ? tuned : one)),
  )
  if (changed.options?.['version'] === entry.options?.['version']) return NO_WARNINGS
  const upgraded = await context.registry.instance(tuned)?.plugin.upgrade?.({
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
  const router = await readMounts(context.root, context.namespace)
  if (isBuiltIn(from)) throw new BadRequest(`cannot remount "${from}"`)
  const entry = router.get(from)
  if (entry?.kind === 'auth' && !to.startsWith(AUTH_PREFIX)) {
    throw new BadRequest(`cannot remount auth mount to non-auth mount "${to}"`)
  }
  if (entry?.kind === 'auth' ? to === AUTH_PREFIX : isReserved(to)) {
    throw new BadRequest(`cannot remount to destination ${to}`)
  }
  if (entry === undefined) throw new BadRequest(`no matching mount at "${from}"`)
  const conflict = router.conflict(to)
  if (conflict !== undefined) throw new BadRequest(`path already in use at "${conflict.path}"`)
  write(
    context,
    router.entries.map((one) => (one === entry ? { ...entry, path: to } : one)),
  )
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
function shownPath({ kind, path }: Pick<MountEntry, 'kind' | 'path'>): string {
  return kind === 'auth' ? path.slice(AUTH_PREFIX.length) : path
}

function write({ root, namespace }: ChangeContext, entries: readonly MountEntry[]): void {
  root.put(mountTable, mountTableKey(namespace.id), entries)
}

/**
 * Changes of namespaces: make, remember something about one, lock and unlock, begin to delete. Each is a few records put
 * in the request's transaction. Texts are those that clients know.
 */
import { bootstrapNamespace } from '../bootstrap.ts'
import { BadRequest } from '../errors.ts'
import { beginChange, conflictingPath } from '../mounts/table.ts'
import {
  childNamespace,
  closedBy,
  findNamespace,
  namespaceKey,
  namespaceRecords,
  ROOT,
  type NamespaceRecord,
} from '../namespaces.ts'
import type { Namespace } from '../plugin/request.ts'
import type { Random } from '../random.ts'
import type { View } from '../store/view.ts'
import { deleteLater } from './delete.ts'
import { fitsLock, newLock } from './lock.ts'
import { demandMetadata, demandNewName } from './names.ts'
import { beginNamespaceChange, hasChildren, putNamespace, replaceNamespace } from './table.ts'

export interface NamespaceContext {
  readonly root: View
  readonly random: Random
  readonly nowMs: number
}
type Metadata = Readonly<Record<string, string>>

/** Random characters of an id, which tokens of the namespace end in. */
const ID_CHARACTERS = 6

/**
 * Makes a namespace below a parent, with its built-in mounts and its default policy. One that is there stays as it is,
 * but for the metadata, where some is given.
 *
 * @throws {BadRequest} no namespace may have that name there, or the one of that name is being deleted
 */
export async function setNamespace(
  context: NamespaceContext,
  parent: Namespace,
  name: string,
  metadata: Metadata | undefined,
): Promise<NamespaceRecord> {
  const { root } = context
  if (metadata !== undefined) demandMetadata(metadata)
  const before = await childNamespace(root, parent.id, name)
  if (before === undefined) return create(context, parent, name, metadata ?? {})
  return metadata === undefined
    ? demandUntainted(before)
    : replaceNamespace(root, { ...demandUntainted(before), customMetadata: metadata })
}

async function create(
  context: NamespaceContext,
  parent: Namespace,
  name: string,
  customMetadata: Metadata,
): Promise<NamespaceRecord> {
  const { root, random } = context
  demandNewName(name, parent.path)
  // Mounts and namespaces share their names, so who makes either runs again when another did.
  await beginChange(root, parent.id)
  const taken = await conflictingPath(root, parent.id, `${name}/`)
  if (taken !== undefined) {
    throw new BadRequest(`new namespace conflicts with existing mount: ${taken}`)
  }
  await beginNamespaceChange(root, parent.id)
  const record: NamespaceRecord = {
    id: await freeId(root, random),
    uuid: random.uuid(),
    path: `${parent.path}${name}/`,
    parentId: parent.id,
    customMetadata,
    tainted: false,
    lock: null,
  }
  putNamespace(root, record)
  bootstrapNamespace(context, record)
  return record
}

async function freeId(root: View, random: Random): Promise<string> {
  for (;;) {
    const id = random.base62(ID_CHARACTERS)
    if ((await root.get(namespaceRecords, namespaceKey(id))) === undefined) return id
  }
}

function demandUntainted(record: NamespaceRecord): NamespaceRecord {
  if (!record.tainted) return record
  throw new BadRequest('namespace with that name exists and is currently tainted')
}

/** @param change `null` removes a key; `null` itself removes all @throws {BadRequest} there is none of that name */
export async function patchNamespace(
  root: View,
  parent: Namespace,
  name: string,
  change: Readonly<Record<string, string | null>> | null,
): Promise<NamespaceRecord> {
  const before = await childNamespace(root, parent.id, name)
  if (before === undefined) throw new BadRequest('namespace not found')
  const merged = { ...demandUntainted(before).customMetadata, ...change }
  const kept = Object.entries(merged).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  const customMetadata = change === null ? {} : Object.fromEntries(kept)
  demandMetadata(customMetadata)
  return replaceNamespace(root, { ...before, customMetadata })
}

/**
 * Closes a namespace for good: from the commit on nobody enters it, and none of its tokens is alive. What it holds goes
 * later.
 *
 * @returns whether there is such a namespace
 * @throws {BadRequest} it has namespaces below it
 */
export async function deleteNamespace(
  root: View,
  parent: Namespace,
  name: string,
): Promise<boolean> {
  const record = await childNamespace(root, parent.id, name)
  if (record === undefined) return false
  if (record.tainted) return true
  await beginNamespaceChange(root, record.id)
  if (await hasChildren(root, record.id)) {
    throw new BadRequest('unable to delete namespace containing child namespaces')
  }
  replaceNamespace(root, { ...record, tainted: true })
  deleteLater(root, record.id)
  return true
}

/** @returns the key that unlocks it again @throws {BadRequest} */
export async function lockNamespace(
  { root, random }: Pick<NamespaceContext, 'root' | 'random'>,
  from: Namespace,
  path: string,
): Promise<string> {
  const record = await demandBelow(root, from, path)
  const closed = await closedBy(root, record.id)
  if (closed?.kind === 'locked') {
    const why =
      closed.path === record.path
        ? 'is already locked'
        : `ancestor namespace "${closed.path}" is already locked`
    throw new BadRequest(`cannot lock namespace "${record.path}": ${why}`)
  }
  const { key, lock } = newLock(random)
  replaceNamespace(root, { ...demandUntainted(record), lock })
  return key
}

/** @param key what locking it gave; `undefined`: the caller may do without @throws {BadRequest} */
export async function unlockNamespace(
  root: View,
  from: Namespace,
  path: string,
  key: string | undefined,
): Promise<void> {
  const record = await demandBelow(root, from, path)
  if (record.lock === null) throw new BadRequest(`namespace "${record.path}" is not locked`)
  const closed = await closedBy(root, record.id)
  if (closed?.kind === 'locked' && closed.path !== record.path) {
    throw new BadRequest(
      `cannot unlock "${record.path}" with namespace "${closed.path}" being locked`,
    )
  }
  if (key !== undefined && !fitsLock(key, record.lock)) {
    throw new BadRequest('incorrect unlock key')
  }
  replaceNamespace(root, { ...record, lock: null })
}

/** The namespace of a path below `from`, which may be itself. @throws {BadRequest} */
async function demandBelow(root: View, from: Namespace, path: string): Promise<NamespaceRecord> {
  let record = from.id === ROOT.id ? undefined : await findNamespace(root, from.id)
  let at = from.id
  for (const name of path.split('/').filter((segment) => segment !== '')) {
    record = await childNamespace(root, at, name)
    if (record === undefined) throw new BadRequest('requested namespace does not exist')
    at = record.id
  }
  if (record === undefined) throw new BadRequest('root namespace cannot be locked/unlocked')
  return record
}

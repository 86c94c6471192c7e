/** Which namespaces there are: their records, listed and written. */
import { z } from 'zod'
import {
  findNamespace,
  namespaceKey,
  NAMESPACES_PREFIX,
  namespaceLinkFolder,
  namespaceLinkKey,
  namespaceLinks,
  namespaceRecords,
  ROOT,
  type NamespaceRecord,
} from '../namespaces.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'

/** Rewritten by who makes or removes a child of a namespace, and read by who decides by what children there are. */
const changes = kind('namespace-changes', z.object({ count: z.number() }).readonly())
const changesKey = (parentId: string) => `namespace-changes/${parentId}`

/** Before a child is made or removed, or it counts that there is none: of two such requests the second runs again. */
export async function beginNamespaceChange(root: View, parentId: string): Promise<void> {
  const count = (await root.get(changes, changesKey(parentId)))?.count ?? 0
  root.put(changes, changesKey(parentId), { count: count + 1 })
}

export async function hasChildren(root: View, id: string): Promise<boolean> {
  return (await root.list(namespaceLinkFolder(id), { limit: 1 })).length > 0
}

/** Those right below, by name. */
export async function listChildren(root: View, parentId: string): Promise<NamespaceRecord[]> {
  // Read though its count matters not: the listing is then of one moment.
  await root.get(changes, changesKey(parentId))
  const found: NamespaceRecord[] = []
  for (const name of await root.list(namespaceLinkFolder(parentId))) {
    const link = await root.get(namespaceLinks, namespaceLinkKey(parentId, name))
    const record = link && (await findNamespace(root, link.id))
    if (record !== undefined) found.push(record)
  }
  return found
}

/** All below, each before its own children. */
export async function scanChildren(root: View, parentId: string): Promise<NamespaceRecord[]> {
  const found: NamespaceRecord[] = []
  for (const record of await listChildren(root, parentId)) {
    found.push(record, ...(await scanChildren(root, record.id)))
  }
  return found
}

/** The ids of all namespaces, the root one first. */
export async function namespaceIds(root: View): Promise<string[]> {
  return [ROOT.id, ...(await root.list(NAMESPACES_PREFIX))]
}

export function putNamespace(root: View, record: NamespaceRecord): void {
  root.put(namespaceRecords, namespaceKey(record.id), record)
  root.put(namespaceLinks, linkKeyOf(record), { id: record.id })
}

/** Changes what is known of a namespace, but not where it is. */
export function replaceNamespace(root: View, record: NamespaceRecord): NamespaceRecord {
  root.put(namespaceRecords, namespaceKey(record.id), record)
  return record
}

/** Forgets a namespace; what it held is gone already. */
export function removeNamespace(root: View, record: NamespaceRecord): void {
  root.delete(namespaceKey(record.id))
  root.delete(linkKeyOf(record))
  root.delete(changesKey(record.id))
}

function linkKeyOf({ parentId, path }: Pick<NamespaceRecord, 'parentId' | 'path'>): string {
  return namespaceLinkKey(parentId, path.slice(path.lastIndexOf('/', path.length - 2) + 1, -1))
}

/**
 * Removes what a deleted namespace holds. Nobody enters it, and none of its tokens is alive, from the commit that deletes
 * it; this revokes and frees what is stored, in steps. The same commit leaves a record of the work, so that it goes on
 * after a crash, and the namespace is there, tainted, until nothing of it is left.
 */
import { z } from 'zod'
import { CorruptRecord } from '../errors.ts'
import { unmountEntry } from '../mounts/change.ts'
import { purgeLater } from '../mounts/purge.ts'
import { mountKey } from '../mounts/record.ts'
import { mountByUuid, someMounts } from '../mounts/table.ts'
import { findNamespace, namespacePrefix, type NamespaceRecord } from '../namespaces.ts'
import { removePolicy } from '../policy-ends.ts'
import { policyPrefix } from '../policies.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { findStored } from '../tokens/find.ts'
import { tokenPrefix } from '../tokens/record.ts'
import { listDeep, readable, revokeToken, revokeUnread } from '../tokens/revoke.ts'
import { beginNamespaceChange, removeNamespace } from './table.ts'

const deletions = kind('namespace-deletion', z.object({ id: z.string() }).readonly())
const DELETIONS_PREFIX = 'namespace-deletion/'
/** Mounts, tokens or policies that one step takes; each is up to four changes of a commit. */
const PAGE = 200
/** Other records that one step removes. */
const RECORDS_PAGE = 500

type Report = (error: CorruptRecord) => void
/** @returns whether it did something; then there may be more */
type Step = (root: View, namespace: NamespaceRecord, report: Report) => Promise<boolean>

/** Leaves a note, in the transaction that taints. */
export function deleteLater(root: View, id: string): void {
  root.put(deletions, DELETIONS_PREFIX + id, { id })
}

/**
 * One step, in a transaction of its own.
 *
 * @param report told of records that cannot be read; they are removed unread, so that they hold up no others
 * @returns whether there is more to do
 */
export async function deleteNamespaces(root: View, report: Report): Promise<boolean> {
  const [id] = await root.list(DELETIONS_PREFIX, { limit: 1 })
  if (id === undefined) return false
  const namespace = await findNamespace(root, id)
  if (namespace !== undefined) {
    for (const step of STEPS) if (await step(root, namespace, report)) return true
    await beginNamespaceChange(root, namespace.parentId)
    removeNamespace(root, namespace)
  }
  root.delete(DELETIONS_PREFIX + id)
  return true
}

const removeMounts: Step = async (root, { id }, report) => {
  const uuids = await someMounts(root, id, PAGE)
  for (const uuid of uuids) {
    const entry = await readable(report, () => mountByUuid(root, id, uuid))
    if (entry !== undefined) unmountEntry(root, id, entry)
    else {
      root.delete(mountKey(id, uuid))
      purgeLater(root, uuid)
    }
  }
  return uuids.length > 0
}

const revokeTokens: Step = async (root, { id }, report) => {
  const accessors = await root.list(tokenPrefix(id), { limit: PAGE })
  for (const accessor of accessors) {
    const token = await readable(report, () => findStored({ root }, id, accessor))
    if (token === undefined) revokeUnread(root, id, accessor)
    else revokeToken(root, token)
  }
  return accessors.length > 0
}

const removePolicies: Step = async (root, { id }) => {
  const keys = await listDeep(root, policyPrefix(id), PAGE)
  for (const key of keys) await removePolicy(root, id, key.slice(policyPrefix(id).length))
  return keys.length > 0
}

const removeRest: Step = async (root, { id }) => {
  const keys = await listDeep(root, namespacePrefix(id), RECORDS_PAGE)
  for (const key of keys) root.delete(key)
  return keys.length > 0
}

const STEPS: readonly Step[] = [removeMounts, revokeTokens, removePolicies, removeRest]

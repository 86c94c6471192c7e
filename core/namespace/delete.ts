/**
 * Removes what a deleted namespace holds. Nobody enters it, and none of its tokens is alive, from the commit that deletes
 * it; this revokes and frees what is stored, in steps. The same commit leaves a record of the work, so that it goes on
 * after a crash, and the namespace is there, tainted, until nothing of it is left.
 */
import { z } from 'zod'
import { CorruptRecord } from '../errors.ts'
import { leasePrefix } from '../leases/record.ts'
import { unmountEntry } from '../mounts/change.ts'
import { mountKey } from '../mounts/record.ts'
import { purgeUnread } from '../mounts/removed.ts'
import { mountByUuid, someMounts } from '../mounts/table.ts'
import { findNamespace, namespacePrefix, type NamespaceRecord } from '../namespaces.ts'
import { removePolicy } from '../policy-ends.ts'
import { policyPrefix } from '../policies.ts'
import { listBelow } from '../store/deep.ts'
import type { Witness } from '../own-work.ts'
import { removeQuotas } from '../quota/remove.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { findStored } from '../tokens/find.ts'
import { tokenPrefix } from '../tokens/record.ts'
import { readable, revokeToken, revokeUnread } from '../tokens/revoke.ts'
import { beginNamespaceChange, removeNamespace } from './table.ts'

const deletions = kind('namespace-deletion', z.object({ id: z.string() }).readonly())
const DELETIONS_PREFIX = 'namespace-deletion/'
/** Mounts, tokens or policies that one step takes; each is up to four changes of a commit. */
const PAGE = 200
/** Namespaces that are listed at once: some may have to wait for secrets that cannot be revoked. */
const DELETIONS = 100
/** Other records that one step removes. */
const RECORDS_PAGE = 500

type Report = (error: CorruptRecord) => void
/** @returns whether it did something: then there may be more; or has to wait before the next ones do */
type Step = (root: View, namespace: NamespaceRecord, report: Report) => Promise<boolean | 'waiting'>

/** Leaves a note, in the transaction that taints. */
export function deleteLater(root: View, id: string): void {
  root.put(deletions, DELETIONS_PREFIX + id, { id })
}

/**
 * One step, in a transaction of its own.
 *
 * @param witness is told of records that cannot be read; they are removed unread, so that they hold up no others
 * @returns whether there is more to do
 */
export async function deleteNamespaces(root: View, witness: Witness): Promise<boolean> {
  for (let after = ''; ;) {
    const ids = await root.list(DELETIONS_PREFIX, { after, limit: DELETIONS })
    for (const id of ids) {
      if ((await deleteOne(root, id, witness)) !== 'waiting') return true
    }
    if (ids.length < DELETIONS) return false
    after = ids.at(-1) ?? ''
  }
}

/** @returns whether it did something, or has to wait */
async function deleteOne(root: View, id: string, witness: Witness): Promise<boolean | 'waiting'> {
  const namespace = await found(root, id, witness)
  if (namespace === 'damaged') return 'waiting'
  if (namespace !== undefined) {
    for (const step of STEPS) {
      const done = await step(root, namespace, witness.report)
      if (done !== false) return done
    }
    await beginNamespaceChange(root, namespace.parentId)
    removeNamespace(root, namespace)
    const name = namespace.path.slice(0, -1).split('/').at(-1) ?? ''
    const path = `sys/namespaces/${name}`
    witness.tell({ operation: 'delete', namespaceId: namespace.parentId, path })
    await removeQuotas(root, ({ namespaceId }) => namespaceId === namespace.id)
  }
  root.delete(DELETIONS_PREFIX + id)
  return true
}

/** One whose record cannot be read is left as it is: nobody enters it, and its record has to come from a backup. */
async function found(root: View, id: string, { report }: Witness) {
  try {
    return await findNamespace(root, id)
  } catch (error) {
    if (!(error instanceof CorruptRecord)) throw error
    report(error)
    return 'damaged'
  }
}

const removeMounts: Step = async (root, { id }, report) => {
  const uuids = await someMounts(root, id, PAGE)
  for (const uuid of uuids) {
    const entry = await readable(report, () => mountByUuid(root, id, uuid))
    if (entry !== undefined) await unmountEntry(root, id, entry)
    else {
      root.delete(mountKey(id, uuid))
      purgeUnread(root, uuid)
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

/** The secrets of its mounts are being revoked; what cannot be, an operator of a namespace above has to decide. */
const waitForSecrets: Step = async (root, { id }) => {
  const [lease] = await root.list(leasePrefix(id), { limit: 1 })
  return lease === undefined ? false : 'waiting'
}

const removePolicies: Step = async (root, { id }) => {
  const names = await listBelow(root, policyPrefix(id), { limit: PAGE })
  for (const name of names) await removePolicy(root, id, name)
  return names.length > 0
}

const removeRest: Step = async (root, { id }) => {
  const prefix = namespacePrefix(id)
  const keys = await listBelow(root, prefix, { limit: RECORDS_PAGE })
  for (const key of keys) root.delete(prefix + key)
  return keys.length > 0
}

const STEPS: readonly Step[] = [
  removeMounts,
  revokeTokens,
  waitForSecrets,
  removePolicies,
  removeRest,
]

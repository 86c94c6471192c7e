/** Puts records into a cluster's storage without its API: what a test needs before its subject begins. */
import { bootstrapNamespace, issueRootToken } from '../../core/bootstrap.ts'
import { newMount, type NewMount } from '../../core/mounts/defaults.ts'
import { putMount as putEntry } from '../../core/mounts/table.ts'
import { putNamespace } from '../../core/namespace/table.ts'
import type { Namespace } from '../../core/plugin/request.ts'
import { newPolicy, policyKey, policyRecords } from '../../core/policies.ts'
import { systemRandom } from '../../core/random.ts'
import { Transaction } from '../../core/store/transaction.ts'
import { View } from '../../core/store/view.ts'
import type { Cluster } from './kit.ts'

/** Runs a change of the whole storage in a transaction of the first node. */
export async function inStorage<T>(
  cluster: Cluster,
  change: (root: View) => T | Promise<T>,
): Promise<T> {
  const store = cluster.nodes[0]?.unsealed.store
  if (store === undefined) throw new Error('a cluster has a node')
  store.cache.refresh()
  const transaction = new Transaction(store)
  const result = await change(new View(transaction, ''))
  if ((await transaction.commit()) !== undefined) throw new Error('somebody else wrote meanwhile')
  return result
}

export function putPolicy(cluster: Cluster, name: string, text: string, namespaceId = 'root') {
  return inStorage(cluster, (root) => {
    root.put(policyRecords, policyKey(namespaceId, name), newPolicy(name, text, 0))
  })
}

/** Namespaces with their built-in mounts, each after the one that it lies in. */
export function putNamespaces(
  cluster: Cluster,
  namespaces: readonly { readonly id: string; readonly path: string }[],
): Promise<void> {
  return inStorage(cluster, (root) => {
    for (const { id, path } of namespaces) {
      const parentPath = path.slice(0, path.lastIndexOf('/', path.length - 2) + 1)
      const parentId = namespaces.find((one) => one.path === parentPath)?.id ?? 'root'
      const uuid = systemRandom.uuid()
      putNamespace(root, { ...NEW_NAMESPACE, id, uuid, path, parentId })
      bootstrapNamespace({ root, random: systemRandom, nowMs: 0 }, { id, path })
    }
  })
}

const NEW_NAMESPACE = { customMetadata: {}, tainted: false, lock: null }

/** A token with the policy root of a namespace: only key shares of its own would make one there. */
export async function namespaceRoot(cluster: Cluster, namespace: Namespace): Promise<string> {
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  const { batch } = node.unsealed
  return inStorage(cluster, (root) =>
    issueRootToken({ root, random: systemRandom, batch, nowMs: 0 }, { namespace }),
  )
}

/** @returns the uuid of the mount */
export function putMount(
  cluster: Cluster,
  mount: Pick<NewMount, 'path' | 'type'> & Partial<NewMount>,
  namespaceId = 'root',
): Promise<string> {
  return inStorage(cluster, (root) => {
    const entry = newMount({ kind: 'secret', description: '', ...mount }, systemRandom)
    putEntry(root, namespaceId, entry)
    return entry.uuid
  })
}

/** A token with just these policies. */
export async function tokenWith(
  cluster: Cluster,
  policies: readonly string[],
  more: object = {},
): Promise<string> {
  const body = { policies, no_default_policy: true, ...more }
  const made = await cluster.write('auth/token/create', body)
  if (made.status !== 200) throw new Error(`no token was made: ${made.text}`)
  return String(made.auth['client_token'])
}

/** Flips a bit of what is stored under the key. */
export async function damage(cluster: Cluster, key: string): Promise<void> {
  const stored = await cluster.storage.get(key)
  if (stored === undefined) throw new Error(`there is no record ${key}`)
  const value = Buffer.from(stored.value)
  value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
  await cluster.storage.commit({
    expect: new Map(),
    put: new Map([[key, value]]),
    delete: new Set(),
  })
}

/** All keys of the storage below a prefix. */
export async function keysBelow(cluster: Cluster, prefix: string): Promise<string[]> {
  const found: string[] = []
  for (const name of await cluster.storage.list(prefix, { limit: 100_000 })) {
    if (name.endsWith('/')) found.push(...(await keysBelow(cluster, prefix + name)))
    else found.push(prefix + name)
  }
  return found
}

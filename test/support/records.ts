/** Puts records into a cluster's storage without its API: what a test needs before its subject begins. */
import { newMount, type NewMount } from '../../core/mounts/defaults.ts'
import { putMount as putEntry } from '../../core/mounts/table.ts'
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

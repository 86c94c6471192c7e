/** Mounts of the engine for its tests. */
import { newMount } from '../../core/mounts/defaults.ts'
import { mountPrefix, type MountEntry } from '../../core/mounts/record.ts'
import { mountAt, putMount } from '../../core/mounts/table.ts'
import { ROOT } from '../../core/namespaces.ts'
import { systemRandom } from '../../core/random.ts'
import { Transaction } from '../../core/store/transaction.ts'
import { View } from '../../core/store/view.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { kvEngine } from './engine.ts'

/** More than any test needs. */
const MAX_STEPS = 100

export interface KvCluster extends Cluster {
  mount(path: string, version: '1' | '2'): Promise<void>
  /** As tuning the option does: the engine's upgrade, and the entry with its new version. */
  upgrade(path: string): Promise<void>
  /** All steps of the engine's timed work. */
  tick(path: string): Promise<void>
  /** The records of a mount, below a folder. */
  stored(path: string, folder: string): Promise<string[]>
}

export async function startKv(): Promise<KvCluster> {
  const cluster = await startCluster({ plugins: [kvEngine] })

  /** Tried again after a conflict: the duties of the nodes work on the same records. */
  async function transact<T>(work: (root: View) => Promise<T>): Promise<T> {
    const store = cluster.nodes[0]?.unsealed.store
    if (store === undefined) throw new Error('no node')
    for (;;) {
      store.cache.refresh()
      const transaction = new Transaction(store)
      const result = await work(new View(transaction, ''))
      if ((await transaction.commit()) === undefined) return result
    }
  }

  async function onMount<T>(
    path: string,
    work: (view: View, root: View, entry: MountEntry) => Promise<T>,
  ) {
    return transact(async (root) => {
      const entry = await mountAt(root, ROOT.id, path)
      if (entry === undefined) throw new Error('no such mount')
      return work(root.below(mountPrefix(entry.uuid)), root, entry)
    })
  }

  const context = (storage: View) => ({
    storage,
    random: systemRandom,
    nowMs: cluster.clock.nowMs(),
  })
  const versioned = kvEngine.create({ version: '2' })

  return Object.assign(cluster, {
    mount: (path: string, version: '1' | '2') =>
      transact(async (root) => {
        const entry = newMount(
          { path, kind: 'secret', type: 'kv', description: '', options: { version } },
          systemRandom,
        )
        putMount(root, ROOT.id, entry)
      }),
    upgrade: (path: string) =>
      onMount(path, async (storage, root, entry) => {
        await versioned.upgrade?.({ ...context(storage), from: { version: '1' } })
        putMount(root, ROOT.id, { ...entry, options: { version: '2' } })
      }),
    async tick(path: string) {
      for (let step = 0; step < MAX_STEPS; step++) {
        const more = await onMount(path, async (view) => versioned.periodic?.(context(view)))
        if (more !== true) return
      }
      throw new Error('the timed work comes to no end')
    },
    stored: (path: string, folder: string) => onMount(path, (view) => view.list(folder)),
  })
}

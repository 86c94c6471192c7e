/** Two nodes whose key is split among several holders. */
import { onTestFinished } from 'vitest'
import {
  startCluster,
  type Answer,
  type Cluster,
  type ClusterOptions,
} from '../../test/support/kit.ts'

export interface SharedCluster {
  readonly cluster: Cluster
  /** Base64. */
  readonly keys: readonly string[]
  readonly token: string
  /** With the root token. */
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
  remove(path: string): Promise<Answer>
  unsealAll(keys: readonly string[]): Promise<void>
}

/** Three shares, any two of which open; both nodes are open. @param more of the body of `sys/init` */
export async function startShared(
  options: ClusterOptions = {},
  more: object = {},
): Promise<SharedCluster> {
  const cluster = await startCluster({ ...options, bare: true })
  onTestFinished(() => cluster.close())
  const body = { secret_shares: 3, secret_threshold: 2, ...more }
  const made = await cluster.write('sys/init', body, { token: null })
  const keys = Array.isArray(made.json['keys_base64']) ? made.json['keys_base64'].map(String) : []
  const token = String(made.json['root_token'])
  const unsealAll = async (shares: readonly string[]): Promise<void> => {
    for (const node of cluster.nodes.keys())
      for (const key of shares) await cluster.write('sys/unseal', { key }, { token: null, node })
  }
  await unsealAll(keys.slice(0, 2))
  return {
    cluster,
    keys,
    token,
    get: (path) => cluster.read(path, { token }),
    post: (path, sent = {}) => cluster.write(path, sent, { token }),
    remove: (path) => cluster.remove(path, { token }),
    unsealAll,
  }
}

/** A share that fits in form, and opens nothing. */
export const FOREIGN_SHARE = Buffer.alloc(33, 7).toString('base64')

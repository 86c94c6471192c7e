/** A cluster with a mount of the engine that is connected to a real PostgreSQL. */
import { onTestFinished } from 'vitest'
import { TestClock } from '../../../test/support/clock.ts'
import { startCluster, type Answer, type Cluster } from '../../../test/support/kit.ts'
import type { Postgresql } from '../../../test/support/postgresql.ts'
import type { Storage } from '../../../storage/contract.ts'

/** The database has a clock of its own, by which no user of these tests has ended. */
const LATER = Date.UTC(2090, 0, 1)
export const CREATE = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';`

export interface Mounted {
  readonly cluster: Cluster
  /** The answer to the connection's own write. */
  readonly configured: Answer
  /** A round of the timed duties, on each node. */
  round(): Promise<void>
}

export function connection({ url, user, password }: Postgresql): Record<string, unknown> {
  return {
    plugin_name: 'postgresql-database-plugin',
    connection_url: url,
    username: user,
    password,
    allowed_roles: '*',
  }
}

/** @param config what of the connection is other than usual */
export async function mounted(
  database: Postgresql,
  config: Record<string, unknown> = {},
  storage?: Storage,
): Promise<Mounted> {
  const cluster = await startCluster({
    clock: new TestClock(LATER),
    ...(storage !== undefined && { storage }),
  })
  const round = async () => {
    for (const node of cluster.nodes) await node.runDuties()
  }
  onTestFinished(async () => {
    await cluster.write('sys/leases/revoke-prefix/db')
    await round()
    await cluster.close()
  })
  await cluster.write('sys/mounts/db', { type: 'database' })
  const configured = await cluster.write('db/config/pg', { ...connection(database), ...config })
  return { cluster, configured, round }
}

/** A mount of the engine on a cluster, connected to a directory as its manager. */
import { expect, onTestFinished } from 'vitest'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { MANAGER, PEOPLE, type LdapServer } from '../../test/support/ldap-server.ts'

export async function startMounted(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/ldap', { type: 'ldap' })
  return cluster
}

const configFor = ({ url }: Pick<LdapServer, 'url'>) => ({
  url,
  binddn: MANAGER.dn,
  bindpass: MANAGER.password,
  userdn: PEOPLE,
})

export async function startConnected(
  server: Pick<LdapServer, 'url'>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Cluster> {
  const cluster = await startMounted()
  const written = await cluster.write('ldap/config', { ...configFor(server), ...more })
  expect(written.errors).toEqual([])
  return cluster
}

export async function round(cluster: Cluster): Promise<void> {
  for (const node of cluster.nodes) await node.runDuties()
}

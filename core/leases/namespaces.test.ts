/** Leases of a namespace that is deleted. */
import { expect, onTestFinished, test } from 'vitest'
import { Accounts, accountsEngine } from '../../test/support/accounts.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { keysBelow } from '../../test/support/records.ts'
import { BadRequest } from '../errors.ts'

const IN_TEAM = { headers: { 'x-vault-namespace': 'team' } }

async function start() {
  const system = new Accounts()
  const cluster = await startCluster({ plugins: [accountsEngine(system)] })
  onTestFinished(() => cluster.close())
  await cluster.write('sys/namespaces/team')
  await cluster.write('sys/mounts/acc', { type: 'accounts' }, IN_TEAM)
  const made = await cluster.read('acc/creds/app', IN_TEAM)
  expect(system.names.size).toBe(1)
  return { cluster, system, leaseId: String(made.json['lease_id']) }
}

async function rounds(cluster: Cluster, count: number) {
  for (let i = 0; i < count; i++) {
    for (const node of cluster.nodes) await node.runDuties()
    cluster.clock.advance('10m')
  }
}

const namespaces = async (cluster: Cluster) =>
  (await cluster.request('SCAN', 'sys/namespaces')).data['keys']

test('are revoked before it is gone', async () => {
  const { cluster, system } = await start()
  expect((await cluster.remove('sys/namespaces/team')).status).toBe(200)
  await rounds(cluster, 3)
  expect(system.names.size).toBe(0)
  expect(await namespaces(cluster)).toBeUndefined()
  for (const folder of ['ns/', 'lease-due/', 'token-lease/', 'mount-lease/', 'purge/']) {
    const keys = await keysBelow(cluster, folder)
    expect(keys.filter((key) => !key.startsWith('ns/root/'))).toEqual([])
  }
})

test('that cannot be revoked keep it, and hold up no other, until somebody above decides', async () => {
  const { cluster, system, leaseId } = await start()
  system.before = () => {
    throw new BadRequest('away')
  }
  await cluster.remove('sys/namespaces/team')
  await cluster.write('sys/namespaces/other')
  await cluster.remove('sys/namespaces/other')
  await rounds(cluster, 8)
  expect(await namespaces(cluster)).toEqual(['team/'])
  const query = 'sys/leases?type=irrevocable&include_child_namespaces=true'
  expect((await cluster.read(query)).data['leases']).toMatchObject([{ lease_id: leaseId }])
  expect((await cluster.write(`sys/leases/revoke-force/${leaseId}`)).status).toBe(204)
  await rounds(cluster, 2)
  expect(await namespaces(cluster)).toBeUndefined()
})

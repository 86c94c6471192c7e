/** What the server does by itself is in the audit log too. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Accounts, accountsEngine } from '../test/support/accounts.ts'
import { memberOf, parseObject } from '../test/support/json.ts'
import { startCluster, type Cluster } from '../test/support/kit.ts'
import { putPolicy } from '../test/support/records.ts'
import { BadRequest } from './errors.ts'

async function start() {
  const auditDirectory = mkdtempSync(join(tmpdir(), 'keyhold-own-work-'))
  const system = new Accounts()
  const cluster = await startCluster({ auditDirectory, plugins: [accountsEngine(system)] })
  onTestFinished(async () => {
    await cluster.close()
    rmSync(auditDirectory, { recursive: true })
  })
  const file = join(auditDirectory, 'audit.log')
  await cluster.write('sys/audit/file', {
    type: 'file',
    options: { file_path: file, log_raw: 'true' },
  })
  await cluster.write('sys/mounts/acc', { type: 'accounts' })
  return { cluster, system, file }
}

/** What nobody asked for: such an entry has no address that it came from. */
function ownWork(file: string) {
  const entries = readFileSync(file, 'utf8').trim().split('\n').map(parseObject)
  return entries.filter(
    (entry) =>
      entry['type'] === 'response' && memberOf(entry, 'request', 'remote_address') === undefined,
  )
}

async function round(cluster: Cluster) {
  for (const node of cluster.nodes) await node.runDuties()
}

test('tokens that end, and those that end with them', async () => {
  const { cluster, file } = await start()
  await putPolicy(cluster, 'p', 'path "*" { capabilities = ["update", "sudo"] }')
  const parent = await cluster.write('auth/token/create', { policies: ['p'], ttl: '1h' })
  const token = String(parent.auth['client_token'])
  const child = await cluster.write('auth/token/create', { ttl: '10h' }, { token })
  cluster.clock.advance('1h')
  await round(cluster)
  expect(ownWork(file)).toEqual(
    [parent, child].map(({ auth }) => ({
      time: '2026-01-01T01:00:00Z',
      type: 'response',
      auth: { accessor: auth['accessor'], token_type: 'default' },
      request: {
        id: expect.any(String),
        operation: 'revoke',
        namespace: { id: 'root' },
        path: 'auth/token/create',
      },
      response: {},
    })),
  )
})

test('secrets that end, the attempts that fail, and what is rolled back', async () => {
  const { cluster, system, file } = await start()
  const made = await cluster.read('acc/creds/app')
  cluster.clock.advance('800h')
  system.before = () => {
    throw new BadRequest('away')
  }
  await round(cluster)
  system.before = () => undefined
  cluster.clock.advance('1m')
  await round(cluster)
  system.after = () => {
    throw new BadRequest('lost')
  }
  await cluster.read('acc/creds/app')
  await round(cluster)
  const lease = { path: 'acc/creds/app', secret: { lease_id: made.json['lease_id'] } }
  expect(ownWork(file)).toMatchObject([
    { error: 'away', request: { operation: 'revoke' }, response: { secret: lease.secret } },
    { request: { operation: 'revoke', path: lease.path }, response: { secret: lease.secret } },
    {
      error: 'lost',
      request: { operation: 'rollback', path: lease.path, mount_type: 'accounts' },
      response: { mount_point: 'acc/' },
    },
  ])
})

test('policies that end, namespaces that are gone, keys that are rotated, and who opens', async () => {
  const { cluster, file } = await start()
  await cluster.write('sys/policies/acl/short', { policy: 'path "a" {}', ttl: '1h' })
  await cluster.write('sys/namespaces/team')
  await cluster.remove('sys/namespaces/team')
  await cluster.write('sys/rotate/config', { interval: '24h' })
  cluster.clock.advance('25h')
  await round(cluster)
  const [node] = cluster.nodes
  node?.close()
  await cluster.write('sys/unseal', { key: cluster.unsealKeys[0] }, { token: null, node: 0 })
  await expect
    .poll(() => ownWork(file).map((entry) => memberOf(entry, 'request', 'path')))
    .toEqual(['sys/namespaces/team', 'sys/policies/acl/short', 'sys/rotate/keyring', 'sys/unseal'])
})

test('is done all the same when no audit device takes it', async () => {
  const { cluster, system, file } = await start()
  await cluster.read('acc/creds/app')
  rmSync(file)
  mkdirSync(file)
  cluster.clock.advance('800h')
  await round(cluster)
  expect(system.names.size).toBe(0)
  expect(cluster.failures).not.toEqual([])
})

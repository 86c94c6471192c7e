/** What protects is there from the first request on, however the server came up. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryStorage } from '../../storage/memory.ts'
import { startCluster, type Cluster } from '../support/kit.ts'

/** Another server over the storage of a first one that has ended: unsealed, and not yet asked anything. */
async function restarted(prepare: (before: Cluster, folder: string) => Promise<unknown>) {
  const folder = mkdtempSync(join(tmpdir(), 'keyhold-restart-'))
  const shared = { storage: new MemoryStorage(), auditDirectory: folder }
  const before = await startCluster(shared)
  await prepare(before, folder)
  await before.close()
  const after = await startCluster({ ...shared, bare: true, nodes: 1 })
  onTestFinished(async () => {
    await after.close()
    rmSync(folder, { recursive: true, force: true })
  })
  for (const key of before.unsealKeys) await after.write('sys/unseal', { key }, { token: null })
  return { after, token: before.rootToken, folder }
}

test('row 51 (CVE-2022-30689): the first request after a start is audited, and its headers as they were set', async () => {
  const { after, token, folder } = await restarted(async (before, dir) => {
    await before.write('sys/config/auditing/request-headers/x-own', { hmac: false })
    await before.write('sys/audit/a', { type: 'file', options: { file_path: join(dir, 'a') } })
  })

  const { json } = await after.read('cubbyhole/first', { token, headers: { 'x-own': 'seen' } })

  const log = readFileSync(join(folder, 'a'), 'utf8')
  expect(json).toEqual({ errors: [] })
  expect(log).toContain('"path":"cubbyhole/first"')
  expect(log).toContain('"x-own":["seen"]')
})

test('row 51: an audit device that can no longer write refuses the first request', async () => {
  const { after, token } = await restarted(async (before, dir) => {
    await before.write('sys/audit/a', { type: 'file', options: { file_path: join(dir, 'a') } })
    rmSync(dir, { recursive: true })
  })
  expect((await after.read('cubbyhole/first', { token })).status).toBe(500)
})

test('row 51: CORS, policies, and the lock of a namespace hold as well', async () => {
  let limited = ''
  const { after, token } = await restarted(async (before) => {
    await before.write('sys/config/cors', { allowed_origins: ['https://ours.example'] })
    limited = await before.tokenWith('path "sys/policies/*" { capabilities = ["read"] }')
    await before.write('sys/namespaces/closed')
    await before.write('sys/namespaces/api-lock/lock/closed')
  })
  const first = [
    await after.read('cubbyhole/a', { token, headers: { origin: 'https://theirs.example' } }),
    await after.write('sys/policies/acl/a', { policy: '' }, { token: limited }),
    await after.read('sys/mounts', { token, headers: { 'x-vault-namespace': 'closed' } }),
    await after.read('cubbyhole/a', { token: 'hvs.unknown' }),
  ]
  expect(first.map(({ status }) => status)).toEqual([403, 403, 503, 403])
})

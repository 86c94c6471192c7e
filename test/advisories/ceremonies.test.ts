/** Who may begin, disturb and end a ceremony of key shares, and what is known of it afterwards. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApi } from '../../core/api.ts'
import { startCluster, type Cluster } from '../support/kit.ts'

let directory: string
let cluster: Cluster
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ceremonies-'))
  cluster = await startCluster({ nodes: 1, auditDirectory: directory })
  const options = { file_path: join(directory, 'audit.log') }
  await cluster.write('sys/audit/file', { type: 'file', options })
})
afterEach(async () => {
  await cluster.close()
  rmSync(directory, { recursive: true })
})

const BEGIN = { secret_shares: 2, secret_threshold: 2 }
const CALLS: readonly (readonly [method: string, path: string, body: Record<string, unknown>])[] = [
  ['GET', 'sys/generate-root/attempt', {}],
  ['PUT', 'sys/generate-root/attempt', {}],
  ['PUT', 'sys/generate-root/update', { key: 'SHARE', nonce: 'x' }],
  ['DELETE', 'sys/generate-root/attempt', {}],
  ['GET', 'sys/rekey/init', {}],
  ['PUT', 'sys/rekey/init', BEGIN],
  ['PUT', 'sys/rekey/update', { key: 'SHARE', nonce: 'x' }],
  ['GET', 'sys/rekey/verify', {}],
  ['PUT', 'sys/rekey/verify', { key: 'SHARE', nonce: 'x' }],
  ['DELETE', 'sys/rekey/verify', {}],
  ['DELETE', 'sys/rekey/init', {}],
]
/** These take a token at every listener. */
const NEVER_OPEN: typeof CALLS = [
  ['GET', 'sys/rekey/backup', {}],
  ['DELETE', 'sys/rekey/backup', {}],
  ['PUT', 'sys/rotate/root/init', BEGIN],
  ['PUT', 'sys/rotate/root/update', { key: 'SHARE', nonce: 'x' }],
  ['DELETE', 'sys/rotate/root/init', {}],
  ['PUT', 'sys/rotate/config', { interval: '48h' }],
  ['PUT', 'sys/rotate', {}],
  ['PUT', 'sys/generate-root-token/attempt', {}],
  ['DELETE', 'sys/generate-root-token/attempt', {}],
]

/** Without a token, at a listener that opens both ceremonies. */
async function sendOpened(method: string, path: string, body: object): Promise<number> {
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('there is no node')
  const app = createApi(
    node,
    [],
    ['disable_unauthed_rekey_endpoints', 'disable_unauthed_generate_root_endpoints'],
  )
  const { status } = await app({
    method,
    path: `/v1/${path}`,
    query: new Map(),
    headers: {},
    body: Buffer.from(method === 'PUT' ? JSON.stringify(body) : ''),
    client: { address: '192.0.2.1', port: 1 },
  })
  return status
}

function auditLines(): string[] {
  return readFileSync(join(directory, 'audit.log'), 'utf8').trim().split('\n')
}

/** With a real share in place of the word. */
function withShare(body: Record<string, unknown>): Record<string, unknown> {
  return body['key'] === undefined ? body : { ...body, key: cluster.unsealKeys[0] }
}

test('row 57 (CVE-2026-5807): without a token nothing of a ceremony works, by default', async () => {
  for (const [method, path, body] of [...CALLS, ...NEVER_OPEN]) {
    const options = { token: null, body: withShare(body) }
    const { status } = await cluster.request(method, path, options)
    expect([method, path, status]).toEqual([method, path, 403])
  }
  expect((await cluster.read('sys/rekey/init')).json['started']).toBe(false)
  expect((await cluster.read('sys/generate-root/attempt')).json['started']).toBe(false)
})

test('row 57: a listener that is opened opens the ceremonies, and nothing beside them', async () => {
  for (const [method, path, body] of CALLS)
    expect([path, await sendOpened(method, path, withShare(body))]).not.toEqual([path, 403])
  for (const [method, path, body] of NEVER_OPEN)
    expect([path, await sendOpened(method, path, withShare(body))]).toEqual([path, 403])
})

test('row 57: a share without the nonce of the ceremony counts for nothing', async () => {
  await sendOpened('PUT', 'sys/rekey/init', BEGIN)
  const key = cluster.unsealKeys[0]
  for (const body of [{ key }, { key, nonce: '' }, { key, nonce: 'x' }])
    expect(await sendOpened('PUT', 'sys/rekey/update', body)).toBe(400)
  expect((await cluster.read('sys/rekey/init')).json).toMatchObject({ started: true, progress: 0 })
})

test('row 58 (CVE-2025-4656, CVE-2025-52894): a token that may do all but sudo begins and cancels nothing, and each call is audited', async () => {
  const token = await cluster.tokenWith(
    'path "sys/*" { capabilities = ["create", "read", "update", "delete"] }',
  )
  await cluster.write('sys/rekey/init', BEGIN)
  for (const path of ['sys/rekey/init', 'sys/rekey/verify', 'sys/generate-root/attempt'])
    expect((await cluster.remove(path, { token })).status).toBe(403)
  expect((await cluster.read('sys/rekey/init')).json['started']).toBe(true)
  await cluster.remove('sys/rekey/init')

  for (const opened of [false, true]) {
    for (const [method, path, body] of [...CALLS, ...NEVER_OPEN]) {
      const before = auditLines().length
      const sent = withShare(body)
      await (opened
        ? sendOpened(method, path, sent)
        : cluster.request(method, path, { body: sent }))
      const lines = auditLines().slice(before)
      expect([method, path, lines.length]).toEqual([method, path, 2])
      for (const line of lines) expect(line).toContain(`"path":"${path}"`)
    }
  }
})

test('row 58: no share, password, or new share is in the audit log', async () => {
  const share = cluster.unsealKeys[0] ?? ''
  const secrets = [share, Buffer.from(share, 'base64').toString('hex')]
  const root = await cluster.write('sys/generate-root/attempt')
  const made = await cluster.write('sys/generate-root/update', {
    key: share,
    nonce: root.json['nonce'],
  })
  secrets.push(String(root.json['otp']), String(made.json['encoded_token']))
  const { json } = await cluster.write('sys/rekey/init', BEGIN)
  const last = await cluster.write('sys/rekey/update', { key: share, nonce: json['nonce'] })
  for (const name of ['keys', 'keys_base64']) {
    const texts = last.json[name]
    secrets.push(...(Array.isArray(texts) ? texts.map(String) : []))
  }
  expect(secrets.length).toBe(8)
  const log = auditLines().join('\n')
  for (const secret of secrets) expect(log.includes(secret)).toBe(false)
})

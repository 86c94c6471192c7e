/** External plugins: what runs is what was registered, out of the plugin directory, and it gets no more than is its own. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { putRegistered } from '../../core/external/catalog.ts'
import { readPlugin } from '../../core/external/files.ts'
import {
  mounted,
  pluginOf,
  startPluginCluster,
  type PluginCluster,
} from '../../core/external/tally.fixture.ts'
import { Transaction } from '../../core/store/transaction.ts'
import { View } from '../../core/store/view.ts'

const says = (text: string) => pluginOf(`read: () => ({ data: { says: '${text}' } })`)
const FINE = says('fine')
const EVIL = says('evil')

/** Puts an entry into the storage itself, as a hostile backup would. */
async function restore(cluster: PluginCluster, command: string, sha256: string): Promise<void> {
  for (const node of cluster.nodes.slice(0, 1)) {
    const transaction = new Transaction(node.unsealed.store)
    putRegistered(new View(transaction, ''), {
      kind: 'secret',
      name: 'tried',
      version: 'v1.0.0',
      command,
      args: [],
      env: [],
      sha256,
      reloads: 1,
    })
    expect(await transaction.commit()).toBeUndefined()
  }
}

async function errorOf(cluster: PluginCluster): Promise<string> {
  const { status, errors } = await cluster.read('at/a')
  expect(status).toBe(500)
  return String(errors[0])
}

test.each(['../outside.mjs', '/bin/sh', 'a/../../outside.mjs', '..', '.', 'folder/tried.mjs', ''])(
  'row 74 (CVE-2026-105816): a catalog that was restored with the command "%s" runs nothing',
  async (command) => {
    const cluster = await mounted(FINE)
    const outside = join(dirname(cluster.directory), 'outside.mjs')
    writeFileSync(outside, EVIL)

    await restore(cluster, command, (await readPlugin(outside)).sha256)

    expect(await errorOf(cluster)).toMatch(/cannot run: its command leads elsewhere/)
  },
)

test('a link in the plugin directory is not followed, to a module or to a folder', async () => {
  const cluster = await mounted(FINE)
  const elsewhere = join(cluster.directory, '..', `${Date.UTC(2026)}-elsewhere`)
  mkdirSync(elsewhere, { recursive: true })
  writeFileSync(join(elsewhere, 'evil.mjs'), EVIL)
  const { sha256 } = await readPlugin(join(elsewhere, 'evil.mjs'))
  symlinkSync(join(elsewhere, 'evil.mjs'), join(cluster.directory, 'link.mjs'))
  symlinkSync(elsewhere, join(cluster.directory, 'link'))

  for (const command of ['link.mjs', 'link']) {
    await restore(cluster, command, sha256)
    expect(await errorOf(cluster)).toContain('is no plugin')
    cluster.clock.advance('1m')
  }
})

test('a package with a link in it is refused, wherever that leads', async () => {
  const cluster = await startPluginCluster()
  cluster.put({ 'package/package.json': '{"main":"main.mjs"}', 'package/main.mjs': FINE })
  symlinkSync('main.mjs', join(cluster.directory, 'package/other.mjs'))

  await expect(readPlugin(join(cluster.directory, 'package'))).rejects.toThrow(/holds no links/)
})

test('what is no file, such as a pipe, is refused and waited for by nobody', async () => {
  const cluster = await startPluginCluster()
  expect(spawnSync('mkfifo', [join(cluster.directory, 'pipe.mjs')]).status).toBe(0)

  await expect(readPlugin(join(cluster.directory, 'pipe.mjs'))).rejects.toThrow(
    /neither a file nor a folder/,
  )
})

test('between check and use there is no gap: a file that keeps being replaced runs as registered or not at all', async () => {
  const cluster = await mounted(FINE, { nodes: 1 })
  let going = true
  const flipping = (async () => {
    for (let i = 0; going; i++) {
      const next = join(cluster.directory, 'next')
      writeFileSync(next, i % 2 === 0 ? EVIL : FINE)
      renameSync(next, join(cluster.directory, 'tried.mjs'))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const seen = new Set<unknown>()
  for (let i = 0; i < 15; i++) {
    await cluster.write('sys/plugins/reload/backend', { plugin: 'tried' })
    seen.add((await cluster.read('at/a')).data['says'])
    cluster.clock.advance('1m')
  }
  going = false
  await flipping

  expect([...seen]).not.toContain('evil')
  cluster.put({ 'tried.mjs': FINE })
  expect((await cluster.read('at/a')).data).toEqual({ says: 'fine' })
})

test('it runs from a copy that is the server’s alone', async () => {
  const cluster = await mounted(pluginOf('read: () => ({ data: { at: import.meta.filename } })'))

  const at = String((await cluster.read('at/a')).data['at'])

  expect(at.startsWith(cluster.directory)).toBe(false)
  expect(statSync(at).mode & 0o777).toBe(0o400)
  expect(statSync(dirname(at)).mode & 0o777).toBe(0o700)
})

test('row 40 (CVE-2026-4525): no spelling of a token reaches a plugin', async () => {
  const cluster = await mounted(
    pluginOf(
      'read: ({ headers, clientToken }) => ({ data: { headers: [...headers], clientToken } })',
    ),
  )
  const passthrough_request_headers = ['Authorization', 'X-Vault-Token', 'X-Seen', 'Constructor']
  await cluster.write('sys/mounts/at/tune', { passthrough_request_headers })
  const token = cluster.rootToken

  for (const headers of [
    { authorization: `Bearer ${token}` },
    { 'x-vault-token': token, authorization: `bearer  ${token}` },
    { 'x-vault-token': token, authorization: `BEARER ${token}` },
  ]) {
    const { text, data } = await cluster.read('at/a', {
      ...(!('x-vault-token' in headers) && { token: null }),
      headers: { ...headers, 'x-seen': 'yes' },
    })
    expect(data).toEqual({ headers: [['x-seen', 'yes']], clientToken: '' })
    expect(text).not.toContain(token)
  }
})

test('row 52 (CVE-2026-46405): a login that fails leaves no token, whatever the plugin had granted before', async () => {
  const grant =
    "{ displayName: 'a', policies: ['p'], type: 'service', ttlSeconds: 0, maxTtlSeconds: 0, explicitMaxTtlSeconds: 0, periodSeconds: 0, numUses: 0, boundCidrs: [], renewable: true, noDefaultPolicy: false }"
  const cluster = await mounted(
    pluginOf(
      `update({ storage, data }) {
        storage.put(records, 'seen', { text: 'x' })
        throw Object.assign(new BadRequest('no'), { auth: ${grant}, data: { auth: ${grant} } })
      }, read: async ({ storage }) => ({ data: { seen: await storage.get(records, 'seen') } })`,
      { kind: 'auth' },
    ),
    { type: 'auth' },
  )
  const before = (await cluster.list('auth/token/accessors')).data['keys']

  for (let i = 0; i < 20; i++) {
    expect((await cluster.write('auth/at/login')).auth).toEqual({})
  }

  expect((await cluster.list('auth/token/accessors')).data['keys']).toEqual(before)
  expect((await cluster.read('auth/at/a')).data).toEqual({})
})

test('a field’s pattern that would hang the server is refused', async () => {
  const cluster = await startPluginCluster()
  for (const pattern of [
    '(?:a+)+',
    '(a|aa)*',
    'a*a*a*a*',
    '(?:a?){30}',
    'a?'.repeat(30),
    '(?=a)a',
  ]) {
    cluster.put({
      'tried.mjs': FINE.replace("'Its name.')", `'Its name.').matching('${pattern}')`),
    })
    await cluster.register('tried.mjs')
    expect((await cluster.write('sys/mounts/at', { type: 'tried' })).status, pattern).toBe(500)
    cluster.clock.advance('1m')
  }
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CORE_RECORDS, handoverKey, usageKey } from '../../../core/barrier/record-keys.ts'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({ debugging: { rawStorage: true, introspection: false } })
})
afterEach(() => cluster.close())

test('a record is written, read, listed and removed as text', async () => {
  expect((await cluster.write('sys/raw/own/a', { value: 'text' })).status).toBe(204)
  expect((await cluster.read('sys/raw/own/a')).data).toEqual({ value: 'text' })
  expect((await cluster.list('sys/raw/own')).data).toEqual({ keys: ['a'] })
  expect((await cluster.remove('sys/raw/own/a')).status).toBe(204)
  expect((await cluster.read('sys/raw/own/a')).status).toBe(404)
  expect((await cluster.list('sys/raw/own')).status).toBe(404)
})

test('base64 is taken and shown where it is asked for', async () => {
  await cluster.write('sys/raw/own/a', { value: base64('grün'), encoding: 'base64' })

  expect((await cluster.read('sys/raw/own/a')).data).toEqual({ value: 'grün' })
  const shown = await cluster.read('sys/raw/own/a?encoding=base64&compressed=false')
  expect(shown.data).toEqual({ value: base64('grün') })
})

test('names come in pages', async () => {
  for (const name of ['a', 'b', 'c', 'd/e']) {
    await cluster.write(`sys/raw/own/${name}`, { value: '[1,1]' })
  }
  expect((await cluster.list('sys/raw/own/')).data).toEqual({ keys: ['a', 'b', 'c', 'd/'] })
  expect((await cluster.list('sys/raw/own?after=a&limit=2')).data).toEqual({ keys: ['b', 'c'] })
  expect((await cluster.list('sys/raw')).data['keys']).toContain('own/')
  expect((await cluster.list('sys/raw?limit=1')).data['keys']).toHaveLength(1)
})

test('what is mended by hand is what every node answers next', async () => {
  await cluster.write('sys/policies/acl/one', { policy: 'path "a" { capabilities = ["read"] }' })
  const key = 'sys/raw/ns/root/policy/one'
  for (const node of [0, 1]) await cluster.read('sys/policies/acl/one', { node })

  const text = String((await cluster.read(key)).data['value'])
  await cluster.write(key, { value: text.replace('read', 'deny') }, { node: 0 })

  for (const node of [0, 1]) {
    const { data } = await cluster.read('sys/policies/acl/one', { node })
    expect(data['policy']).toBe('path "a" { capabilities = ["deny"] }')
  }
})

test('a record that is no record is answered with an error, and raw mends it', async () => {
  const key = 'sys/raw/ns/root/policy/one'
  await cluster.write('sys/policies/acl/one', { policy: 'path "a" { capabilities = ["read"] }' })
  const text = (await cluster.read(key)).data['value']

  await cluster.write(key, { value: 'not a record' })
  expect((await cluster.read('sys/policies/acl/one')).status).toBe(500)
  expect((await cluster.read(key)).data).toEqual({ value: 'not a record' })

  await cluster.write(key, { value: text })
  expect((await cluster.read('sys/policies/acl/one')).status).toBe(200)
})

describe('what the barrier keeps for itself is neither shown, written, removed nor listed', () => {
  const { usagePrefix, handoverPrefix, ...records } = CORE_RECORDS
  const folders = [usagePrefix, handoverPrefix]
  test.each([...Object.values(records), usageKey(1), handoverKey(1)])('%s', async (key) => {
    const before = await cluster.storage.get(key)
    for (const method of ['GET', 'POST', 'DELETE', 'LIST']) {
      if (method === 'LIST' && folders.some((folder) => key.startsWith(folder))) continue
      const { status, text } = await cluster.request(method, `sys/raw/${key}`, {
        body: { value: '[1,{}]' },
      })
      expect([method, status]).toEqual([method, 400])
      expect(text).toContain('the barrier keeps this key for itself')
    }
    expect(await cluster.storage.get(key)).toEqual(before)
  })

  test.each(folders)('the folder %s', async (folder) => {
    expect((await cluster.list(`sys/raw/${folder}`)).status).toBe(400)
    expect((await cluster.list(`sys/raw/${folder.slice(0, -1)}`)).status).toBe(400)
  })
})

test.each([
  [{ value: 'x', encoding: 'hex' }, 'invalid encoding: it is base64, or empty for text'],
  [{ value: 'grün', encoding: 'base64' }, 'value: it is not base64'],
  [
    { value: Buffer.from([0xff]).toString('base64'), encoding: 'base64' },
    'value: a record is text in UTF-8, which these bytes are not',
  ],
  [
    { value: 'x', compression_type: 'gzip' },
    'compression_type: no record is compressed here; leave it out',
  ],
])('%j is refused', async (body, text) => {
  const refused = await cluster.write('sys/raw/own/a', body)
  expect([refused.status, refused.errors]).toEqual([400, [text]])
  expect((await cluster.read('sys/raw/own/a')).status).toBe(404)
})

test('a path that is no key is refused', async () => {
  const refused = await cluster.write(`sys/raw/${'x'.repeat(1100)}`, { value: 'x' })
  expect([refused.status, refused.errors]).toEqual([400, ['the path is too long']])
  expect((await cluster.read('sys/raw/')).status).toBe(400)
})

test('a policy without sudo reaches nothing, and who may only update makes nothing new', async () => {
  const all = '"create", "read", "update", "delete", "list"'
  const plain = await cluster.tokenWith(`path "sys/raw*" { capabilities = [${all}] }`)
  for (const method of ['GET', 'POST', 'DELETE', 'LIST']) {
    const { status } = await cluster.request(method, 'sys/raw/own/a', {
      token: plain,
      body: { value: 'x' },
    })
    expect([method, status]).toEqual([method, 403])
  }
  const updating = await cluster.tokenWith('path "sys/raw/*" { capabilities = ["update", "sudo"] }')
  const asUpdater = { token: updating }
  expect((await cluster.write('sys/raw/own/a', { value: 'x' }, asUpdater)).status).toBe(403)
  await cluster.write('sys/raw/own/a', { value: 'x' })
  expect((await cluster.write('sys/raw/own/a', { value: 'y' }, asUpdater)).status).toBe(204)
})

test('without the setting there is no such path', async () => {
  const closed = await startCluster()
  for (const method of ['GET', 'POST', 'DELETE', 'LIST']) {
    const { status, errors } = await closed.request(method, 'sys/raw/core/cluster', {
      body: { value: 'x' },
    })
    expect([method, status, errors]).toEqual([
      method,
      404,
      ['1 error occurred:\n\t* unsupported path\n\n'],
    ])
  }
  await closed.close()
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.close())

test('the catalogue holds what can be mounted, and takes nothing', async () => {
  const { data } = await cluster.read('sys/plugins/catalog')
  expect(data).toMatchObject({
    auth: expect.arrayContaining(['approle']),
    database: [],
    secret: expect.arrayContaining(['database', 'kv', 'transit']),
  })
  expect(data['secret']).not.toContain('system')
  expect((await cluster.read('sys/plugins/catalog/secret/kv')).data).toMatchObject({
    name: 'kv',
    builtin: true,
  })
  expect(await cluster.read('sys/plugins/catalog/secret/system')).toMatchObject({ status: 404 })

  const mine = { sha256: 'ab', command: 'mine' }
  expect(await cluster.write('sys/plugins/catalog/secret/mine', mine)).toMatchObject({
    status: 500,
    errors: [expect.stringContaining('plugin directory is not configured')],
  })
})

test('the plugins of one kind are listed to those with sudo', async () => {
  const token = await cluster.tokenWith('path "sys/plugins/*" { capabilities = ["list"] }')

  expect((await cluster.list('sys/plugins/catalog/auth')).data).toEqual({
    keys: ['approle', 'userpass'],
  })
  expect(await cluster.list('sys/plugins/catalog/auth', { token })).toMatchObject({ status: 403 })
  expect(await cluster.list('sys/plugins/catalog/none')).toMatchObject({ status: 405 })
})

test.each([
  [{}, 'plugin or mounts must be provided'],
  [{ plugin: 'kv', mounts: ['a/'] }, 'plugin and mounts cannot be set at the same time'],
  [{ mounts: ['sys', 'gone/'] }, "item 2 of mounts is no mount's path"],
])('a reload of %j is refused', async (body, text) => {
  const { status, errors } = await cluster.write('sys/plugins/reload/backend', body)

  expect(status).toBe(400)
  expect(errors[0]).toContain(text)
})

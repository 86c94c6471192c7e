import { afterEach, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

let cluster: Cluster
afterEach(() => cluster.close())

const start = async (introspection: boolean) => {
  cluster = await startCluster({ debugging: { rawStorage: false, introspection } })
}

test.each(['root', 'uuid', 'accessor', 'storage'])(
  'the router tells by %s where each mount keeps its records',
  async (tag) => {
    await start(true)
    await cluster.write('sys/mounts/secrets', { type: 'kv' })
    const mount = (await cluster.read('sys/mounts/secrets')).data

    const { data } = await cluster.read(`sys/internal/inspect/router/${tag}`)

    expect(Object.keys(data)).toEqual([tag])
    const routes: unknown = data[tag]
    expect(routes).toContainEqual({
      mount_namespace: '',
      mount_path: 'secrets/',
      mount_type: 'kv',
      uuid: mount['uuid'],
      accessor: mount['accessor'],
      namespace_id: 'root',
      storage_prefix: `mount/${String(mount['uuid'])}/`,
      tainted: false,
    })
  },
)

test('a tag that there is not is no path', async () => {
  await start(true)
  expect((await cluster.read('sys/internal/inspect/router/constructor')).status).toBe(404)
})

test('the request is shown as handlers see it, and its token is not', async () => {
  await start(true)
  const answer = await cluster.read('sys/internal/inspect/request', { address: '10.0.0.7' })
  expect(answer.data['request']).toMatchObject({
    id: answer.json['request_id'],
    operation: 'read',
    path: 'internal/inspect/request',
    mount_point: 'sys/',
    policies: ['root'],
    remote_address: '10.0.0.7',
  })
  expect(answer.text).not.toContain(cluster.rootToken)
})

test.each(['router/root', 'request'])('%s is refused without the setting', async (what) => {
  await start(false)
  const { status, errors } = await cluster.read(`sys/internal/inspect/${what}`)
  expect([status, errors]).toEqual([
    400,
    ['the Vault configuration must set "introspection_endpoint" to true to enable this endpoint'],
  ])
})

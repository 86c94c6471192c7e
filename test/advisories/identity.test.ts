import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../support/kit.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  for (const path of ['one', 'two', 'three']) {
    await cluster.write(`sys/auth/${path}`, { type: 'approle' })
    await cluster.write(`auth/${path}/role/web`, {
      role_id: 'same',
      bind_secret_id: false,
      secret_id_bound_cidrs: '0.0.0.0/0',
    })
  }
})
afterAll(() => cluster.close())

const login = (mount: string) =>
  cluster.write(`auth/${mount}/login`, { role_id: 'same' }, { token: null })

const accessorOf = async (mount: string) =>
  String((await cluster.read(`sys/auth/${mount}`)).data['accessor'])

const made = async (kind: 'entity' | 'group', body: object, more: object = {}) =>
  String((await cluster.write(`identity/${kind}`, body, more)).data['id'])

test('row 12 (CVE-2021-41802): merging entities asks for sudo; who may change aliases cannot become another', async () => {
  const victim = await made('entity', { name: 'victim', policies: ['powerful'] })
  const own = await made('entity', { name: 'own' })
  const mount_accessor = await accessorOf('three')
  for (const [name, canonical_id] of [
    ['victim', victim],
    ['own', own],
  ]) {
    await cluster.write('identity/entity-alias', { name, canonical_id, mount_accessor })
  }
  const token = await cluster.tokenWith(
    'path "identity/*" { capabilities = ["create", "read", "update"] }',
  )
  const merge = { from_entity_ids: [victim], to_entity_id: own }
  expect((await cluster.write('identity/entity/merge', merge, { token })).status).toBe(403)

  const move = { name: 'own', mount_accessor, canonical_id: victim }
  const moved = await cluster.write('identity/entity-alias', move, { token })
  expect(moved.status).toBe(400)
  const { data } = await cluster.read(`identity/entity/id/${victim}`)
  expect(data['aliases']).toMatchObject([{ name: 'victim' }])
})

test('row 14 (CVE-2022-40186): aliases of the same name on several mounts are not taken for each other', async () => {
  const ids: unknown[] = []
  for (const mount of ['one', 'two', 'three']) ids.push((await login(mount)).auth['entity_id'])
  expect(new Set(ids).size).toBe(3)
  for (const [i, mount] of ['one', 'two', 'three'].entries()) {
    const alias = {
      name: 'same',
      mount_accessor: await accessorOf(mount),
      custom_metadata: { of: mount },
    }
    const { data } = await cluster.write('identity/entity-alias', alias)
    expect(data['canonical_id']).toBe(ids[i])
  }
  for (const [i, mount] of ['one', 'two', 'three'].entries()) {
    await login(mount)
    const { data } = await cluster.read(`identity/entity/id/${String(ids[i])}`)
    expect(data['aliases']).toMatchObject([
      { mount_path: `auth/${mount}/`, custom_metadata: { of: mount } },
    ])
  }
})

test('row 15 (CVE-2020-10660): whoever was taken out of a group has lost its policies with the next request', async () => {
  await cluster.write('sys/policies/acl/crew', {
    policy: 'path "sys/mounts" { capabilities = ["read"] }',
  })
  const { auth } = await login('one')
  const token = String(auth['client_token'])
  const read = async () => (await cluster.read('sys/mounts', { token })).status
  const id = await made('group', { policies: ['crew'], member_entity_ids: [auth['entity_id']] })
  expect(await read()).toBe(200)
  await cluster.write(`identity/group/id/${id}`, { member_entity_ids: [] })
  expect(await read()).toBe(403)

  const removed = await made('group', {
    policies: ['crew'],
    member_entity_ids: [auth['entity_id']],
  })
  expect(await read()).toBe(200)
  await cluster.remove(`identity/group/id/${removed}`)
  expect(await read()).toBe(403)
})

test('row 17 (Vault-2.0.4): what is in another namespace is not removed by its id, and a body cannot name another object than the path', async () => {
  await cluster.write('sys/namespaces/tenant', {})
  const inTenant = { headers: { 'x-vault-namespace': 'tenant' } }
  const above = await made('entity', { name: 'above' })
  const below = await made('entity', { name: 'below' }, inTenant)
  const both = { entity_ids: [above, below] }
  expect((await cluster.write('identity/entity/batch-delete', both, inTenant)).status).toBe(204)
  expect((await cluster.read(`identity/entity/id/${above}`)).status).toBe(200)
  expect((await cluster.read(`identity/entity/id/${below}`, inTenant)).status).toBe(404)

  const other = await made('entity', { name: 'other' })
  const group = await made('group', { name: 'team' })
  for (const path of [
    'entity/name/above',
    `entity/id/${above}`,
    'group/name/team',
    `group/id/${group}`,
  ]) {
    const { status, errors } = await cluster.write(`identity/${path}`, {
      id: other,
      metadata: { a: 'b' },
    })
    expect([path, status, errors]).toEqual([
      path,
      400,
      ['the id in the body is not that of the path'],
    ])
  }
  expect((await cluster.read(`identity/entity/id/${other}`)).data['metadata']).toBe(null)
})

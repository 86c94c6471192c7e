/** Names that a user gives and that mean something to JavaScript are names like any other, wherever they are kept. */
import { expect, onTestFinished, test } from 'vitest'
import { isJsonObject, type Json } from '../../core/json.ts'
import { startCluster, type Cluster } from '../support/kit.ts'

const NAMES = ['__proto__', 'constructor', 'toString']
const TEXT = `{${NAMES.map((name) => `"${name}":"x"`).join(',')}}`

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  return cluster
}

const write = (cluster: Cluster, path: string, text: string) =>
  cluster.request('POST', path, { text })
/** Read at the other node, which has it from the storage alone. */
const read = async (cluster: Cluster, path: string) => (await cluster.read(path, { node: 1 })).data
const namesOf = (value: Json | undefined) => (isJsonObject(value) ? Object.keys(value) : [])

test('in the meta of a token', async () => {
  const cluster = await start()
  const { auth } = await write(cluster, 'auth/token/create', `{"meta":${TEXT}}`)
  const found = await cluster.write(
    'auth/token/lookup',
    { token: auth['client_token'] },
    { node: 1 },
  )
  expect(namesOf(found.data['meta'])).toEqual(NAMES)
})

test('in the metadata of a secret id, and of the login with it', async () => {
  const cluster = await start()
  await cluster.write('sys/auth/approle', { type: 'approle' })
  await cluster.write('auth/approle/role/r', { token_policies: ['default'] })
  const { role_id } = await read(cluster, 'auth/approle/role/r/role-id')
  const metadata = JSON.stringify(TEXT)
  const path = 'auth/approle/role/r/secret-id'
  const { data } = await write(cluster, path, `{"metadata":${metadata}}`)
  const { secret_id } = data
  const shown = await cluster.write(`${path}/lookup`, { secret_id }, { node: 1 })
  expect(namesOf(shown.data['metadata'])).toEqual(NAMES)
  const login = await cluster.write('auth/approle/login', { role_id, secret_id }, { node: 1 })
  expect(namesOf(login.auth['metadata']).toSorted()).toEqual([...NAMES, 'role_name'].toSorted())
})

test('in the custom metadata of a secret and of a namespace', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/kv', { type: 'kv', options: { version: '2' } })
  for (const path of ['kv/metadata/k', 'sys/namespaces/n']) {
    await write(cluster, path, `{"custom_metadata":${TEXT}}`)
    expect(namesOf((await read(cluster, path))['custom_metadata'])).toEqual(NAMES)
  }
})

test('in the options of a mount and the tags of a key', async () => {
  const cluster = await start()
  await write(cluster, 'sys/mounts/transit', `{"type":"transit","options":${TEXT}}`)
  expect(namesOf((await read(cluster, 'sys/mounts/transit'))['options'])).toEqual(NAMES)
  await cluster.write('transit/keys/k')
  await write(cluster, 'transit/keys/k/config', `{"tags":${TEXT}}`)
  expect(namesOf((await read(cluster, 'transit/keys/k'))['tags'])).toEqual(NAMES)
})

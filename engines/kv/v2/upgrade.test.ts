import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKv, type KvCluster } from '../mounted.fixture.ts'

let kv: KvCluster
beforeAll(async () => {
  kv = await startKv()
})
afterAll(() => kv.close())

async function upgraded(path: string, names: readonly string[]): Promise<void> {
  await kv.mount(path, '1')
  for (const name of names) await kv.write(path + name, { name })
  await kv.upgrade(path)
}

test('old values are version 1 at once, with their listing', async () => {
  await upgraded('old/', ['a', 'b/c', 'd'])
  kv.clock.advance('1h')
  await kv.write('old/data/b/x', { data: { new: true } })

  expect((await kv.read('old/data/a')).data).toEqual({
    data: { name: 'a' },
    metadata: {
      version: 1,
      created_time: '2026-01-01T00:00:00Z',
      deletion_time: '',
      destroyed: false,
      custom_metadata: null,
    },
  })
  expect((await kv.read('old/data/a?version=2')).status).toBe(404)
  expect((await kv.read('old/subkeys/b/c')).data['subkeys']).toEqual({ name: null })
  expect((await kv.read('old/metadata/d')).data['current_version']).toBe(1)
  expect((await kv.list('old/metadata')).data['keys']).toEqual(['a', 'b/', 'd'])
  expect((await kv.list('old/metadata/b')).data['keys']).toEqual(['c', 'x'])
  expect((await kv.list('old/metadata?after=a&limit=1')).data['keys']).toEqual(['b/'])
  expect((await kv.request('SCAN', 'old/metadata')).data['keys']).toEqual(['a', 'd', 'b/c', 'b/x'])
})

test('each change goes on from version 1', async () => {
  await upgraded('change/', ['w', 'p', 'd', 'x', 'm', 'r', 'c'])

  expect((await kv.write('change/data/w', { data: { v: 2 } })).data['version']).toBe(2)
  await kv.request('PATCH', 'change/data/p', { body: { data: { more: 1 } } })
  await kv.remove('change/data/d')
  await kv.write('change/destroy/x', { versions: [1] })
  await kv.write('change/metadata/m', { custom_metadata: { a: 'b' } })
  await kv.remove('change/metadata/r')
  const refused = await kv.write('change/data/c', { data: {}, options: { cas: 0 } })

  expect((await kv.read('change/data/w?version=1')).data['data']).toEqual({ name: 'w' })
  expect((await kv.read('change/data/p')).data['data']).toEqual({ name: 'p', more: 1 })
  expect((await kv.read('change/data/d')).status).toBe(404)
  await kv.write('change/undelete/d', { versions: [1] })
  expect((await kv.read('change/data/d')).data['data']).toEqual({ name: 'd' })
  expect((await kv.read('change/data/x')).data).toMatchObject({ metadata: { destroyed: true } })
  expect((await kv.read('change/data/m')).data).toMatchObject({
    data: { name: 'm' },
    metadata: { custom_metadata: { a: 'b' } },
  })
  expect((await kv.read('change/metadata/r')).status).toBe(404)
  expect(refused.status).toBe(400)
  expect((await kv.read('change/data/c')).data['data']).toEqual({ name: 'c' })
})

test('the periodic work takes all over, and nothing is seen of it', async () => {
  const names = Array.from({ length: 210 }, (_, i) => `folder-${i % 3}/${i}`)
  await upgraded('tick/', names)
  const before = await kv.read('tick/metadata/folder-1/1')
  kv.clock.advance('1h')

  await kv.tick('tick/')

  expect(await kv.stored('tick/', 'values/')).toEqual([])
  for (const name of names) {
    expect((await kv.read(`tick/data/${name}`)).data).toMatchObject({ data: { name } })
  }
  expect((await kv.read('tick/metadata/folder-1/1')).data).toEqual(before.data)
  expect((await kv.request('SCAN', 'tick/metadata')).data['keys']).toHaveLength(210)
})

test('values whose text does not fit one commit are taken over in several', async () => {
  await kv.mount('large/', '1')
  const text = 'x'.repeat(3_900_000)
  for (let i = 0; i < 10; i++) await kv.write(`large/${i}`, { text })
  await kv.upgrade('large/')
  await kv.tick('large/')
  expect(await kv.stored('large/', 'values/')).toEqual([])
  expect((await kv.list('large/metadata')).data['keys']).toHaveLength(10)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKv, type KvCluster } from '../mounted.fixture.ts'

let kv: KvCluster
beforeAll(async () => {
  kv = await startKv()
  await kv.mount('kv/', '1')
})
afterAll(() => kv.close())

test('a value is read as it was written, and replaced as a whole', async () => {
  expect((await kv.write('kv/a/b', { x: 1, l: [1, [null]], o: { p: true } })).status).toBe(204)
  const first = await kv.read('kv/a/b')
  expect(first.data).toEqual({ x: 1, l: [1, [null]], o: { p: true } })
  expect(first.json['lease_duration']).toBe(2_764_800)

  await kv.write('kv/a/b', { only: 'this' })

  expect((await kv.read('kv/a/b')).data).toEqual({ only: 'this' })
})

test('numbers, and names that mean something to JavaScript, come back as they were', async () => {
  const text = '{"10":0.10,"9":9007199254740993,"__proto__":{"e":1E5},"constructor":-0}'
  await kv.request('POST', 'kv/numbers', { text })

  const { text: answer } = await kv.read('kv/numbers')

  expect(answer).toContain(
    '"data":{"10":0.10,"9":9007199254740993,"__proto__":{"e":1E5},"constructor":-0}',
  )
})

test.each([
  [{ ttl: '1h' }, 3600],
  [{ lease: '90m' }, 5400],
  [{ ttl: 120, lease: '90m' }, 120],
  [{ ttl: 'bad', lease: '90m' }, 2_764_800],
  [{ ttl: true }, 2_764_800],
  [{ ttl: '1500ms' }, 1],
])('%j asks readers to keep it for %d seconds', async (value, seconds) => {
  await kv.write('kv/hint', value)
  expect((await kv.read('kv/hint')).json['lease_duration']).toBe(seconds)
})

test.each([
  ['POST', 'kv/e', {}, 'missing data fields'],
  ['POST', 'kv', { a: 1 }, 'missing path'],
  ['POST', 'kv/', { a: 1 }, "cannot write to a path ending in '/'"],
])('%s %s is refused: nothing to write, or nowhere', async (method, path, body, text) => {
  const answer = await kv.request(method, path, { body })
  expect([answer.status, answer.errors]).toEqual([400, [text]])
})

test('a patch is not known', async () => {
  await kv.write('kv/p', { a: 1 })
  expect((await kv.request('PATCH', 'kv/p', { body: { a: 2 } })).status).toBe(405)
})

test('to delete is no error, there or not; after it there is nothing', async () => {
  await kv.write('kv/gone', { a: 1 })
  expect((await kv.remove('kv/gone')).status).toBe(204)
  expect((await kv.remove('kv/gone')).status).toBe(204)
  expect((await kv.read('kv/gone')).status).toBe(404)
})

test('a folder lists its secrets and folders; a scan goes to the bottom', async () => {
  await kv.mount('tree/', '1')
  for (const path of ['a', 'd', 't', 'd/g', 'd/e/f']) await kv.write(`tree/${path}`, { k: path })

  expect((await kv.list('tree')).data['keys']).toEqual(['a', 'd', 'd/', 't'])
  expect((await kv.list('tree/d')).data['keys']).toEqual(['e/', 'g'])
  expect((await kv.list('tree/none')).status).toBe(404)
  const scan = await kv.request('SCAN', 'tree/')
  expect(scan.data['keys']).toEqual(['a', 'd', 't', 'd/g', 'd/e/f'])
  expect((await kv.request('SCAN', 'tree/d')).data['keys']).toEqual(['g', 'e/f'])
  const none = await kv.request('SCAN', 'tree/none')
  expect([none.status, none.data]).toEqual([200, {}])
})

test('what ends in "/" is a folder, never a secret', async () => {
  await kv.write('kv/f/x', { a: 1 })
  expect((await kv.read('kv/f/')).status).toBe(404)
  expect((await kv.read('kv/')).status).toBe(404)
  expect((await kv.remove('kv/f/')).status).toBe(204)
  expect((await kv.read('kv/f/x')).status).toBe(200)
})

test('a policy tells the first write of a secret from later ones', async () => {
  const token = await kv.tokenWith('path "kv/once/*" { capabilities = ["create"] }')
  expect((await kv.write('kv/once/a', { a: 1 }, { token })).status).toBe(204)
  expect((await kv.write('kv/once/a', { a: 2 }, { token })).status).toBe(403)
  expect((await kv.read('kv/once/a')).data).toEqual({ a: 1 })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startKv, type KvCluster } from '../mounted.fixture.ts'

let kv: KvCluster
beforeAll(async () => {
  kv = await startKv()
  await kv.mount('kv/', '2')
})
afterAll(() => kv.close())

const put = (path: string, data: unknown, options?: unknown) =>
  kv.write(`kv/data/${path}`, { data, ...(options !== undefined && { options }) })
const patch = (path: string, body: unknown) => kv.request('PATCH', `kv/data/${path}`, { body })

describe('writing and reading', () => {
  test('each write is a new version, and all are there', async () => {
    const first = await put('a', { x: 1 })
    expect(first.data).toEqual({
      version: 1,
      created_time: '2026-01-01T00:00:00Z',
      deletion_time: '',
      destroyed: false,
      custom_metadata: null,
    })
    await put('a', { x: 2 })

    expect((await kv.read('kv/data/a')).data).toMatchObject({
      data: { x: 2 },
      metadata: { version: 2 },
    })
    expect((await kv.read('kv/data/a?version=1')).data).toMatchObject({ data: { x: 1 } })
    expect((await kv.read('kv/data/a?version=3')).status).toBe(404)
    expect((await kv.read('kv/data/a?version=3')).errors).toEqual([])
  })

  test('numbers and names come back as they were written', async () => {
    const data = '{"10":1.0,"9":9007199254740993,"__proto__":{"e":1e2}}'
    await kv.request('POST', 'kv/data/numbers', { text: `{"data":${data}}` })
    expect((await kv.read('kv/data/numbers')).text).toContain(`"data":{"data":${data},`)
  })

  test('of eleven versions the last ten are kept', async () => {
    for (let i = 1; i <= 11; i++) await put('eleven', { i })
    expect((await kv.read('kv/data/eleven?version=1')).status).toBe(404)
    expect((await kv.read('kv/data/eleven?version=2')).data).toMatchObject({ data: { i: 2 } })
    const { data } = await kv.read('kv/metadata/eleven')
    expect([data['oldest_version'], Object.keys(data['versions'] ?? {}).length]).toEqual([2, 10])
  })

  test.each([
    ['no data', {}, 'no data provided'],
    ['data beside it', { x: 1 }, 'no data provided'],
    [
      'a text for data',
      { data: 'x' },
      "error converting input for field \"data\": '' expected type 'map[string]interface {}', got unconvertible type 'string'",
    ],
  ])('%s is refused', async (_what, body, text) => {
    const answer = await kv.write('kv/data/a', body)
    expect([answer.status, answer.errors]).toEqual([400, [text]])
  })

  test('null is an empty object, which can be patched', async () => {
    await put('null', null)
    expect((await kv.read('kv/data/null')).data).toMatchObject({ data: {} })
    expect((await patch('null', { data: { a: 1 } })).status).toBe(200)
    expect((await kv.read('kv/data/null')).data).toMatchObject({ data: { a: 1 } })
  })
})

describe('check-and-set', () => {
  test('the writer must know the current version; 0 creates only', async () => {
    const mismatch = 'check-and-set parameter did not match the current version'
    expect((await put('cas', { v: 1 }, { cas: 1 })).errors).toEqual([mismatch])
    expect((await put('cas', { v: 1 }, { cas: 0 })).status).toBe(200)
    expect((await put('cas', { v: 2 }, { cas: 0 })).errors).toEqual([mismatch])
    expect((await put('cas', { v: 2 }, { cas: '1' })).status).toBe(200)
    expect((await patch('cas', { data: { w: 1 }, options: { cas: 1 } })).errors).toEqual([mismatch])
    expect((await kv.read('kv/data/cas')).data).toMatchObject({ data: { v: 2 } })
  })

  test.each([['x'], [1.5], [{}], ['1e3']])('%j is no version', async (cas) => {
    const { status, errors } = await put('cas', { v: 3 }, { cas })
    expect([status, errors]).toEqual([400, ['error parsing check-and-set parameter']])
  })

  test('a deleted key is not new, one whose metadata was deleted is', async () => {
    await put('cas2', { v: 1 })
    await kv.remove('kv/data/cas2')
    expect((await put('cas2', { v: 2 }, { cas: 0 })).status).toBe(400)
    await kv.remove('kv/metadata/cas2')
    expect((await put('cas2', { v: 2 }, { cas: 0 })).data['version']).toBe(1)
  })

  test('of two writers with the same cas at the same time one wins', async () => {
    const answers = await Promise.all([0, 1, 2, 3].map((i) => put('race', { i }, { cas: 0 })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400])
  })
})

describe('deleting', () => {
  test('a deleted version answers 404 with its metadata, on each node at once', async () => {
    await put('d', { v: 1 })
    await kv.remove('kv/data/d')
    for (const node of [0, 1]) {
      const answer = await kv.read('kv/data/d', { node })
      expect(answer.status).toBe(404)
      expect(answer.data).toMatchObject({
        data: null,
        metadata: { version: 1, deletion_time: '2026-01-01T00:00:00Z', destroyed: false },
      })
    }
  })

  test('it stays deleted when the clock is set back', async () => {
    await put('clock', { v: 1 })
    await kv.remove('kv/data/clock')
    kv.clock.advance('-1h')
    const { status } = await kv.read('kv/data/clock')
    kv.clock.advance('1h')
    expect(status).toBe(404)
  })

  test('what was deleted can be restored, what was destroyed cannot', async () => {
    await put('u', { v: 1 })
    await put('u', { v: 2 })
    await kv.write('kv/delete/u', { versions: '1,2' })
    await kv.write('kv/destroy/u', { versions: [1] })
    await kv.write('kv/undelete/u', { versions: [1, 2, 99] })

    expect((await kv.read('kv/data/u?version=2')).data).toMatchObject({ data: { v: 2 } })
    const destroyed = await kv.read('kv/data/u?version=1')
    expect(destroyed.status).toBe(404)
    expect(destroyed.data).toMatchObject({ data: null, metadata: { destroyed: true } })
  })

  test('destroying and deleting the metadata leave no data in the storage', async () => {
    await kv.mount('empty/', '2')
    for (const v of [1, 2, 3]) await kv.write('empty/data/k', { data: { v } })
    const [id] = await kv.stored('empty/', 'versions/')
    await kv.write('empty/destroy/k', { versions: [2] })
    expect(await kv.stored('empty/', `versions/${id}`)).toEqual(['1', '3'])
    await kv.remove('empty/metadata/k')
    expect(await kv.stored('empty/', '')).toEqual([])
  })

  test('what lies too far back goes with the write that prunes it', async () => {
    await kv.mount('prune/', '2')
    for (const v of [1, 2, 3, 4]) await kv.write('prune/data/k', { data: { v } })
    await kv.write('prune/metadata/k', { max_versions: 2 })
    const [id] = await kv.stored('prune/', 'versions/')
    expect(await kv.stored('prune/', `versions/${id}`)).toHaveLength(4)
    await kv.write('prune/data/k', { data: { v: 5 } })
    expect(await kv.stored('prune/', `versions/${id}`)).toEqual(['4', '5'])
  })

  test.each([
    ['delete', 'No version number provided'],
    ['undelete', 'No version number provided'],
    ['destroy', 'no version number provided'],
  ])('%s needs numbers', async (operation, text) => {
    expect((await kv.write(`kv/${operation}/a`, {})).errors).toEqual([text])
    expect((await kv.write(`kv/${operation}/a`, { versions: [] })).errors).toEqual([text])
    expect((await kv.write(`kv/${operation}/none`, { versions: [1] })).status).toBe(204)
  })
})

describe('patching', () => {
  test('a patch is merged into the current version', async () => {
    await put('p', { a: 1, o: { p: 1, q: 2 }, l: [1] })
    expect(
      (await patch('p', { data: { a: null, o: { p: null }, l: { x: 1 } } })).data,
    ).toMatchObject({ version: 2 })
    expect((await kv.read('kv/data/p')).data).toMatchObject({ data: { o: { q: 2 }, l: { x: 1 } } })
    expect((await kv.read('kv/data/p')).data).not.toMatchObject({ data: { a: 1 } })
  })

  test('there must be something to patch', async () => {
    const none = await patch('nothing-here', { data: { a: 1 } })
    expect([none.status, none.text]).toEqual([404, ''])
    await put('gone', { a: 1 })
    await kv.remove('kv/data/gone')
    const gone = await patch('gone', { data: { a: 2 } })
    expect([gone.status, gone.data['version']]).toEqual([404, 1])
    expect((await patch('p', {})).errors).toEqual(['no data provided'])
  })
})

describe('subkeys', () => {
  test('names are shown without values, of any version', async () => {
    await put('s', { a: 'secret', o: { p: 'secret', q: { r: 1 } } })
    await put('s', { b: 1 })
    expect((await kv.read('kv/subkeys/s')).data).toMatchObject({ subkeys: { b: null } })
    const { text } = await kv.read('kv/subkeys/s?version=1&depth=2')
    expect(text).toContain('"subkeys":{"a":null,"o":{"p":null,"q":null}}')
    expect(text).not.toContain('secret')
  })

  test('those of a deleted version are not', async () => {
    await put('sd', { a: 1 })
    await kv.remove('kv/data/sd')
    const answer = await kv.read('kv/subkeys/sd')
    expect([answer.status, answer.data['subkeys']]).toEqual([404, null])
  })
})

test.each([
  ['GET', 'kv/a', 'get'],
  ['POST', 'kv/a', 'put'],
  ['PATCH', 'kv/a', 'patch'],
  ['DELETE', 'kv/a', 'delete'],
  ['LIST', 'kv/b', 'list'],
  ['GET', 'kv/config/x', 'get'],
])('%s %s is answered with a hint', async (method, path, command) => {
  const answer = await kv.request(method, path, { body: { a: 1 } })
  expect(answer.status).toBe(404)
  expect(answer.text).toContain(`use 'bao kv ${command}' for this operation.`)
})

test.each(['data', 'metadata', 'delete', 'undelete', 'destroy'])(
  'nothing but a listing is done at the root %s',
  async (root) => {
    const answer = await kv.write(`kv/${root}`, { data: {} })
    expect(answer.status).toBe(404)
    expect(answer.text).toContain('Non-listing operations on the root')
  },
)

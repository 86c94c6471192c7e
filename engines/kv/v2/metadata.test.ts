import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startKv, type KvCluster } from '../mounted.fixture.ts'

let kv: KvCluster
beforeAll(async () => {
  kv = await startKv()
  await kv.mount('kv/', '2')
})
afterAll(() => kv.close())

const metadata = async (path: string) => (await kv.read(`kv/metadata/${path}`)).data
const set = (path: string, body: unknown) => kv.write(`kv/metadata/${path}`, body)
const patch = (path: string, body: unknown) => kv.request('PATCH', `kv/metadata/${path}`, { body })

describe('settings of a key', () => {
  test('a key can have metadata before it has data', async () => {
    const body = {
      max_versions: 2,
      cas_required: true,
      delete_version_after: '1h30m',
      custom_metadata: { a: 'x' },
    }
    expect((await set('m', body)).status).toBe(204)
    expect(await metadata('m')).toEqual({
      ...body,
      delete_version_after: '1h30m0s',
      created_time: '2026-01-01T00:00:00Z',
      updated_time: '2026-01-01T00:00:00Z',
      current_version: 0,
      oldest_version: 0,
      current_metadata_version: 1,
      metadata_cas_required: false,
      versions: {},
    })
    expect((await kv.read('kv/data/m')).status).toBe(404)
  })

  test('a write replaces custom_metadata, a patch changes it, and null resets a setting', async () => {
    await set('c', { custom_metadata: { a: 'x', b: 'y' }, max_versions: 3 })
    await set('c', { custom_metadata: { c: 'z' } })
    expect(await metadata('c')).toMatchObject({ custom_metadata: { c: 'z' }, max_versions: 3 })
    await patch('c', { custom_metadata: { c: null, d: 1 }, max_versions: null })
    expect(await metadata('c')).toMatchObject({ custom_metadata: { d: '1' }, max_versions: 0 })
    await patch('c', { custom_metadata: null })
    expect(await metadata('c')).toMatchObject({ custom_metadata: null })
  })

  test('a write of nothing does nothing, and makes no key', async () => {
    expect((await set('nothing', {})).status).toBe(204)
    expect((await set('nothing', { bogus: 1 })).status).toBe(204)
    expect((await kv.read('kv/metadata/nothing')).status).toBe(404)
    const patched = await patch('nothing', { max_versions: 1 })
    expect([patched.status, patched.text]).toEqual([404, ''])
  })

  test('a negative span is refused', async () => {
    const { errors } = await set('m', { delete_version_after: '-5' })
    expect(errors).toEqual([
      'error converting input for field "delete_version_after": cannot provide negative value \'-5\'',
    ])
  })

  test('more versions than are kept can be asked for, and the writer is told', async () => {
    const asked = await set('many', { max_versions: 1001 })
    expect([asked.status, asked.text.includes('so many versions of a key are kept')]).toEqual([
      200,
      true,
    ])
    expect((await set('many', { max_versions: 1000 })).status).toBe(204)
    expect((await set('many', { max_versions: -1 })).status).toBe(204)
  })

  test('a thousand versions of a key can be removed, and pruned, at once', async () => {
    await set('thousand', { max_versions: 1000 })
    for (let i = 1; i <= 1001; i++) await kv.write('kv/data/thousand', { data: { i } })
    expect((await metadata('thousand'))['oldest_version']).toBe(2)
    await set('thousand', { max_versions: 1 })
    expect((await kv.write('kv/data/thousand', { data: { i: 1002 } })).status).toBe(200)
    expect((await metadata('thousand'))['oldest_version']).toBe(1002)
    expect((await kv.remove('kv/metadata/thousand')).status).toBe(204)
  })
})

test('what was pruned stays pruned when more versions may be kept again', async () => {
  await set('again', { max_versions: 1 })
  for (const v of [1, 2, 3]) await kv.write('kv/data/again', { data: { v } })
  await set('again', { max_versions: 5 })
  await kv.write('kv/data/again', { data: { v: 4 } })
  const { oldest_version: oldest, versions } = await metadata('again')
  expect([oldest, Object.keys(versions ?? {})]).toEqual([3, ['3', '4']])
})

describe('check-and-set of metadata', () => {
  test('the writer must know the version of the metadata', async () => {
    const text = 'metadata check-and-set parameter does not match the current version'
    expect((await set('mc', { max_versions: 2, metadata_cas: 1 })).errors).toEqual([
      'metadata_cas must be 0 when creating new metadata',
    ])
    await set('mc', { max_versions: 2, metadata_cas: 0, metadata_cas_required: true })
    expect((await set('mc', { max_versions: 3 })).errors).toEqual([
      'metadata check-and-set parameter required for this call',
    ])
    expect((await set('mc', { max_versions: 3, metadata_cas: 0 })).errors).toEqual([text])
    expect((await patch('mc', { max_versions: 3, metadata_cas: 2 })).errors).toEqual([text])
    expect((await patch('mc', { max_versions: 3, metadata_cas: 1 })).status).toBe(204)
    expect(await metadata('mc')).toMatchObject({ current_metadata_version: 2, max_versions: 3 })
  })
})

describe('settings of the mount', () => {
  const config = (body: unknown) => kv.write('kv/config', body)

  test('what is not sent stays', async () => {
    await config({ max_versions: 3 })
    await config({ cas_required: true, delete_version_after: '30m' })
    expect((await kv.read('kv/config')).data).toEqual({
      max_versions: 3,
      cas_required: true,
      delete_version_after: '30m0s',
      metadata_cas_required: false,
    })
    await config({ cas_required: false, max_versions: 0, delete_version_after: 0 })
  })

  test('what the mount demands a key cannot give up', async () => {
    await config({ cas_required: true, metadata_cas_required: true })
    expect((await kv.write('kv/data/demand', { data: {} })).errors).toEqual([
      'check-and-set parameter required for this call',
    ])
    const body = { cas_required: false, metadata_cas_required: false, metadata_cas: 0 }
    const { status, json } = await set('demand', body)
    expect([status, json['warnings']]).toEqual([
      200,
      ['cas_required', 'metadata_cas_required'].map(
        (name) =>
          `"${name}" set to false, but is mandated by backend config. This value will be ignored.`,
      ),
    ])
    await config({ cas_required: false, metadata_cas_required: false })
  })

  test('the larger number of versions and the smaller span hold', async () => {
    await config({ max_versions: 1, delete_version_after: '1h' })
    await set('both', { max_versions: 2, delete_version_after: '2h' })
    for (const v of [1, 2, 3]) await kv.write('kv/data/both', { data: { v } })
    expect(Object.keys((await metadata('both'))['versions'] ?? {})).toEqual(['2', '3'])
    const read = () => kv.read('kv/data/both')
    expect((await read()).data).toMatchObject({
      metadata: { deletion_time: '2026-01-01T01:00:00Z' },
    })
    kv.clock.advance('59m59s')
    expect((await read()).status).toBe(200)
    kv.clock.advance('1s')
    expect((await read()).status).toBe(404)
    await config({ max_versions: 0, delete_version_after: 0 })
  })

  test('a negative span turns the time off for all keys, and shows as -1s', async () => {
    await set('never', { delete_version_after: '1s' })
    await config({ delete_version_after: '-5h' })
    expect((await kv.read('kv/config')).data['delete_version_after']).toBe('-1s')
    const { data } = await kv.write('kv/data/never', { data: {} })
    expect(data['deletion_time']).toBe('')
    await config({ delete_version_after: 0 })
  })

  test('to undelete begins the time anew', async () => {
    await set('anew', { delete_version_after: '10s' })
    await kv.write('kv/data/anew', { data: { v: 1 } })
    kv.clock.advance('11s')
    expect((await kv.read('kv/data/anew')).status).toBe(404)
    await kv.write('kv/undelete/anew', { versions: [1] })
    expect((await kv.read('kv/data/anew')).status).toBe(200)
    kv.clock.advance('10s')
    expect((await kv.read('kv/data/anew')).status).toBe(404)
  })
})

describe('listing', () => {
  beforeAll(async () => {
    await kv.mount('l/', '2')
    for (const path of ['a', 'b/c', 'b/d/e', 'f', 'z/z/z']) {
      await kv.write(`l/data/${path}`, { data: { path } })
    }
  })

  test.each([
    ['metadata', ['a', 'b/', 'f', 'z/']],
    ['metadata/b', ['c', 'd/']],
    ['metadata?after=a&limit=2', ['b/', 'f']],
    ['metadata?after=b/', ['f', 'z/']],
    ['metadata?limit=-1', ['a', 'b/', 'f', 'z/']],
  ])('LIST %s', async (path, keys) => {
    expect((await kv.list(`l/${path}`)).data['keys']).toEqual(keys)
  })

  test('a folder without keys is not found', async () => {
    for (const path of ['metadata/none', 'metadata?after=zzz', 'detailed-metadata/none']) {
      expect((await kv.list(`l/${path}`)).status).toBe(404)
    }
  })

  test('a scan goes to the bottom, whatever page is asked for', async () => {
    const scan = (path: string) => kv.request('SCAN', `l/${path}`)
    const all = ['a', 'f', 'z/z/z', 'b/c', 'b/d/e']
    expect((await scan('metadata/')).data['keys']).toEqual(all)
    expect((await scan('metadata?after=b/c&limit=1')).data['keys']).toEqual(all)
    expect((await scan('metadata/none')).data).toEqual({})
    const { data } = await scan('detailed-metadata/b')
    expect(data['keys']).toEqual(['c', 'd/e'])
    expect(data['key_info']).toMatchObject({ 'd/e': { current_version: 1 } })
  })

  test('details come with the keys; a folder has none', async () => {
    const { data } = await kv.list('l/detailed-metadata/')
    expect(data['key_info']).toMatchObject({ a: { current_version: 1 }, 'b/': {} })
  })

  test('deleted keys can be left out, and a page is full all the same', async () => {
    await kv.mount('x/', '2')
    for (const path of ['a', 'b', 'c', 'd', 'e/f']) await kv.write(`x/data/${path}`, { data: {} })
    for (const path of ['a', 'b', 'd']) await kv.remove(`x/data/${path}`)
    const keys = async (query: string) => (await kv.list(`x/metadata?${query}`)).data['keys']
    expect(await keys('')).toEqual(['a', 'b', 'c', 'd', 'e/'])
    expect(await keys('exclude_deleted=true')).toEqual(['c', 'e/'])
    expect(await keys('exclude_deleted=true&limit=1')).toEqual(['c'])
    expect(await keys('exclude_deleted=true&limit=1&after=c')).toEqual(['e/'])
    expect(await keys('exclude_deleted=true&limit=2')).toEqual(['c', 'e/'])
  })
})

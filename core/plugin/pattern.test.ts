import { describe, expect, test } from 'vitest'
import { caselessName, mountPath, string } from './fields.ts'
import { compilePattern, PathTable } from './pattern.ts'

const fields = {
  name: string(''),
  role: caselessName(''),
  id: string('').matching(String.raw`\d+`),
  path: string(''),
  mount: mountPath(''),
}

function table(...texts: (string | readonly string[])[]) {
  const paths = texts.map((text) => ({
    text: [text].flat()[0],
    patterns: [text].flat().map((one) => compilePattern(one, fields)),
  }))
  const found = new PathTable(paths)
  return (path: string, { listing = false } = {}) => {
    const match = found.find(path, { listing })
    return match && { text: match.path.text, params: match.params, canonical: match.canonical }
  }
}

describe('the first path that is declared wins', () => {
  test('a literal before a name', () => {
    const find = table('role/special', 'role/:name')
    expect(find('role/special')).toMatchObject({ text: 'role/special', params: {} })
    expect(find('role/other')).toMatchObject({ text: 'role/:name', params: { name: 'other' } })
  })

  test('a name before a literal, if it was declared so', () => {
    const find = table(':name/x', 'role/x')
    expect(find('role/x')).toMatchObject({ text: ':name/x' })
  })

  test('among several patterns of one declaration too', () => {
    const find = table(['create', 'create/:name'], 'create/late')
    expect(find('create')?.text).toBe('create')
    expect(find('create/late')?.params).toEqual({ name: 'late' })
  })
})

test.each(['a', 'a1', '1', '_', 'a-b', 'a.b', 'a..b', 'A', 'a_b-c.d'])('%j is a name', (name) => {
  expect(table('role/:name')(`role/${name}`)?.params).toEqual({ name })
})

test.each(['', '-a', 'a-', '.a', 'a.', '.', '..', 'a b', 'a/b', 'é', 'a\n', 'a%', 'a*', 'a+', '*'])(
  '%j is none',
  (name) => {
    expect(table('role/:name')(`role/${name}`)).toBeUndefined()
  },
)

test('a field may bring a pattern of its own, for the whole segment', () => {
  const find = table('version/:id')
  expect(find('version/12')?.params).toEqual({ id: '12' })
  expect(find('version/12a')).toBeUndefined()
  expect(find('version/a12')).toBeUndefined()
})

describe('a trailing slash', () => {
  test('is no second name of a record', () => {
    const find = table('role/:name', 'config')
    for (const path of ['role/x/', 'config/', '/config', 'role//x'])
      expect(find(path)).toBeUndefined()
  })

  test('is what a listing has, and its canonical path keeps it', () => {
    const find = table('role', 'role/:name')
    expect(find('role/', { listing: true })).toMatchObject({ text: 'role', canonical: 'role/' })
    expect(find('role/x/', { listing: true })).toMatchObject({ canonical: 'role/x/' })
  })

  test('belongs to the rest of a path', () => {
    const find = table('data/:path*')
    expect(find('data/a/b')).toMatchObject({ params: { path: 'a/b' }, canonical: 'data/a/b' })
    expect(find('data/a/')).toMatchObject({ params: { path: 'a/' }, canonical: 'data/a/' })
    expect(find('data/', { listing: true })).toMatchObject({
      params: { path: '' },
      canonical: 'data/',
    })
    expect(find('data')).toBeUndefined()
  })

  test('of a mount’s path says nothing', () => {
    const find = table('mounts/:mount*')
    expect(find('mounts/a/b/')).toMatchObject({ params: { mount: 'a/b' }, canonical: 'mounts/a/b' })
    expect(find('mounts/a/b')).toMatchObject({ params: { mount: 'a/b' }, canonical: 'mounts/a/b' })
  })
})

describe('names without case', () => {
  test('are folded in what the handler gets and in the canonical path, which are the same', () => {
    const find = table('role/:role/secret-id', 'role/:role')
    for (const name of ['prod', 'PROD', 'Prod', 'pRoD']) {
      expect(find(`role/${name}`)).toEqual({
        text: 'role/:role',
        params: { role: 'prod' },
        canonical: 'role/prod',
      })
      expect(find(`role/${name}/secret-id`)).toMatchObject({ canonical: 'role/prod/secret-id' })
    }
  })

  test('literals are not: another case is another path', () => {
    expect(table('role/:role')('ROLE/prod')).toBeUndefined()
  })
})

test('literals may follow the rest', () => {
  const find = table('mounts/:mount*/tune', 'mounts/:mount*')
  expect(find('mounts/a/b/tune')).toMatchObject({
    text: 'mounts/:mount*/tune',
    params: { mount: 'a/b' },
  })
  expect(find('mounts/tune')).toMatchObject({ text: 'mounts/:mount*', params: { mount: 'tune' } })
})

test('a rest alone takes everything, the empty path too', () => {
  const find = table(':path*')
  expect(find('')).toMatchObject({ params: { path: '' }, canonical: '' })
  expect(find('a/B/')).toMatchObject({ params: { path: 'a/B/' }, canonical: 'a/B/' })
})

test('a pattern that names no field is a bug', () => {
  expect(() => compilePattern('a/:nobody', fields)).toThrow('nobody')
})

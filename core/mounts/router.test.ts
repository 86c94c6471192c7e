import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemRandom } from '../random.ts'
import { newMount } from './defaults.ts'
import { Router } from './router.ts'

const routerOf = (...paths: readonly string[]) =>
  Router.of(
    paths.map((path) =>
      newMount({ path, kind: 'secret', type: 'kv', description: '' }, systemRandom),
    ),
  )

describe('the mount of a path is the one whose path is its longest prefix', () => {
  const router = routerOf('a/', 'a/b/', 'auth/token/', 'c/d/e/')
  test.each([
    ['a/x', 'a/'],
    ['a/', 'a/'],
    ['a', 'a/'],
    ['a/b', 'a/b/'],
    ['a/b/', 'a/b/'],
    ['a/b/c/d', 'a/b/'],
    ['a/bc', 'a/'],
    ['ab', undefined],
    ['ab/x', undefined],
    ['A/x', undefined],
    ['auth/token', 'auth/token/'],
    ['auth/tokens/x', undefined],
    ['auth/', undefined],
    ['c/d/', undefined],
    ['c/d/e', 'c/d/e/'],
    ['', undefined],
    ['/', undefined],
    ['x', undefined],
  ])('%j: %j', (path, mount) => {
    expect(router.find(path)?.path).toBe(mount)
  })

  test('as a plain search says', () => {
    const segment = fc.constantFrom('a', 'b', 'ab')
    const folder = fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .map((all) => `${all.join('/')}/`)
    const path = fc.tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
    fc.assert(
      fc.property(fc.uniqueArray(folder, { maxLength: 6 }), path, (mounts, [segments, slash]) => {
        const asked = segments.join('/') + (slash && segments.length > 0 ? '/' : '')
        const longest = mounts
          .filter((one) => asked.startsWith(one) || `${asked}/` === one)
          .sort((a, b) => b.length - a.length)[0]
        expect(routerOf(...mounts).find(asked)?.path).toBe(longest)
      }),
    )
  })
})

test.each([
  ['a/', true],
  ['a/b/c/', true],
  ['a/b/', true],
  ['ab/', false],
  ['b/', false],
])('a mount %j lies in the way of another, or not: %j', (path, inTheWay) => {
  expect(routerOf('a/b/').conflict(path) !== undefined).toBe(inTheWay)
})

test('the router of a table is made once', () => {
  const { entries } = routerOf('a/')
  expect(Router.of(entries)).toBe(Router.of(entries))
})

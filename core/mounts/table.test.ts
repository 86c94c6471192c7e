import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MemoryStorage } from '../../storage/memory.ts'
import { systemRandom } from '../random.ts'
import { plainStore } from '../store/plain.fixture.ts'
import { Transaction } from '../store/transaction.ts'
import { View } from '../store/view.ts'
import { newMount } from './defaults.ts'
import {
  conflictingPath,
  findMount,
  isMountPathSize,
  listMounts,
  MAX_MOUNT_PATH_BYTES,
  MAX_MOUNT_SEGMENTS,
  mountAt,
  putMount,
} from './table.ts'

/** A namespace with these mounts, stored. */
async function mounted(...paths: readonly string[]) {
  const storage = new MemoryStorage()
  const begin = () => {
    const transaction = new Transaction(plainStore(storage))
    return { transaction, root: new View(transaction, '') }
  }
  const { transaction, root } = begin()
  for (const path of paths) {
    const entry = newMount({ path, kind: 'secret', type: 'kv', description: '' }, systemRandom)
    putMount(root, 'root', entry)
  }
  await transaction.commit()
  return begin()
}

const find = async (root: View, path: string) => (await findMount(root, 'root', path))?.path

describe('the mount of a path is the one whose path is a prefix of it', () => {
  test.each([
    ['a/x', 'a/'],
    ['a/', 'a/'],
    ['a', 'a/'],
    ['a/b/c/d', 'a/'],
    ['ab', undefined],
    ['ab/x', undefined],
    ['A/x', undefined],
    ['auth/token', 'auth/token/'],
    ['auth/token/create', 'auth/token/'],
    ['auth/tokens/x', undefined],
    ['auth/', undefined],
    ['c/d/', undefined],
    ['c/d/e', 'c/d/e/'],
    ['c/d/e/f/g', 'c/d/e/'],
    ['50%/2F/x', '50%/2F/'],
    ['50%2F2F/x', undefined],
    ['', undefined],
    ['/', undefined],
    ['x', undefined],
  ])('%j: %j', async (path, mount) => {
    const { root } = await mounted('a/', 'auth/token/', 'c/d/e/', '50%/2F/')
    expect(await find(root, path)).toBe(mount)
  })

  test('as a plain search says, and so is what lies in the way of another mount', async () => {
    const segment = fc.constantFrom('a', 'b', 'ab', '%', '%2F')
    const folder = fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .map((all) => `${all.join('/')}/`)
    const asked = fc.tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
    const nested = (one: string, other: string) => one.startsWith(other) || other.startsWith(one)
    await fc.assert(
      fc.asyncProperty(fc.array(folder, { maxLength: 6 }), asked, async (wanted, [all, slash]) => {
        const paths: string[] = []
        for (const one of wanted) if (!paths.some((other) => nested(one, other))) paths.push(one)
        const { root } = await mounted(...paths)
        const path = all.join('/') + (slash && all.length > 0 ? '/' : '')
        expect(await find(root, path)).toBe(
          paths.find((one) => path.startsWith(one) || `${path}/` === one),
        )
        for (const one of wanted) {
          const inTheWay = await conflictingPath(root, 'root', one)
          expect(paths.filter((other) => nested(one, other))).toContain(inTheWay)
        }
      }),
    )
  })
})

test.each([
  ['a/', 'a/b/'],
  ['a/b/c/', 'a/b/'],
  ['a/b/', 'a/b/'],
  ['ab/', undefined],
  ['a/bc/', undefined],
  ['b/', undefined],
])('in the way of a mount %j lies %j', async (path, inTheWay) => {
  const { root } = await mounted('a/b/', 'z/')
  expect(await conflictingPath(root, 'root', path)).toBe(inTheWay)
})

test('to find a mount is to read its path and its entry, however many others there are', async () => {
  const many = Array.from({ length: 300 }, (_, i) => `m${i}/`)
  const { root, transaction } = await mounted(...many, 'team/app/')
  expect(await find(root, 'team/app/some/secret')).toBe('team/app/')
  expect(transaction.reads().map(({ key }) => key)).toEqual([
    'ns/root/mount-path/team%2F',
    'ns/root/mount-path/team%2Fapp%2F',
    expect.stringContaining('ns/root/mount/'),
  ])
})

test('a path that no mount can have costs no more look-ups than the deepest that one can', async () => {
  const { root, transaction } = await mounted('a/')
  expect(await find(root, 'x/'.repeat(4000))).toBeUndefined()
  expect(transaction.reads()).toHaveLength(MAX_MOUNT_SEGMENTS)
  expect(await find(root, 'y'.repeat(5000))).toBeUndefined()
  expect(await mountAt(root, 'root', `${'y'.repeat(5000)}/`)).toBeUndefined()
  expect(transaction.reads()).toHaveLength(MAX_MOUNT_SEGMENTS)
})

test('mounts are listed by path', async () => {
  const { root } = await mounted('b/', 'a/c/', 'a0/', 'a/b/')
  const listed = await listMounts(root, 'root')
  expect(listed.map(({ path }) => path)).toEqual(['a/b/', 'a/c/', 'a0/', 'b/'])
})

test('a path has a largest size', async () => {
  const longest = `${'%'.repeat(MAX_MOUNT_PATH_BYTES - 1)}/`
  expect(isMountPathSize(longest)).toBe(true)
  expect(isMountPathSize(`%${longest}`)).toBe(false)
  expect(isMountPathSize(`é${longest.slice(1)}`)).toBe(false)
  expect(isMountPathSize('a/'.repeat(MAX_MOUNT_SEGMENTS))).toBe(true)
  expect(isMountPathSize('a/'.repeat(MAX_MOUNT_SEGMENTS + 1))).toBe(false)
  const { root } = await mounted(longest)
  expect(await find(root, `${longest}x`)).toBe(longest)
})

/**
 * What every storage must do: `contract.ts` as tests. An implementation's own tests call `storageSuite` once and add
 * only what is special about it (files, connections, faults).
 */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  MAX_CHANGES_PER_COMMIT,
  MAX_COMMIT_BYTES,
  MAX_KEY_BYTES,
  MAX_VALUE_BYTES,
  StorageLimit,
} from './contract.ts'
import type { Change, Commit, CommitResult, Feed, Storage } from './contract.ts'

/** An empty storage that several nodes may share. */
export interface Place {
  /** A node's own storage object; all of them see the same records. */
  connect(): Promise<Storage>
  /** After all are closed: what lies on disk goes too. */
  remove(): Promise<void>
}

export interface SuiteOptions {
  /** @param options.commitsKept how many commits a feed may be behind; undefined: the default */
  open(options: { commitsKept?: number }): Promise<Place>
}

const COMMITS_KEPT = 64

export function storageSuite(name: string, { open }: SuiteOptions): void {
  let place: Place
  let opened: Storage[] = []

  async function connect(): Promise<Storage> {
    const storage = await place.connect()
    opened.push(storage)
    return storage
  }

  async function emptyPlace(options: { commitsKept?: number } = {}): Promise<Storage> {
    await removePlace()
    place = await open(options)
    return connect()
  }

  async function removePlace(): Promise<void> {
    for (const storage of opened) await storage.close()
    opened = []
    await place.remove()
  }

  describe(`${name} keeps the contract of a storage`, () => {
    let storage: Storage

    beforeEach(async () => {
      place = await open({})
      storage = await connect()
    })
    afterEach(removePlace)

    describe('get and commit', () => {
      test('a key that was never written is absent', async () => {
        expect(await storage.get('a')).toBeUndefined()
      })

      test('what was committed is read with the revision of its commit, on every node', async () => {
        const revision = await write(storage, { a: 'one', b: 'two' })

        for (const node of [storage, await connect()]) {
          expect(await node.get('a')).toEqual({ value: Buffer.from('one'), revision })
          expect(await node.get('b')).toEqual({ value: Buffer.from('two'), revision })
        }
      })

      test('revisions are positive and rise with each commit of any node', async () => {
        const other = await connect()
        let last = 0
        for (let round = 0; round < 6; round += 1) {
          const revision = await write(round % 2 === 0 ? storage : other, { [`k${round}`]: 'v' })
          expect(revision).toBeGreaterThan(last)
          last = revision
        }
      })

      test('an overwritten key has the newer value and revision, its neighbours keep theirs', async () => {
        const first = await write(storage, { a: '1', b: '1' })
        const second = await write(storage, { a: '2' })

        expect(await storage.get('a')).toEqual({ value: Buffer.from('2'), revision: second })
        expect(await storage.get('b')).toEqual({ value: Buffer.from('1'), revision: first })
      })

      test('a deleted key is absent, and absent again to expect', async () => {
        await write(storage, { a: '1' })
        await remove(storage, 'a')

        expect(await storage.get('a')).toBeUndefined()
        expect(await storage.list('', { limit: 9 })).toEqual([])
        expect(await commit(storage, { expect: { a: 0 }, put: { a: '2' } })).toHaveProperty(
          'revision',
        )
      })

      test('deleting an absent key is a commit like any other', async () => {
        const before = await write(storage, { a: '1' })
        expect(revisionOf(await commit(storage, { delete: ['b'] }))).toBeGreaterThan(before)
      })

      test('a commit without changes checks its expectations all the same', async () => {
        const revision = await write(storage, { a: '1' })
        expect(await commit(storage, { expect: { a: revision, b: 0 } })).toHaveProperty('revision')
        expect(await commit(storage, { expect: { a: revision, b: 1 } })).toEqual({ conflict: 'b' })
      })

      test('values are opaque: empty, every byte, and the largest', async () => {
        const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
        const largest = Buffer.alloc(MAX_VALUE_BYTES, 0xa5)
        await storage.commit(change({ put: { empty: Buffer.alloc(0), everyByte, largest } }))

        expect((await storage.get('empty'))?.value).toEqual(Buffer.alloc(0))
        expect((await storage.get('everyByte'))?.value).toEqual(everyByte)
        expect((await storage.get('largest'))?.value.equals(largest)).toBe(true)
      })

      test('values belong to the caller as soon as commit has returned its promise', async () => {
        const value = Buffer.from('mine')
        const committed = storage.commit(change({ put: { a: value } }))
        value.fill(0)
        await committed
        const got = await storage.get('a')
        expect(got?.value.toString()).toBe('mine')
        got?.value.fill(0)
        expect((await storage.get('a'))?.value.toString()).toBe('mine')
      })
    })

    describe('conflicts', () => {
      test.each([
        ['absent, but expected at a revision', { b: 7 }],
        ['present, but expected to be absent', { a: 0 }],
        ['at a newer revision than expected', { a: 1 }],
      ])('a key that is %s refuses the whole commit and is named', async (_, expected) => {
        await write(storage, { a: '1' })
        const revision = await write(storage, { a: '2' })

        const result = await commit(storage, {
          expect: expected,
          put: { a: '3', c: '3' },
          delete: ['d'],
        })

        expect(result).toEqual({ conflict: Object.keys(expected)[0] })
        expect(await storage.get('a')).toEqual({ value: Buffer.from('2'), revision })
        expect(await storage.get('c')).toBeUndefined()
      })

      test('a key may be expected that the commit does not write', async () => {
        const revision = await write(storage, { guard: '1' })
        expect(
          await commit(storage, { expect: { guard: revision }, put: { a: '1' } }),
        ).toHaveProperty('revision')
        await write(storage, { guard: '2' })
        expect(await commit(storage, { expect: { guard: revision }, put: { a: '2' } })).toEqual({
          conflict: 'guard',
        })
      })

      test('of many that create one key at once, exactly one does', async () => {
        const nodes = [storage, await connect(), await connect()]
        const results = await Promise.all(
          Array.from({ length: 60 }, (_, index) =>
            commit(nodes[index % 3] ?? storage, { expect: { lock: 0 }, put: { lock: `${index}` } }),
          ),
        )
        const winners = [...results.entries()].filter(([, result]) => 'revision' in result)
        expect(winners).toHaveLength(1)
        expect((await storage.get('lock'))?.value.toString()).toBe(`${winners[0]?.[0]}`)
      })

      test('increments by compare-and-commit are never lost, over all nodes', async () => {
        const nodes = [storage, await connect(), await connect()]
        await Promise.all(nodes.flatMap((node) => [increment(node, 20), increment(node, 20)]))
        expect((await storage.get('counter'))?.value.toString()).toBe('120')
      })

      test('commits made at once are each refused or kept by themselves, in their order', async () => {
        const results = await Promise.all([
          commit(storage, { expect: { a: 0 }, put: { a: '1' } }),
          commit(storage, { expect: { a: 0 }, put: { a: '2', b: '2' } }),
          commit(storage, { expect: { b: 0 }, put: { b: '3' } }),
        ])
        expect(results.map((result) => 'conflict' in result)).toEqual([false, true, false])
        expect((await storage.get('a'))?.value.toString()).toBe('1')
        expect((await storage.get('b'))?.value.toString()).toBe('3')
      })
    })

    describe('list', () => {
      test('one level: records by their last segment, each folder once with its slash', async () => {
        await write(storage, names('a', 'b/1', 'b/2', 'b/c/3', 'b', 'd/e/f', 'z'))

        expect(await storage.list('', { limit: 99 })).toEqual(['a', 'b', 'b/', 'd/', 'z'])
        expect(await storage.list('b/', { limit: 99 })).toEqual(['1', '2', 'c/'])
        expect(await storage.list('d/', { limit: 99 })).toEqual(['e/'])
      })

      test('nothing lies below a record, an unknown folder, or half of a name', async () => {
        await write(storage, names('abc', 'abd/x'))
        expect(await storage.list('abc/', { limit: 9 })).toEqual([])
        expect(await storage.list('ab/', { limit: 9 })).toEqual([])
        expect(await storage.list('abd/x/', { limit: 9 })).toEqual([])
      })

      test('names come in the order of their UTF-8 bytes, a folder by its slash', async () => {
        const keys = [
          'a',
          'a b',
          'a-b',
          'a/x',
          'a0',
          'B',
          'é',
          '\u{ffff}',
          '\u{1f511}',
          '\u{e000}',
          '~',
        ]
        await write(storage, names(...keys))

        const expected = keys.map((key) => key.replace('/x', '/')).toSorted(byBytes)
        expect(await storage.list('', { limit: 99 })).toEqual(expected)
      })

      test('pages of any size make up the whole', async () => {
        const keys = Array.from(
          { length: 150 },
          (_, index) => `p/${index % 3 === 0 ? `f${index}/x` : index}`,
        )
        await write(storage, names(...keys, 'o', 'q'))
        const whole = await storage.list('p/', { limit: 1000 })
        expect(whole).toHaveLength(150)

        for (const limit of [1, 2, 7, 64, 149, 150, 151]) {
          expect(await pages(storage, 'p/', limit)).toEqual(whole)
        }
      })

      test('after: names strictly behind it, whether it exists or not', async () => {
        await write(storage, names('a', 'b', 'b-', 'b/1', 'b/2', 'b0', 'c'))
        const after = (name: string) => storage.list('', { after: name, limit: 99 })

        expect(await after('')).toEqual(['a', 'b', 'b-', 'b/', 'b0', 'c'])
        expect(await after('b')).toEqual(['b-', 'b/', 'b0', 'c'])
        expect(await after('b-')).toEqual(['b/', 'b0', 'c'])
        expect(await after('b/')).toEqual(['b0', 'c'])
        expect(await after('b/1')).toEqual(['b0', 'c'])
        expect(await after('aa')).toEqual(['b', 'b-', 'b/', 'b0', 'c'])
        expect(await after('c')).toEqual([])
        expect(await after('\u{10ffff}')).toEqual([])
      })

      test('large folders between small ones are listed once each', async () => {
        for (const folder of ['a', 'm', 'z']) {
          await write(
            storage,
            names(...Array.from({ length: 700 }, (_, index) => `${folder}/${index}`)),
          )
        }
        await write(storage, names('b', 'n/1', 'o/1', 'p'))
        expect(await storage.list('', { limit: 99 })).toEqual([
          'a/',
          'b',
          'm/',
          'n/',
          'o/',
          'p',
          'z/',
        ])
      })

      test('a folder goes with its last key', async () => {
        await write(storage, names('a/1', 'a/2'))
        await remove(storage, 'a/1')
        expect(await storage.list('', { limit: 9 })).toEqual(['a/'])
        await remove(storage, 'a/2')
        expect(await storage.list('', { limit: 9 })).toEqual([])
      })
    })

    describe('limits', () => {
      test.each([
        ['an empty key', ''],
        ['a key one byte too long', 'k'.repeat(MAX_KEY_BYTES + 1)],
        ['a key too long only in UTF-8', 'é'.repeat(MAX_KEY_BYTES / 2 + 1)],
        ['a key with NUL', 'a\0b'],
        ['a key that ends in a slash', 'a/'],
        ['a key with half a surrogate pair', 'a\ud800'],
      ])('%s is refused everywhere', async (_, key) => {
        await expect(storage.get(key)).rejects.toThrow(StorageLimit)
        await expect(commit(storage, { put: { [key]: '1' } })).rejects.toThrow(StorageLimit)
        await expect(commit(storage, { delete: [key] })).rejects.toThrow(StorageLimit)
        await expect(commit(storage, { expect: { [key]: 0 } })).rejects.toThrow(StorageLimit)
      })

      test('the longest key is kept', async () => {
        const key = `${'é'.repeat(MAX_KEY_BYTES / 2 - 1)}/x`
        await write(storage, { [key]: '1' })
        expect((await storage.get(key))?.value.toString()).toBe('1')
      })

      test('a value one byte too large, and nothing of its commit is written', async () => {
        const put = { a: Buffer.from('1'), b: Buffer.alloc(MAX_VALUE_BYTES + 1) }
        await expect(storage.commit(change({ put }))).rejects.toThrow(StorageLimit)
        expect(await storage.get('a')).toBeUndefined()
      })

      test('as many changes as allowed are one commit, one more is refused', async () => {
        const keys = Array.from({ length: MAX_CHANGES_PER_COMMIT }, (_, index) => `k${index}`)
        await write(storage, names(...keys))
        expect(await storage.list('', { limit: 9999 })).toHaveLength(MAX_CHANGES_PER_COMMIT)
        await expect(commit(storage, { put: { more: '1' }, delete: keys })).rejects.toThrow(
          StorageLimit,
        )
        expect(await storage.list('', { limit: 9999 })).toHaveLength(MAX_CHANGES_PER_COMMIT)
      })

      test('a commit too large as a whole', async () => {
        const value = Buffer.alloc(MAX_VALUE_BYTES)
        const put: Record<string, Buffer> = {}
        for (let bytes = 0; bytes <= MAX_COMMIT_BYTES; bytes += value.length)
          put[`k${bytes}`] = value
        await expect(storage.commit(change({ put }))).rejects.toThrow(StorageLimit)
      })

      test('a key that is both put and deleted', async () => {
        await expect(commit(storage, { put: { a: '1' }, delete: ['a'] })).rejects.toThrow(
          StorageLimit,
        )
      })

      test('a listing of half a name, or of nothing', async () => {
        await expect(storage.list('a', { limit: 1 })).rejects.toThrow(StorageLimit)
        await expect(storage.list('', { limit: 0 })).rejects.toThrow(StorageLimit)
        await expect(storage.list('', { limit: Number.NaN })).rejects.toThrow(StorageLimit)
      })
    })

    describe('watch', () => {
      test('nothing has changed until something does', async () => {
        await write(storage, { a: '1' })
        const feed = storage.watch()
        expect(feed.take()).toEqual([])
        expect(feed.take()).toEqual([])
      })

      test('puts and deletes of all nodes, own ones too, appear once, in order of revision', async () => {
        const other = await connect()
        const feed = storage.watch()
        const first = await write(storage, { a: '1', b: '1' })
        const second = await write(other, { b: '2' })
        const third = await remove(other, 'a')

        expect(sorted(feed.take())).toEqual([
          { key: 'a', revision: first },
          { key: 'b', revision: first },
          { key: 'b', revision: second },
          { key: 'a', revision: third },
        ])
        expect(feed.take()).toEqual([])
      })

      test('a change is in the very next take after its commit, on every node', async () => {
        const other = await connect()
        const feeds = [storage.watch(), other.watch()]
        for (let round = 0; round < 20; round += 1) {
          const revision = await write(round % 2 === 0 ? storage : other, { [`k${round}`]: '1' })
          for (const feed of feeds) expect(feed.take()).toEqual([{ key: `k${round}`, revision }])
        }
      })

      test('a refused commit changes nothing', async () => {
        const feed = storage.watch()
        await commit(storage, { expect: { a: 5 }, put: { a: '1' } })
        expect(feed.take()).toEqual([])
      })

      test('since: all that came after that revision', async () => {
        const first = await write(storage, { a: '1' })
        const second = await write(storage, { b: '1' })

        expect(storage.watch(0).take()).toEqual([
          { key: 'a', revision: first },
          { key: 'b', revision: second },
        ])
        expect(storage.watch(first).take()).toEqual([{ key: 'b', revision: second }])
        expect(storage.watch(second).take()).toEqual([])
      })

      test('since a revision that is yet to come is lost: it is of another storage', async () => {
        const feed = storage.watch((await write(storage, { a: '1' })) + 1)
        expect(feed.take()).toBe('lost')
        const revision = await write(storage, { b: '1' })
        expect(feed.take()).toEqual([{ key: 'b', revision }])
      })

      test('each feed stands on its own, and one that is closed does not disturb others', async () => {
        const early = storage.watch()
        const first = await write(storage, { a: '1' })
        const late = storage.watch()
        const second = await write(storage, { b: '1' })

        expect(late.take()).toEqual([{ key: 'b', revision: second }])
        late.close()
        expect(early.take()).toEqual([
          { key: 'a', revision: first },
          { key: 'b', revision: second },
        ])
      })

      test('a feed too far behind is lost once, then goes on from now', async () => {
        storage = await emptyPlace({ commitsKept: COMMITS_KEPT })
        const feed = storage.watch()
        for (let round = 0; round < COMMITS_KEPT * 4; round += 1)
          await write(storage, { a: `${round}` })

        expect(feed.take()).toBe('lost')
        expect(feed.take()).toEqual([])
        const revision = await write(storage, { b: '1' })
        expect(feed.take()).toEqual([{ key: 'b', revision }])
      })

      test('a feed that is behind, but not too far, misses nothing', async () => {
        storage = await emptyPlace({ commitsKept: COMMITS_KEPT })
        for (let round = 0; round < COMMITS_KEPT * 4; round += 1)
          await write(storage, { a: `${round}` })
        const feed = storage.watch()
        const written: Change[] = []
        for (let round = 0; round < COMMITS_KEPT; round += 1) {
          written.push({
            key: `k${round}`,
            revision: await write(storage, { [`k${round}`]: '1' }),
          })
        }
        expect(feed.take()).toEqual(written)
      })

      test('no change is missed or doubled while many nodes commit and take', async () => {
        const nodes = [storage, await connect(), await connect()]
        const feeds = nodes.map((node) => ({ feed: node.watch(), seen: new Array<Change>() }))
        const written = await Promise.all(
          Array.from({ length: 300 }, async (_, index) => {
            const key = `k${index}`
            const revision = await write(nodes[index % 3] ?? storage, { [key]: '1' })
            for (const { feed, seen } of feeds) seen.push(...kept(feed))
            return { key, revision }
          }),
        )
        const expected = sorted(written)
        for (const { feed, seen } of feeds) {
          seen.push(...kept(feed))
          expect(seen.map(({ revision }) => revision)).toEqual(
            expected.map(({ revision }) => revision),
          )
          expect(sorted(seen)).toEqual(expected)
        }
      })
    })

    describe('close', () => {
      test('commits that were under way are finished, and another node finds them', async () => {
        const other = await connect()
        const committed = Promise.all(
          Array.from({ length: 20 }, (_, index) => write(storage, { [`k${index}`]: '1' })),
        )
        await storage.close()
        await committed
        expect(await other.list('', { limit: 99 })).toHaveLength(20)
        await write(other, { more: '1' })
      })

      test('closing twice is closing once', async () => {
        await storage.close()
        await storage.close()
      })
    })

    test('any history of commits and listings is that of a trivial model', async () => {
      const key = fc
        .array(fc.constantFrom('a', 'b', 'é', '\u{1f511}', '\u{ffff}', '-', '0', 'ab'), {
          minLength: 1,
          maxLength: 4,
        })
        .map((segments) => segments.join('/'))
      const step = fc.record({
        expected: fc.array(key, { maxLength: 2 }),
        wrong: fc.boolean().chain((odd) => (odd ? fc.constantFrom(0, 1, -1) : fc.constant(0))),
        put: fc.array(key, { maxLength: 3 }),
        removed: fc.array(key, { maxLength: 3 }),
        listed: fc.option(key, { nil: undefined }),
        after: fc.option(key, { nil: undefined }),
        limit: fc.integer({ min: 1, max: 5 }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          storage = await emptyPlace()
          const model = new Map<string, { text: string; revision: number }>()
          for (const [
            index,
            { expected, wrong, put, removed, listed, after, limit },
          ] of steps.entries()) {
            const revisions = Object.fromEntries(
              expected.map((name) => [name, (model.get(name)?.revision ?? 0) + wrong]),
            )
            const deletes = removed.filter((name) => !put.includes(name))
            const result = await commit(storage, {
              expect: revisions,
              put: Object.fromEntries(put.map((name) => [name, `${index}`])),
              delete: deletes,
            })
            if (wrong !== 0 && expected.length > 0) {
              expect(result).toHaveProperty('conflict')
            } else {
              const revision = revisionOf(result)
              for (const name of put) model.set(name, { text: `${index}`, revision })
              for (const name of deletes) model.delete(name)
            }
            const prefix = listed === undefined ? '' : `${listed}/`
            const options = after === undefined ? { limit } : { after, limit }
            expect(await storage.list(prefix, options)).toEqual(
              modelList(model.keys(), prefix, options),
            )
          }
          for (const [name, { text, revision }] of model) {
            expect(await storage.get(name)).toEqual({ value: Buffer.from(text), revision })
          }
        }),
        { numRuns: 60 },
      )
    })
  })
}

interface PlainChange {
  readonly expect?: Readonly<Record<string, number>>
  readonly put?: Readonly<Record<string, string | Buffer>>
  readonly delete?: readonly string[]
}

function change(plain: PlainChange): Commit {
  const put = new Map<string, Buffer>()
  for (const [key, value] of Object.entries(plain.put ?? {})) {
    put.set(key, typeof value === 'string' ? Buffer.from(value) : value)
  }
  return {
    expect: new Map(Object.entries(plain.expect ?? {})),
    put,
    delete: new Set(plain.delete ?? []),
  }
}

function commit(storage: Storage, plain: PlainChange): Promise<CommitResult> {
  return storage.commit(change(plain))
}

/** Puts without expectations. @returns the revision */
export async function write(
  storage: Storage,
  put: Readonly<Record<string, string>>,
): Promise<number> {
  return revisionOf(await commit(storage, { put }))
}

async function remove(storage: Storage, key: string): Promise<number> {
  return revisionOf(await commit(storage, { delete: [key] }))
}

function revisionOf(result: CommitResult): number {
  if ('conflict' in result) throw new Error('the commit met a conflict')
  return result.revision
}

async function increment(storage: Storage, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const stored = await storage.get('counter')
    const result = await commit(storage, {
      expect: { counter: stored?.revision ?? 0 },
      put: { counter: `${Number(stored?.value.toString() ?? 0) + 1}` },
    })
    if ('revision' in result) done += 1
  }
}

async function pages(storage: Storage, prefix: string, limit: number): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    const last = all.at(-1)
    const page = await storage.list(prefix, last === undefined ? { limit } : { after: last, limit })
    all.push(...page)
    if (page.length < limit) return all
  }
}

function names(...keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, '1']))
}

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}

function kept(feed: Feed): readonly Change[] {
  const changes = feed.take()
  if (changes === 'lost') throw new Error('the feed was lost')
  return changes
}

/** By revision, then key: within a commit the order of keys is not promised. */
function sorted(changes: readonly Change[] | 'lost'): Change[] {
  if (changes === 'lost') throw new Error('the feed was lost')
  return changes.toSorted(
    (left, right) => left.revision - right.revision || byBytes(left.key, right.key),
  )
}

/** `list`, the slow and obvious way. */
function modelList(
  keys: Iterable<string>,
  prefix: string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): string[] {
  const found = new Set<string>()
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue
    const [first = '', ...rest] = key.slice(prefix.length).split('/')
    found.add(rest.length === 0 ? first : `${first}/`)
  }
  return [...found]
    .filter((name) => after === undefined || byBytes(name, after) > 0)
    .toSorted(byBytes)
    .slice(0, limit)
}

import { describe, expect, test } from 'vitest'
import { MemoryStorage } from '../storage/memory.ts'
import { AclCache, newPolicy, policyKey, policyRecords, type PolicyRecord } from './policies.ts'
import { plainStore } from './store/plain.fixture.ts'
import { Transaction } from './store/transaction.ts'
import { View } from './store/view.ts'

const ROOT = { id: 'root', path: '' }
const NOW = 1_000_000

/** Two nodes with a cache of compiled policies each. */
async function nodes(policies: Readonly<Record<string, string | Partial<PolicyRecord>>>) {
  const storage = new MemoryStorage()
  const stores = [plainStore(storage), plainStore(storage)] as const
  const caches = [new AclCache(), new AclCache()] as const
  const begin = (node: 0 | 1) => {
    stores[node].cache.refresh()
    const transaction = new Transaction(stores[node])
    return { transaction, root: new View(transaction, '') }
  }
  const put = async (
    name: string,
    text: string,
    more: Partial<PolicyRecord> = {},
    node: 0 | 1 = 0,
  ) => {
    const { transaction, root } = begin(node)
    root.put(policyRecords, policyKey('root', name), { ...newPolicy(name, text, 0), ...more })
    expect(await transaction.commit()).toBeUndefined()
  }
  for (const [name, text] of Object.entries(policies)) {
    if (typeof text === 'string') await put(name, text)
    else await put(name, text.text ?? '', text)
  }
  return {
    put,
    acl: (
      names: readonly string[],
      { node = 0, nowMs = NOW }: { node?: 0 | 1; nowMs?: number } = {},
    ) => caches[node].acl(begin(node).root, ROOT, names, nowMs),
  }
}

type Acl = Awaited<ReturnType<AclCache['acl']>>
const mayRead = (acl: Acl, path: string) =>
  acl.check({ operation: 'read', namespacePath: '', path }).allowed
const READ_A = 'path "a" { capabilities = ["read"] }'
const READ_B = 'path "b" { capabilities = ["read"] }'

test('a set of policies allows what each of them does', async () => {
  const { acl } = await nodes({ a: READ_A, b: READ_B })
  const both = await acl(['a', 'b'])
  expect([mayRead(both, 'a'), mayRead(both, 'b'), mayRead(both, 'c')]).toEqual([true, true, false])
})

test('it is compiled once, as long as none of them changes', async () => {
  const { acl, put } = await nodes({ a: READ_A, b: READ_B })
  const first = await acl(['a', 'b'])
  expect(await acl(['a', 'b'])).toBe(first)
  await put('other', READ_A)
  expect(await acl(['a', 'b'])).toBe(first)
  await put('b', READ_A, {}, 1)
  const then = await acl(['a', 'b'])
  expect(then).not.toBe(first)
  expect(mayRead(then, 'b')).toBe(false)
})

test('a policy that was not there counts from the moment it is', async () => {
  const { acl, put } = await nodes({})
  expect(mayRead(await acl(['a']), 'a')).toBe(false)
  await put('a', READ_A, {}, 1)
  expect(mayRead(await acl(['a']), 'a')).toBe(true)
  expect(mayRead(await acl(['a'], { node: 1 }), 'a')).toBe(true)
})

describe('a policy that ends', () => {
  test('allows nothing from that instant', async () => {
    const { acl } = await nodes({ a: { text: READ_A, expiresAtMs: NOW + 10 }, b: READ_B })
    expect(mayRead(await acl(['a', 'b'], { nowMs: NOW + 9 }), 'a')).toBe(true)
    const after = await acl(['a', 'b'], { nowMs: NOW + 10 })
    expect([mayRead(after, 'a'), mayRead(after, 'b')]).toEqual([false, true])
  })

  test('is compiled once before its end, and once after', async () => {
    const { acl } = await nodes({ a: { text: READ_A, expiresAtMs: NOW + 10 }, b: READ_B })
    const before = await acl(['a', 'b'])
    expect(before.expiresAtMs).toBe(NOW + 10)
    expect(await acl(['a', 'b'], { nowMs: NOW + 9 })).toBe(before)
    const after = await acl(['a', 'b'], { nowMs: NOW + 10 })
    expect(after).not.toBe(before)
    expect(after.expiresAtMs).toBe(Infinity)
    expect(await acl(['a', 'b'], { nowMs: NOW + 11 })).toBe(after)
  })

  test('allows again what it does when it is written anew', async () => {
    const { acl, put } = await nodes({ a: { text: READ_A, expiresAtMs: NOW - 1 } })
    expect(mayRead(await acl(['a']), 'a')).toBe(false)
    await put('a', READ_A)
    expect(mayRead(await acl(['a']), 'a')).toBe(true)
  })
})

test('names of nobody allow nothing, no names neither', async () => {
  const { acl } = await nodes({})
  for (const names of [[], ['nobody'], ['ROOT'], ['rooot']]) {
    const { allowed } = (await acl(names)).check({
      operation: 'read',
      namespacePath: '',
      path: 'sys/mounts',
    })
    expect([names, allowed]).toEqual([names, false])
  }
})

test('root allows everything, whatever a record of that name says', async () => {
  const { acl } = await nodes({ root: 'path "*" { capabilities = ["deny"] }' })
  expect(mayRead(await acl(['root']), 'anything')).toBe(true)
})

test('what opens a wrapping token is built in', async () => {
  const { acl } = await nodes({})
  const wrapping = await acl(['response-wrapping'])
  const check = (path: string) =>
    wrapping.check({ operation: 'update', namespacePath: '', path }).allowed
  expect([
    check('sys/wrapping/unwrap'),
    check('sys/wrapping/wrap'),
    check('auth/token/create'),
  ]).toEqual([true, false, false])
})

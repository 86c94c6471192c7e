import { expect, test } from 'vitest'
import { MemoryStorage } from '../storage/memory.ts'
import { newPolicy, policyKey, policyRecords } from './policies.ts'
import { endedPolicies, removeEndedPolicies, removePolicy, writePolicy } from './policy-ends.ts'
import { plainStore } from './store/plain.fixture.ts'
import { Transaction } from './store/transaction.ts'
import { View } from './store/view.ts'

const NOW = 1_000_000
const unexpected = (error: unknown) => {
  throw error
}
const WITNESS = { report: unexpected, tell: () => undefined }

/** A storage, and changes of it, each committed. */
function stored() {
  const storage = new MemoryStorage()
  const store = plainStore(storage)
  async function change<T>(work: (root: View) => Promise<T>): Promise<T> {
    store.cache.refresh()
    const transaction = new Transaction(store)
    const result = await work(new View(transaction, ''))
    expect(await transaction.commit()).toBeUndefined()
    return result
  }
  const write = (name: string, expiresAtMs: number | null, namespaceId = 'root') =>
    change((root) => writePolicy(root, namespaceId, { ...newPolicy(name, '', 0), expiresAtMs }))
  const ended = async (nowMs: number, namespaceId = 'root') => [
    ...(await change((root) => endedPolicies(root, namespaceId, nowMs))),
  ]
  const ends = () => storage.list('policy-end/', { limit: 1000 })
  return { storage, change, write, ended, ends }
}

test('a policy has ended from the instant of its end, and not before', async () => {
  const { write, ended } = stored()
  await write('a', NOW)
  await write('fraction', NOW + 0.5)
  await write('never', null)
  expect(await ended(NOW - 1)).toEqual([])
  expect(await ended(NOW)).toEqual(['a'])
  expect(await ended(NOW + 1)).toEqual(['a', 'fraction'])
})

test('its end is of its namespace, and its name may have folders and dots', async () => {
  const { write, ended } = stored()
  await write('team.x/a.b', NOW)
  await write('other', NOW, 'abcdef')
  expect(await ended(NOW)).toEqual(['team.x/a.b'])
  expect(await ended(NOW, 'abcdef')).toEqual(['other'])
})

test('who writes or removes a policy takes away the end that it had', async () => {
  const { change, write, ends } = stored()
  for (const name of ['again', 'forever', 'gone']) await write(name, NOW)
  await write('again', NOW + 1)
  await write('forever', null)
  await change((root) => removePolicy(root, 'root', 'gone'))
  expect(await ends()).toEqual(['000000001000001.root.again'])
})

test('more than a step takes are all removed, with their ends, and no others', async () => {
  const { change, write, ended, ends } = stored()
  for (let i = 0; i < 250; i++) await write(`p${i}`, NOW - 1)
  await write('later', NOW + 1)
  expect(await ended(NOW)).toHaveLength(250)

  const step = () => change((root) => removeEndedPolicies(root, NOW, WITNESS))
  expect([await step(), await step(), await step()]).toEqual([true, true, false])

  expect(await ends()).toEqual(['000000001000001.root.later'])
  expect(await ended(NOW)).toEqual([])
  const left = await change((root) => root.list('ns/root/policy/'))
  expect(left).toEqual(['later'])
})

test('an end that is older than the policy removes nothing but itself', async () => {
  const { change, write, ends } = stored()
  await write('a', NOW)
  await change(async (root) =>
    root.put(policyRecords, policyKey('root', 'a'), newPolicy('a', '', 0)),
  )
  await change((root) => removeEndedPolicies(root, NOW, WITNESS))
  expect(await ends()).toEqual([])
  expect(await change((root) => root.list('ns/root/policy/'))).toEqual(['a'])
})

import { expect, test } from 'vitest'
import { Arrivals } from './arrivals.ts'

test('requests of one turn begin after one refresh', async () => {
  const happened: string[] = []
  const arrivals = new Arrivals(() => happened.push('refresh'))
  const begun = ['a', 'b'].map(async (name) => {
    await arrivals.join()
    happened.push(name)
  })
  expect(happened).toEqual([])
  await Promise.all(begun)
  expect(happened).toEqual(['refresh', 'a', 'b'])
})

test('a request that arrives later has a refresh of its own', async () => {
  let refreshes = 0
  const arrivals = new Arrivals(() => refreshes++)
  await arrivals.join()
  await arrivals.join()
  expect(refreshes).toBe(2)
})

test('what the refresh fails with fails the requests of that turn, and none later', async () => {
  const failure = new Error('the storage is gone')
  let broken = true
  const arrivals = new Arrivals(() => {
    if (broken) throw failure
  })
  const begun = await Promise.allSettled([arrivals.join(), arrivals.join()])
  expect(begun.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  broken = false
  await arrivals.join()
})

import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('each takes its turn when those before it are through, in the order in which they came', async () => {
  const turns = new Turns()
  const order: string[] = []
  const first = await turns.take('k')
  const waiting = ['b', 'c', 'd'].map(async (name) => {
    const done = await turns.take('k')
    order.push(name)
    await Promise.resolve()
    done()
  })
  order.push('a')
  first()
  await Promise.all(waiting)
  expect(order).toEqual(['a', 'b', 'c', 'd'])
})

test('another record has turns of its own', async () => {
  const turns = new Turns()
  await turns.take('k')
  await turns.take('other')
})

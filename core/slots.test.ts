import { expect, test } from 'vitest'
import { Slots } from './slots.ts'

test('what was added and not removed is in it', () => {
  const slots = new Slots<string>()
  const a = slots.add('a')
  slots.add('b')
  slots.add('c')
  slots.remove(a)
  expect([...slots].sort()).toEqual(['b', 'c'])
  expect(slots.size).toBe(2)
})

test('a slot that was left is used again', () => {
  const slots = new Slots<string>()
  slots.remove(slots.add('a'))
  const slot = slots.add('b')
  expect(slots.add('c')).not.toBe(slot)
  expect([...slots].sort()).toEqual(['b', 'c'])
})

test('what is in it may be removed while one goes through it', () => {
  const slots = new Slots<{ slot: number }>()
  for (let i = 0; i < 3; i++) {
    const one = { slot: -1 }
    one.slot = slots.add(one)
  }
  for (const { slot } of slots) slots.remove(slot)
  expect(slots.size).toBe(0)
})

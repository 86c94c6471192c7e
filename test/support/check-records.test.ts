/** That what every test's transactions write is looked at (`check-records.ts`). */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { CorruptRecord } from '../../core/errors.ts'
import { plainStore } from '../../core/store/plain.fixture.ts'
import { kind, type Kind } from '../../core/store/kind.ts'
import { Transaction } from '../../core/store/transaction.ts'
import { MemoryStorage } from '../../storage/memory.ts'

const person = kind('person', z.object({ name: z.string().min(2), age: z.number().optional() }))

function put<T>(of: Kind<T>, value: T): void {
  new Transaction(plainStore(new MemoryStorage())).put(of, 'k', value)
}

test('a record that will be read as it was written is taken', () => {
  expect(() => put(person, { name: 'Ada', age: undefined })).not.toThrow()
})

test('a record that its kind would not read is refused', () => {
  expect(() => put(person, { name: 'A' })).toThrow(CorruptRecord)
  expect(() => put(person, { name: 'Ada', age: Number.NaN })).toThrow(CorruptRecord)
})

test('a record of which a part would be lost is refused', () => {
  const wide = { name: 'Ada', email: 'ada@example.com' }
  expect(() => put(person, wide)).toThrow('a record of kind "person" is not read as it was written')
})

import { expect, test } from 'vitest'
import { storageSuite, write } from './contract.suite.ts'
import { MemoryStorage } from './memory.ts'

storageSuite('memory', {
  async open(options) {
    const shared = new MemoryStorage(options)
    return { connect: async () => shared, remove: async () => {} }
  },
})

test('a node that closes leaves the storage to the others', async () => {
  const shared = new MemoryStorage()
  await write(shared, { a: '1' })
  await shared.close()
  expect((await shared.get('a'))?.value.toString()).toBe('1')
})

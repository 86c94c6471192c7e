import { expect, onTestFinished, test } from 'vitest'
import { StorageUnavailable, type Commit } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'

/** Commits of a secret fail as `fault` says: before they are made, or after, with their answer lost. */
class FailingStorage extends MemoryStorage {
  fault: 'none' | 'before' | 'before, unknown' | 'after, unknown' = 'none'

  override async commit(change: Commit) {
    const isSecret = [...change.put.keys()].some((key) => key.startsWith('mount/'))
    if (!isSecret) return super.commit(change)
    const outcomeUnknown = this.fault.endsWith('unknown')
    const failure = new StorageUnavailable('test: the connection is cut', { outcomeUnknown })
    if (this.fault.startsWith('before')) throw failure
    const result = await super.commit(change)
    if (this.fault.startsWith('after')) throw failure
    return result
  }
}

async function start(): Promise<{ cluster: Cluster; storage: FailingStorage }> {
  const storage = new FailingStorage()
  const cluster = await startCluster({ storage })
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/kv', { type: 'kv' })
  return { cluster, storage }
}

test.each([
  ['made', 'after, unknown', 200],
  ['not made', 'before, unknown', 404],
] as const)(
  'who writes is told that nobody knows, where the answer of the storage is lost and the change was %s',
  async (_what, fault, thenRead) => {
    const { cluster, storage } = await start()

    storage.fault = fault
    const answer = await cluster.write('kv/a', { v: '1' })
    storage.fault = 'none'

    expect(answer).toMatchObject({
      status: 503,
      errors: [
        "it is not known whether the change was made: the storage's answer to it was lost; look whether it took effect before trying again",
      ],
    })
    expect(answer.headers).not.toHaveProperty('Retry-After')
    expect(cluster.failures).toEqual([expect.any(StorageUnavailable)])
    for (const node of [0, 1]) {
      expect((await cluster.read('kv/a', { node })).status).toBe(thenRead)
    }
  },
)

test('who writes may try again at once where the storage has surely not written', async () => {
  const { cluster, storage } = await start()

  storage.fault = 'before'
  const answer = await cluster.write('kv/a', { v: '1' })
  storage.fault = 'none'

  expect(answer).toMatchObject({
    status: 503,
    headers: { 'Retry-After': '1' },
    errors: ['the storage cannot serve this request now; the server log says why'],
  })
  expect((await cluster.read('kv/a')).status).toBe(404)
})

import { expect, onTestFinished, test } from 'vitest'
import { startCluster } from '../test/support/kit.ts'
import { inStorage } from '../test/support/records.ts'
import { noteRelease } from './version-history.ts'

test('a release is noted once, by when the storage first saw it; a later one joins', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  const note = (version: string, nowMs: number) =>
    inStorage(cluster, (root) => noteRelease(root, version, nowMs))
  const [first] = await note('9.0.0', 1000)
  expect(first).toBeDefined()

  await note('9.0.0', 2000)

  expect(await note('9.1.0', 3000)).toEqual([
    first,
    { version: '9.0.0', firstSeenAtMs: 1000 },
    { version: '9.1.0', firstSeenAtMs: 3000 },
  ])
})

test('each node tells the same history, whenever it started', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  const one = await cluster.list('sys/version-history', { node: 0 })
  cluster.clock.advance('1h')

  expect((await cluster.list('sys/version-history', { node: 1 })).data).toEqual(one.data)
})

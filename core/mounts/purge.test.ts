import { expect, onTestFinished, test } from 'vitest'
import { startCluster } from '../../test/support/kit.ts'
import { inStorage, keysBelow } from '../../test/support/records.ts'
import { purgeUnmounted } from './purge.ts'
import { mountPrefix } from './record.ts'

/** More than one step removes. */
const VALUES = 501

test('all that a removed mount held goes step by step, and nothing of the other mounts', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  const uuids: string[] = []
  for (const at of ['gone', 'kept']) {
    await cluster.write(`sys/mounts/${at}`, { type: 'kv' })
    uuids.push(String((await cluster.read(`sys/mounts/${at}`)).data['uuid']))
    await cluster.write(`${at}/a/b/c`, { v: '1' })
  }
  for (let i = 1; i < VALUES; i++) await cluster.write(`gone/a/${i}`, { v: '1' })
  const held = async () => {
    const counts: number[] = []
    for (const uuid of uuids) counts.push((await keysBelow(cluster, mountPrefix(uuid))).length)
    return counts
  }
  expect(await held()).toEqual([VALUES, 1])

  await cluster.remove('sys/mounts/gone')

  const unread = (error: unknown) => {
    throw error
  }
  const steps: boolean[] = []
  do
    steps.push(
      await inStorage(cluster, (root) => purgeUnmounted(root, cluster.clock.nowMs(), unread)),
    )
  while (steps.at(-1))
  expect(steps).toEqual([true, true, false])
  expect(await held()).toEqual([0, 1])
  expect(await keysBelow(cluster, 'purge/')).toEqual([])
  expect((await cluster.read('kept/a/b/c')).data).toEqual({ v: '1' })
})

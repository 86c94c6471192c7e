import { expect, test } from 'vitest'
import { startPluginCluster, TALLY } from './tally.fixture.ts'

test('the engine of the page works as an external plugin, on every node', async () => {
  const cluster = await startPluginCluster()
  cluster.put({ 'tally.ts': TALLY })
  await cluster.register('tally.ts', { version: '1.0.0' })
  expect((await cluster.write('sys/mounts/tally', { type: 'tally' })).status).toBe(204)

  expect((await cluster.write('tally/visits')).data).toEqual({ count: 1 })
  expect((await cluster.write('tally/visits', { by: '4' })).data).toEqual({ count: 5 })
  expect((await cluster.read('tally/visits')).data).toEqual({ count: 5 })
  expect((await cluster.list('tally')).data).toEqual({ keys: ['visits'] })
  expect((await cluster.remove('tally/visits')).status).toBe(204)
  expect((await cluster.read('tally/visits')).status).toBe(404)
  expect(cluster.failures).toEqual([])
})

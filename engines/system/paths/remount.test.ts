import { expect, onTestFinished, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'
import { inStorage } from '../../../test/support/records.ts'
import { moves, movesKey } from './remount.ts'

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  return cluster
}

/** @returns the id of the move */
async function move(cluster: Cluster, from: string, to: string): Promise<string> {
  return String((await cluster.write('sys/remount', { from, to })).data['migration_id'])
}

test.each(['a//b', '../b', 'a/./b', 'a\u0000b', 'a\u200bb'])(
  'a mount is not moved to where no request can reach it: %j',
  async (to) => {
    const cluster = await start()
    await cluster.write('sys/mounts/app', { type: 'kv' })

    expect(await cluster.write('sys/remount', { from: 'app', to })).toMatchObject({ status: 400 })
    expect((await cluster.read('sys/mounts/app')).status).toBe(200)
  },
)

test.each([
  ['app', 'x/tune'],
  ['app', 'x/y/tune/'],
  ['auth/approle', 'auth/x/tune'],
])('%s is not moved to %s, which is read as the tuning of another mount', async (from, to) => {
  const cluster = await start()
  await cluster.write('sys/mounts/app', { type: 'kv' })
  await cluster.write('sys/auth/approle', { type: 'approle' })

  const refused = await cluster.write('sys/remount', { from, to })

  expect([refused.status, refused.errors]).toEqual([
    400,
    [expect.stringContaining('\'to\' must not end in the segment "tune"')],
  ])
})

test.each([
  ['app', 'tune', 'sys/mounts/tune'],
  ['app', 'x/tuned', 'sys/mounts/x/tuned'],
  ['auth/approle', 'auth/tune', 'sys/auth/tune'],
])('%s is moved to %s and found there', async (from, to, shown) => {
  const cluster = await start()
  await cluster.write('sys/mounts/app', { type: 'kv' })
  await cluster.write('sys/auth/approle', { type: 'approle' })

  await move(cluster, from, to)

  expect((await cluster.read(shown)).status).toBe(200)
  expect((await cluster.remove(shown)).status).toBe(204)
  expect((await cluster.read(shown)).status).toBe(400)
})

test('of two mounts that are moved to one path at once, one stays', async () => {
  const cluster = await start()
  for (const at of ['one', 'two']) await cluster.write(`sys/mounts/${at}`, { type: 'kv' })

  const answers = await Promise.all(
    ['one', 'two'].map((from, node) =>
      cluster.write('sys/remount', { from, to: from === 'one' ? 'there' : 'there/in' }, { node }),
    ),
  )

  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400])
})

test('how a move went is told for a day', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/app', { type: 'kv' })
  const id = await move(cluster, 'app', 'other')
  const status = async () => (await cluster.read(`sys/remount/status/${id}`)).status

  expect(await status()).toBe(200)
  cluster.clock.advance('23h59m')
  expect(await status()).toBe(200)
  cluster.clock.advance('1m')
  expect(await status()).toBe(404)
})

test('of the moves of a namespace the last thousand are kept, in one record', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/m0', { type: 'kv' })
  const ids: string[] = []
  for (let i = 0; i < 1001; i++) ids.push(await move(cluster, `m${i}`, `m${i + 1}`))
  const status = async (id = '') => (await cluster.read(`sys/remount/status/${id}`)).status

  expect([await status(ids[0]), await status(ids[1]), await status(ids[1000])]).toEqual([
    404, 200, 200,
  ])
  cluster.clock.advance('25h')
  await move(cluster, 'm1001', 'm0')
  expect(await keptMoves(cluster)).toBe(1)
})

/** Moves that the record holds. */
function keptMoves(cluster: Cluster): Promise<number | undefined> {
  return inStorage(cluster, async (root) => (await root.get(moves, movesKey('root')))?.length)
}

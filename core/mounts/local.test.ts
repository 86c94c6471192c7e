import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { path } from '../plugin/path.ts'
import type { LocalMount } from '../plugin/local.ts'
import type { PluginType } from '../plugin/plugin.ts'
import type { RequestBase } from '../plugin/request.ts'
import { kind } from '../store/kind.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { putMount } from '../../test/support/records.ts'

const notes = kind('note', z.object({ text: z.string() }).readonly())
const seen: LocalMount[] = []

async function note({ local }: RequestBase, text: string): Promise<void> {
  await local.transact(async ({ storage }) => {
    const before = await storage.get(notes, 'note')
    storage.put(notes, 'note', { text: (before?.text ?? '') + text })
  })
}

/** Writes beside its requests, at once or later. */
const gathering: PluginType = {
  type: 'gathering',
  kind: 'secret',
  help: 'For tests.',
  create: () => ({
    paths: [
      path('note', {
        summary: 'What was noted',
        operations: {
          async read({ storage }) {
            return { data: { text: (await storage.get(notes, 'note'))?.text ?? '' } }
          },
        },
      }),
      path('now', {
        summary: 'Notes, and fails',
        operations: {
          async update(request) {
            seen.push(request.local)
            await note(request, 'now ')
            throw new Error('too late')
          },
        },
      }),
      path('later', {
        summary: 'Has it noted later',
        operations: {
          update(request) {
            request.local.defer(() => note(request, 'later '))
          },
        },
      }),
      path('broken', {
        summary: 'Has something done that fails',
        operations: {
          update({ local }) {
            local.defer(() => Promise.reject(new Error('broken')))
          },
        },
      }),
    ],
  }),
}

async function started(): Promise<Cluster> {
  const cluster = await startCluster({ plugins: [gathering] })
  onTestFinished(() => cluster.close())
  await putMount(cluster, { path: 'g/', type: 'gathering' })
  return cluster
}

const noted = async (cluster: Cluster) => (await cluster.read('g/note')).data['text']
const drained = (cluster: Cluster) => Promise.all(cluster.nodes.map((node) => node.drain()))

test('a transaction of its own is kept whatever becomes of the request', async () => {
  const cluster = await started()
  expect((await cluster.write('g/now', {}, { node: 0 })).status).toBe(500)
  expect((await cluster.write('g/now', {}, { node: 0 })).status).toBe(500)
  expect(await noted(cluster)).toBe('now now ')
  const [first, second] = seen.splice(0)
  expect(first).toBe(second)
})

test('what is deferred is done once, within a minute, at each node', async () => {
  const cluster = await started()
  await cluster.write('g/later', {}, { node: 0 })
  await cluster.write('g/later', {}, { node: 1 })
  expect(await noted(cluster)).toBe('')
  cluster.clock.advance('59s')
  expect(await noted(cluster)).toBe('')
  cluster.clock.advance('1s')
  await expect.poll(() => noted(cluster)).toBe('later later ')
  cluster.clock.advance('1m')
  await drained(cluster)
  expect(await noted(cluster)).toBe('later later ')
})

test('a node that closes in order does it before', async () => {
  const cluster = await started()
  await cluster.write('g/later', {}, { node: 0 })
  await cluster.nodes[0]?.drain()
  cluster.nodes[0]?.close()
  expect((await cluster.read('g/note', { node: 1 })).data['text']).toBe('later ')
})

test('one that is sealed does it no more', async () => {
  const cluster = await started()
  await cluster.write('g/later', {}, { node: 0 })
  cluster.nodes[0]?.close()
  await cluster.nodes[0]?.drain()
  cluster.clock.advance('1m')
  expect((await cluster.read('g/note', { node: 1 })).data['text']).toBe('')
})

test('what fails is reported, and holds up nothing else', async () => {
  const cluster = await started()
  for (const name of ['broken', 'later']) await cluster.write(`g/${name}`, {}, { node: 0 })
  await drained(cluster)
  expect(await noted(cluster)).toBe('later ')
  expect(cluster.failures).toEqual([new Error('broken')])
})

import { expect, test } from 'vitest'
import { z } from 'zod'
import { BadRequest } from '../errors.ts'
import { kind } from '../store/kind.ts'
import { string } from './fields.ts'
import { path } from './path.ts'
import type { PluginType } from './plugin.ts'
import { testMount } from './testing.ts'

const texts = kind('text', z.object({ text: z.string() }).readonly())
const fields = { name: string('Name.').required(), text: string('Text.').default('') }

const engine: PluginType = {
  type: 'texts',
  kind: 'secret',
  help: '',
  create: ({ version }) => ({
    paths: [
      path('a/:name', {
        summary: '',
        fields,
        exists: async ({ storage, data }) => (await storage.get(texts, data.name)) !== undefined,
        operations: {
          read: async ({ storage, data }) => ({
            data: { ...(await storage.get(texts, data.name)) },
          }),
          create: ({ storage, data }) => {
            storage.put(texts, data.name, { text: data.text })
            return { data: { made: true } }
          },
          update({ storage, data }) {
            storage.put(texts, data.name, { text: data.text })
            if (data.text === '') throw new BadRequest('empty')
            return { data: { made: false } }
          },
        },
      }),
      path('', {
        summary: '',
        operations: {
          async list({ storage }) {
            storage.put(texts, 'of/this/request', { text: '' })
            return { data: { keys: await storage.list(''), version } }
          },
        },
      }),
    ],
    initialize: async ({ storage }) => storage.put(texts, 'first', { text: '' }),
    periodic: async ({ storage, nowMs }) => {
      storage.delete('first')
      return nowMs === 1
    },
  }),
}

test('it tells create from update, as the server does', async () => {
  const mount = testMount(engine)

  expect(await mount.request('update', 'a/b', { text: 'x' })).toEqual({ data: { made: true } })
  expect(await mount.request('update', 'a/b', { text: 'y' })).toEqual({ data: { made: false } })
  expect(await mount.request('read', 'a/b')).toEqual({ data: { text: 'y' } })
})

test('what a handler wrote that then throws is not kept', async () => {
  const mount = testMount(engine)
  await mount.request('update', 'a/b', { text: 'x' })

  await expect(mount.request('update', 'a/b', {})).rejects.toThrow(BadRequest)
  expect(await mount.request('read', 'a/b')).toEqual({ data: { text: 'x' } })
})

test('a list shows folders, and what the request itself wrote', async () => {
  const mount = testMount(engine, { version: '2' })

  expect(await mount.request('list', '')).toEqual({ data: { keys: ['of/'], version: '2' } })
})

test('the hooks of a mount keep what they write', async () => {
  const mount = testMount(engine)
  await mount.initialize()
  expect(mount.keys).toEqual(['first'])
  expect(await mount.periodic({ nowMs: 1 })).toBe(true)
  expect(mount.keys).toEqual([])
  expect(await mount.renew({})).toBeUndefined()
})

test('a path or operation that is not there is told', async () => {
  const mount = testMount(engine)

  await expect(mount.request('read', 'none/at/all')).rejects.toThrow('no path is like')
  await expect(mount.request('delete', 'a/b')).rejects.toThrow('unsupported operation')
})

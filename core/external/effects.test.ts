/** What external plugins do in other systems: leases, renewals, and effects that no crash orphans. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startPluginCluster, type PluginCluster } from './tally.fixture.ts'

/** Another system, which has accounts by name; it answers when a test lets it. */
class Accounts {
  readonly names = new Set<string>()
  before: (method: string) => Promise<void> | void = () => undefined
  /** Requests whose client went away before they were answered. */
  givenUp = 0
  #port = 0

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      response.on('close', () => {
        if (!response.writableFinished) this.givenUp++
      })
      void Promise.resolve(this.before(request.method ?? '')).then(() => {
        const name = (request.url ?? '').slice(1)
        if (request.method === 'PUT') this.names.add(name)
        else this.names.delete(name)
        response.end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    this.#port = (server.address() as AddressInfo).port
  }

  get plugin(): string {
    return `
import { duration, kind, path, string, z } from 'keyhold/plugin'
const notes = kind('note', z.object({ text: z.string() }))
const ask = async (method, name, signal) => {
  const answer = await fetch('http://127.0.0.1:${this.#port}/' + name, { method, signal })
  await answer.text()
}
const secret = (type, internal, ttl) => ({ type, internal, ttlSeconds: ttl, maxTtlSeconds: 0, renewable: type === 'account' })
export default {
  type: 'accounts',
  kind: 'secret',
  help: '',
  create: () => ({
    effects: {
      account: {
        undo: ({ signal }, { name }) => ask('DELETE', name, signal),
        renew: async (request, { internal }) => internal.name.startsWith('fixed')
          ? { refused: 'it is fixed' } : { ttlSeconds: 7200, maxTtlSeconds: 0 },
      },
      note: { removed({ storage }, { id }) { storage.delete('notes/' + id) } },
    },
    paths: [
      path('creds/:role', {
        summary: 'An account',
        fields: { role: string('Role.').required(), ttl: duration('Span.').default(0) },
        operations: {
          read({ data, random }) {
            const name = data.role + '-' + random.base62(8)
            return { effect: { type: 'account', internal: { name }, leased: true, async act(signal) {
              await ask('PUT', name, signal)
              if (data.role === 'crash') process.exit(1)
              return ({ storage }) => {
                storage.put(notes, 'made/' + name, { text: name })
                return { data: { name }, secret: secret('account', { name }, data.ttl) }
              }
            } } }
          },
        },
      }),
      path('note', {
        summary: 'A note',
        operations: { read({ storage, random }) {
          const id = random.uuid()
          storage.put(notes, 'notes/' + id, { text: 'x' })
          return { data: { id }, secret: secret('note', { id }, 0) }
        } },
      }),
      path('names', {
        summary: 'What is stored',
        operations: { read: async ({ storage }) => ({ data: { notes: await storage.list('notes/'), made: await storage.list('made/') } }) },
      }),
    ],
  }),
}
`
  }
}

async function start(): Promise<{ cluster: PluginCluster; accounts: Accounts }> {
  const accounts = new Accounts()
  await accounts.start()
  const cluster = await startPluginCluster()
  cluster.put({ 'accounts.mjs': accounts.plugin })
  await cluster.register('accounts.mjs', { version: 'v1.0.0' })
  expect((await cluster.write('sys/mounts/acc', { type: 'accounts' })).status).toBe(204)
  return { cluster, accounts }
}

const round = async (cluster: PluginCluster) => {
  for (const node of cluster.nodes) await node.runDuties()
}

test('a secret made elsewhere has a lease, is renewed, and is undone when that is revoked', async () => {
  const { cluster, accounts } = await start()

  const read = await cluster.read('acc/creds/app?ttl=1h')
  const lease = String(read.json['lease_id'])
  expect(read.json).toMatchObject({ lease_duration: 3600, renewable: true })
  expect([...accounts.names]).toEqual([read.data['name']])
  expect((await cluster.read('acc/names')).data).toMatchObject({ made: [read.data['name']] })

  const renewed = await cluster.write('sys/leases/renew', { lease_id: lease })
  expect(renewed.json).toMatchObject({ lease_duration: 7200 })
  expect((await cluster.write('sys/leases/revoke', { lease_id: lease })).status).toBe(204)
  expect(accounts.names.size).toBe(0)
  expect(cluster.failures).toEqual([])
})

test('what the plugin refuses to renew is not renewed', async () => {
  const { cluster } = await start()
  const lease = (await cluster.read('acc/creds/fixed')).json['lease_id']

  const refused = await cluster.write('sys/leases/renew', { lease_id: lease })

  expect(refused).toMatchObject({ status: 400, errors: ['it is fixed'] })
})

test('a secret of the storage alone is removed with its lease', async () => {
  const { cluster } = await start()
  const read = await cluster.read('acc/note')
  expect((await cluster.read('acc/names')).data['notes']).toEqual([read.data['id']])

  await cluster.write('sys/leases/revoke', { lease_id: read.json['lease_id'] })

  expect((await cluster.read('acc/names')).data['notes']).toEqual([])
})

test('what a plugin had done when its process ended is undone', async () => {
  const { cluster, accounts } = await start()

  const crashed = await cluster.read('acc/creds/crash')
  expect(crashed.status).toBe(500)
  expect(accounts.names.size).toBe(1)
  for (let i = 0; i < 5; i++) {
    cluster.clock.advance('10m')
    await round(cluster)
  }

  expect(accounts.names.size).toBe(0)
})

test('what takes too long is given up, which the plugin is told', async () => {
  const { cluster, accounts } = await start()
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>()
  accounts.before = (method) => {
    if (method === 'DELETE') return undefined
    isAsked()
    return new Promise(() => undefined)
  }
  const reading = cluster.read('acc/creds/app')
  await asked
  cluster.clock.advance('91s')

  expect((await reading).status).toBe(504)
  await vi.waitFor(() => expect(accounts.givenUp).toBe(1))
  // Its process goes on.
  expect((await cluster.read('acc/names', { node: 0 })).status).toBe(200)
})

test('while the plugin cannot run its leases wait, and the reason is told', async () => {
  const { cluster, accounts } = await start()
  const lease = (await cluster.read('acc/creds/app')).json['lease_id']
  cluster.put({ 'accounts.mjs': 'changed' })
  await cluster.write('sys/plugins/reload/backend', { plugin: 'accounts' })

  const refused = await cluster.write('sys/leases/revoke', { lease_id: lease })
  expect(refused.status).toBe(400)
  expect(refused.errors[0]).toContain('its SHA-256 differs')
  expect(accounts.names.size).toBe(1)

  cluster.put({ 'accounts.mjs': accounts.plugin })
  for (let i = 0; i < 5; i++) {
    cluster.clock.advance('10m')
    await round(cluster)
  }
  await vi.waitFor(() => expect(accounts.names.size).toBe(0))
})

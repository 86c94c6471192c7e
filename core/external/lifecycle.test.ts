/** External plugins from their registration to their end: versions, pins, reloads, hooks, and methods to log in. */
import { expect, test } from 'vitest'
import { pluginFiles } from '../../cmd/cli/plugin-template.ts'
import { mounted, pluginOf, startPluginCluster, type PluginCluster } from './tally.fixture.ts'

const says = (text: string) => pluginOf(`read: () => ({ data: { says: '${text}' } })`)

/** Version 1.0.0 is mounted; 2.0.0 is registered beside it. */
async function withTwoVersions(): Promise<PluginCluster> {
  const cluster = await mounted(says('one'))
  cluster.put({ 'tried-2.mjs': says('two') })
  await cluster.register('tried-2.mjs', { name: 'tried', version: '2.0.0' })
  return cluster
}

const says2 = async (cluster: PluginCluster) => [
  (await cluster.read('at/a')).data['says'],
  (await cluster.read('at/a')).data['says'],
]

test('the catalog has built-in and external plugins with their versions and digests', async () => {
  const cluster = await withTwoVersions()

  const { data } = await cluster.read('sys/plugins/catalog')
  const newest = await cluster.read('sys/plugins/catalog/secret/tried')
  const older = await cluster.read('sys/plugins/catalog/secret/tried?version=v1.0.0')

  expect(data['secret']).toEqual(expect.arrayContaining(['kv', 'transit', 'tried']))
  expect(data['detailed']).toContainEqual({
    type: 'secret',
    name: 'tried',
    version: 'v1.0.0',
    builtin: false,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  expect(newest.data).toMatchObject({ version: 'v2.0.0', command: 'tried-2.mjs', builtin: false })
  expect(older.data).toMatchObject({ version: 'v1.0.0', command: 'tried.mjs', args: [] })
  expect((await cluster.list('sys/plugins/catalog/secret')).data).toEqual({
    keys: expect.arrayContaining(['kv', 'transit', 'tried']),
  })
})

test('a mount has the newest version of its day, and shows which one serves it', async () => {
  const cluster = await withTwoVersions()
  await cluster.write('sys/mounts/new', { type: 'tried' })
  await cluster.write('sys/mounts/old', { type: 'tried', plugin_version: '1.0.0' })

  const { data } = await cluster.read('sys/mounts')

  expect(data).toMatchObject({
    'at/': { plugin_version: 'v1.0.0', running_plugin_version: 'v1.0.0' },
    'new/': { plugin_version: 'v2.0.0', running_plugin_version: 'v2.0.0' },
    'old/': { plugin_version: 'v1.0.0' },
  })
  expect((await cluster.read('new/a')).data).toEqual({ says: 'two' })
  expect((await cluster.read('old/a')).data).toEqual({ says: 'one' })
})

test('tuning gives a mount another version, on every node with the next request', async () => {
  const cluster = await withTwoVersions()
  expect(await says2(cluster)).toEqual(['one', 'one'])

  expect((await cluster.write('sys/mounts/at/tune', { plugin_version: 'v2.0.0' })).status).toBe(204)

  expect(await says2(cluster)).toEqual(['two', 'two'])
})

test('a version that does not run here is refused when a mount is tuned to it', async () => {
  const cluster = await withTwoVersions()
  cluster.put({ 'tried-2.mjs': 'changed' })

  const tuned = await cluster.write('sys/mounts/at/tune', { plugin_version: 'v2.0.0' })

  expect(tuned.status).toBe(500)
  expect(tuned.errors[0]).toContain('its SHA-256 differs')
  expect(await says2(cluster)).toEqual(['one', 'one'])
})

test('a pin serves all mounts, whatever they are tuned to, until it is removed', async () => {
  const cluster = await withTwoVersions()

  await cluster.write('sys/plugins/pins/secret/tried', { version: '2.0.0' })

  expect(await says2(cluster)).toEqual(['two', 'two'])
  expect((await cluster.read('sys/plugins/pins/secret/tried')).data).toEqual({
    type: 'secret',
    name: 'tried',
    version: 'v2.0.0',
  })
  expect((await cluster.read('sys/plugins/pins')).data).toEqual({
    pinned_versions: [{ type: 'secret', name: 'tried', version: 'v2.0.0' }],
  })
  expect((await cluster.read('sys/mounts/at')).data).toMatchObject({
    plugin_version: 'v1.0.0',
    running_plugin_version: 'v2.0.0',
  })
  const other = await cluster.write('sys/mounts/at/tune', { plugin_version: 'v1.0.0' })
  expect(other.errors).toEqual(['the plugin tried is pinned to v2.0.0: remove the pin first'])
  const removed = await cluster.remove('sys/plugins/catalog/secret/tried?version=v2.0.0')
  expect(removed.errors[0]).toContain('is pinned to this version')

  await cluster.remove('sys/plugins/pins/secret/tried')
  expect(await says2(cluster)).toEqual(['one', 'one'])
  expect((await cluster.read('sys/plugins/pins/secret/tried')).status).toBe(404)
})

test('requests under way end in the old process, and none is lost, while a plugin is upgraded under load', async () => {
  const slow = (says: string) =>
    pluginOf(`async update({ storage, data }) {
      const count = Number((await storage.get(records, 'count'))?.text ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, 5))
      storage.put(records, 'count', { text: String(count) })
      return { data: { says: '${says}', pid: process.pid } }
    }, read: async ({ storage }) => ({ data: await storage.get(records, 'count') })`)
  const cluster = await mounted(slow('one'))
  const seen = new Set<unknown>()
  let sent = 0
  let going = true
  const load = Array.from({ length: 4 }, async () => {
    while (going) {
      sent++
      const answer = await cluster.write('at/a')
      expect([answer.status, answer.errors]).toEqual([200, []])
      seen.add(answer.data['says'])
    }
  })
  const until = async (text: string) => {
    while (!seen.has(text)) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await until('one')
  cluster.put({ 'tried.mjs': slow('two') })
  await cluster.register('tried.mjs', { version: 'v1.0.0' })
  await until('two')
  await cluster.write('sys/plugins/reload/backend', { mounts: ['at'] })
  cluster.put({ 'tried-3.mjs': slow('three') })
  await cluster.register('tried-3.mjs', { name: 'tried', version: 'v3.0.0' })
  await cluster.write('sys/mounts/at/tune', { plugin_version: 'v3.0.0' })
  await until('three')
  going = false
  await Promise.all(load)

  expect((await cluster.read('at/a')).data).toEqual({ text: String(sent) })
  expect(cluster.failures).toEqual([])
})

test('one process of a version serves all its mounts', async () => {
  const cluster = await mounted(pluginOf('read: () => ({ data: { pid: process.pid } })'), {
    nodes: 1,
  })
  await cluster.write('sys/mounts/other', { type: 'tried' })

  expect((await cluster.read('other/a')).data).toEqual((await cluster.read('at/a')).data)
})

test('a reload starts another process, and the old one ends when its calls are over', async () => {
  const cluster = await mounted(pluginOf('read: () => ({ data: { pid: process.pid } })'), {
    nodes: 1,
  })
  const before = (await cluster.read('at/a')).data['pid']

  const reloaded = await cluster.write('sys/plugins/reload/backend', { plugin: 'tried' })
  const after = (await cluster.read('at/a')).data['pid']

  expect(reloaded.data['reload_id']).toBe(reloaded.json['request_id'])
  expect(after).not.toBe(before)
  expect((await cluster.read('at/a')).data['pid']).toBe(after)
})

test.each([
  ['a database', 'database/tried', {}, 'external database plugins are not supported'],
  ['what is built in', 'secret/kv', {}, '"kv" is built in'],
  ['a path', 'secret/tried', { command: '../tried.mjs' }, 'command must be the name of a file'],
  [
    'an absolute path',
    'secret/tried',
    { command: '/bin/sh' },
    'command must be the name of a file',
  ],
  ['a short digest', 'secret/tried', { sha256: 'abcd' }, 'sha256 must be 64 digits in hex'],
  ['no version', 'secret/tried', { version: 'new' }, 'version must be a semantic version'],
  ['an image', 'secret/tried', { oci: true }, 'oci is not supported'],
  ['an environment without values', 'secret/tried', { env: ['CANARY'] }, 'must be NAME=value'],
  ['options for Node', 'secret/tried', { env: ['NODE_OPTIONS=--CANARY'] }, 'no NODE_*'],
  ['a library', 'secret/tried', { env: ['LD_PRELOAD=CANARY'] }, 'no NODE_*, LD_*'],
])('%s cannot be registered', async (_what, at, body, text) => {
  const cluster = await startPluginCluster({ nodes: 1 })
  const given = { command: 'tried.mjs', sha256: 'a'.repeat(64), version: 'v1.0.0', ...body }

  const { status, errors } = await cluster.write(`sys/plugins/catalog/${at}`, given)

  expect(status).toBe(400)
  expect(errors[0]).toContain(text)
  expect(errors[0]).not.toContain('CANARY')
})

test('what is not registered can be neither mounted nor pinned', async () => {
  const cluster = await mounted(says('one'))

  const version = await cluster.write('sys/mounts/b', { type: 'tried', plugin_version: 'v3.0.0' })
  const pin = await cluster.write('sys/plugins/pins/secret/tried', { version: 'v3.0.0' })
  const other = await cluster.write('sys/auth/b', { type: 'tried' })

  expect(version.errors).toEqual(['plugin not found in the catalog: tried, version v3.0.0'])
  expect(pin.errors).toEqual(['that version is not in the catalog'])
  expect(other.errors).toEqual(['plugin not found in the catalog: tried'])
})

test('its declaration decides what policies ask for, and tells its help and its OpenAPI', async () => {
  const cluster = await startPluginCluster()
  const files = pluginFiles('notes', 'secret')
  cluster.put(Object.fromEntries([...files].map(([path, text]) => [`notes/${path}`, text])))
  await cluster.register('notes', { version: 'v1.0.0' })
  await cluster.write('sys/mounts/notes', { type: 'notes' })
  const token = await cluster.tokenWith('path "notes/*" { capabilities = ["update"] }')

  expect((await cluster.write('notes/new', { text: 'a' }, { token })).status).toBe(403)
  expect((await cluster.write('notes/new', { text: 'a' })).status).toBe(204)
  expect((await cluster.write('notes/new', { text: 'b' }, { token })).status).toBe(204)
  expect((await cluster.read('notes/new')).data).toMatchObject({ text: 'b' })
  expect((await cluster.list('notes')).data).toEqual({ keys: ['new'] })
  expect((await cluster.read('notes/new?help=1')).text).toContain('What it says.')
  const { text } = await cluster.read('sys/internal/specs/openapi')
  expect(text).toContain('/notes/{name}')
  const wrong = await cluster.write('notes/new', { text: ['CANARY'] })
  expect(wrong).toMatchObject({ status: 400, errors: [expect.stringContaining('field "text"')] })
  expect(wrong.text).not.toContain('CANARY')
})

test('a method to log in works as an external plugin, renewal included', async () => {
  const cluster = await startPluginCluster()
  const files = pluginFiles('keys', 'auth')
  cluster.put(Object.fromEntries([...files].map(([path, text]) => [`keys/${path}`, text])))
  await cluster.register('keys', { type: 'auth', version: 'v1.0.0' })
  expect((await cluster.write('sys/auth/keys', { type: 'keys' })).status).toBe(204)
  const role = { token_policies: 'deploy', token_ttl: '1h', token_max_ttl: '10h' }
  const { data } = await cluster.write('auth/keys/role/ci', role)

  const login = await cluster.write(
    'auth/keys/login',
    { role: 'ci', key: data['key'] },
    { token: null },
  )
  const token = String(login.auth['client_token'])
  const wrong = await cluster.write('auth/keys/login', { role: 'ci', key: 'no' }, { token: null })

  expect(login.auth).toMatchObject({ policies: ['default', 'deploy'], lease_duration: 3600 })
  expect(wrong).toMatchObject({ status: 400, errors: ['invalid role or key'] })
  cluster.clock.advance('30m')
  const renewed = await cluster.write('auth/token/renew-self', {}, { token })
  expect(renewed.auth).toMatchObject({ lease_duration: 3600 })
  await cluster.remove('auth/keys/role/ci')
  expect((await cluster.write('auth/token/renew-self', {}, { token })).status).toBe(400)
})

test('a plugin cannot grant the policy root', async () => {
  const grant =
    "{ displayName: 'a', policies: ['root'], type: 'service', ttlSeconds: 0, maxTtlSeconds: 0, explicitMaxTtlSeconds: 0, periodSeconds: 0, numUses: 0, boundCidrs: [], renewable: true, noDefaultPolicy: false }"
  const cluster = await mounted(pluginOf(`update: () => ({ auth: ${grant} })`, { kind: 'auth' }), {
    type: 'auth',
  })

  const { status, auth } = await cluster.write('auth/at/login')

  expect(status).toBe(400)
  expect(auth).toEqual({})
})

test('the hooks of a mount run with its records: initialize, upgrade, periodic', async () => {
  const hooks = `
    async initialize({ storage }) { storage.put(records, 'log', { text: 'made' }) },
    async upgrade({ storage, from }) {
      if (version === '3') throw new BadRequest('not to 3')
      const before = await storage.get(records, 'log')
      storage.put(records, 'log', { text: before.text + ', ' + from.version + ' to ' + version })
      return { warnings: ['upgraded'] }
    },
    async periodic({ storage, nowMs }) {
      storage.put(records, 'at', { text: String(nowMs) })
      return false
    },`
  const cluster = await mounted(
    pluginOf(
      'read: async ({ storage, data }) => ({ data: await storage.get(records, data.name) })',
      { more: hooks },
    ),
    { nodes: 1 },
  )
  await cluster.write('sys/mounts/at/tune', { options: { version: '1' } })

  const upgraded = await cluster.write('sys/mounts/at/tune', { options: { version: '2' } })
  const refused = await cluster.write('sys/mounts/at/tune', { options: { version: '3' } })
  await cluster.nodes[0]?.runDuties()

  expect(upgraded.json['warnings']).toEqual(['upgraded'])
  expect(refused).toMatchObject({ status: 400, errors: ['not to 3'] })
  expect((await cluster.read('at/log')).data).toEqual({ text: 'made, undefined to 1, 1 to 2' })
  expect((await cluster.read('at/at')).data).toEqual({ text: String(cluster.clock.nowMs()) })
})

test('a mount whose initialize fails is not made', async () => {
  const cluster = await startPluginCluster({ nodes: 1 })
  cluster.put({
    'tried.mjs': pluginOf('', { more: "async initialize() { throw new BadRequest('not here') }," }),
  })
  await cluster.register('tried.mjs')

  expect(await cluster.write('sys/mounts/at', { type: 'tried' })).toMatchObject({
    status: 400,
    errors: ['not here'],
  })
  expect((await cluster.read('sys/mounts/at')).status).toBe(400)
})

test('a tenant may use plugins, and not change which there are', async () => {
  const cluster = await mounted(says('one'))
  await cluster.write('sys/namespaces/team')
  const sha256 = 'a'.repeat(64)
  const inTeam = { headers: { 'x-vault-namespace': 'team' } }

  expect((await cluster.write('sys/mounts/at', { type: 'tried' }, inTeam)).status).toBe(204)
  expect((await cluster.read('at/a', inTeam)).data).toEqual({ says: 'one' })
  const changes = [
    cluster.write('sys/plugins/catalog/secret/b', { sha256, command: 'b' }, inTeam),
    cluster.remove('sys/plugins/catalog/secret/tried?version=v1.0.0', inTeam),
    cluster.write('sys/plugins/pins/secret/tried', { version: 'v1.0.0' }, inTeam),
    cluster.remove('sys/plugins/pins/secret/tried', inTeam),
    cluster.write('sys/plugins/reload/backend', { plugin: 'tried' }, inTeam),
  ]
  for (const { status } of await Promise.all(changes)) expect(status).toBe(400)
  expect((await cluster.read('at/a')).data).toEqual({ says: 'one' })
})

test('numbers and times keep their form on the way', async () => {
  const cluster = await mounted(
    pluginOf(`update: ({ body, nowMs, storage }) => {
      storage.put(records, 'a', { text: '1.50' })
      return { data: { sent: body.number, at: new Date(nowMs), no: undefined } }
    }`),
  )

  const { text } = await cluster.request('POST', 'at/a', {
    text: '{"number": 12345678901234567890.50}',
  })

  expect(text).toContain('"sent":12345678901234567890.50')
  expect(text).toContain('"at":"2026-01-01T00:00:00Z"')
  expect(text).not.toContain('"no"')
})

test('an answer of bytes is sent as it is', async () => {
  const cluster = await mounted(
    pluginOf(
      "read: () => ({ raw: { contentType: 'application/pkix-cert', body: Buffer.from([1, 2, 255]) }, data: {} })",
    ),
  )

  const { headers, text } = await cluster.read('at/a')

  expect(headers['Content-Type']).toBe('application/pkix-cert')
  expect(Buffer.from(text)).toEqual(Buffer.from(Buffer.from([1, 2, 255]).toString()))
})

test('a rate limit counts the logins of a role that the plugin names', async () => {
  const login = `paths: [path('login', { summary: '', unauthenticated: true, fields: { role: string('').default('') },
    operations: { update: () => ({ data: { fine: true } }) } })],
    async loginRole({ readBody }) { return (await readBody()).role },`
  const cluster = await mounted(pluginOf('', { kind: 'auth', more: login }), {
    type: 'auth',
    nodes: 1,
  })
  const limit = { path: 'auth/at', role: 'ci', rate: 1, interval: '1m' }
  expect((await cluster.write('sys/quotas/rate-limit/ci', limit)).status).toBe(204)
  const send = async (role: string) =>
    (await cluster.write('auth/at/login', { role }, { token: null })).status

  expect([await send('ci'), await send('ci'), await send('other')]).toEqual([200, 429, 200])
})

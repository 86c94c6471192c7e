/** Against a real broker: one for all tests, and a virtual host for each. */
import { createServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { testCertificate } from '../../core/http/testing/certificate.ts'
import { portOf } from '../../test/support/free-port.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import {
  ADMIN,
  missingRabbitMq,
  startRabbitMq,
  type RabbitMq,
} from '../../test/support/rabbitmq-server.ts'
import { keysBelow } from '../../test/support/records.ts'

const START_MS = 90_000
const ALL = { configure: '.*', write: '.*', read: '.*' }
const skipReason = missingRabbitMq()

async function start() {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/mq', { type: 'rabbitmq' })
  return cluster
}

async function startConnected(broker: RabbitMq) {
  const cluster = await start()
  const config = { connection_uri: broker.uri, ...ADMIN }
  expect((await cluster.write('mq/config/connection', config)).status).toBe(204)
  return cluster
}

async function round(cluster: Cluster) {
  for (const node of cluster.nodes) await node.runDuties()
}

async function giveUser(cluster: Cluster, role = 'app') {
  const { json, data } = await cluster.read(`mq/creds/${role}`)
  return {
    leaseId: String(json['lease_id']),
    user: { username: String(data['username']), password: String(data['password']) },
  }
}

describe.skipIf(skipReason !== undefined)(
  `a RabbitMQ broker${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    let broker: RabbitMq
    beforeAll(async () => {
      broker = await startRabbitMq()
    }, START_MS)
    afterAll(() => broker.stop())
    beforeEach(async () => {
      expect(await broker.users()).toEqual([])
    })

    test('a user has the rights of its role, for as long as its lease', async () => {
      const cluster = await startConnected(broker)
      await broker.ask('PUT', 'vhosts/orders')
      const vhosts = { orders: { configure: '', write: '^in$', read: '.*' } }
      const vhost_topics = { orders: { 'amq.topic': { write: '^a', read: '^b' } } }
      await cluster.write('mq/roles/app', {
        tags: 'management,monitoring',
        vhosts: JSON.stringify(vhosts),
        vhost_topics: JSON.stringify(vhost_topics),
      })
      await cluster.write('mq/config/lease', { ttl: '1h', max_ttl: '2h' })

      const made = await cluster.read('mq/creds/app')

      expect(made.status).toBe(200)
      expect(made.json).toMatchObject({ lease_duration: 3600, renewable: true })
      const username = String(made.data['username'])
      const user = { username, password: String(made.data['password']) }
      expect(username).toMatch(/^root-[0-9a-f-]{36}$/)
      expect(user.password).toMatch(/^[0-9A-Za-z]{36}$/)
      expect((await broker.ask('GET', 'whoami', { user })).json).toMatchObject({
        name: username,
        tags: ['management', 'monitoring'],
      })
      expect((await broker.ask('GET', `users/${username}/permissions`)).json).toEqual([
        { user: username, vhost: 'orders', ...vhosts.orders },
      ])
      expect((await broker.ask('GET', `users/${username}/topic-permissions`)).json).toEqual([
        { user: username, vhost: 'orders', exchange: 'amq.topic', write: '^a', read: '^b' },
      ])

      const renewed = await cluster.write('sys/leases/renew', {
        lease_id: made.json['lease_id'],
        increment: 7200,
      })
      expect(renewed.json).toMatchObject({ lease_duration: 7200 })
      cluster.clock.advance('2h')
      await round(cluster)
      expect(await broker.users()).toEqual([])
      expect((await broker.ask('GET', 'whoami', { user })).status).toBe(401)
    })

    test('a user is removed when its lease is revoked, and one that is gone already counts as removed', async () => {
      const cluster = await startConnected(broker)
      await cluster.write('mq/roles/app', { vhosts: { '/': ALL } })
      const first = await giveUser(cluster)
      const second = await giveUser(cluster)
      await broker.ask('DELETE', `users/${second.user.username}`)

      for (const { leaseId } of [first, second]) {
        expect((await cluster.write('sys/leases/revoke', { lease_id: leaseId })).status).toBe(204)
      }

      await round(cluster)
      expect(await broker.users()).toEqual([])
      expect(await keysBelow(cluster, 'ns/root/lease/')).toEqual([])
    })

    test('a user whose rights cannot be given is not left behind', async () => {
      const cluster = await startConnected(broker)
      await cluster.write('mq/roles/app', { vhosts: { '/': ALL, 'not-there': ALL } })

      const { status, errors } = await cluster.read('mq/creds/app')

      expect(status).toBe(400)
      expect(errors).toEqual([
        'the user could not be given its rights in a virtual host: RabbitMQ says 400 bad_request: vhost_or_user_not_found',
      ])
      await round(cluster)
      expect(await broker.users()).toEqual([])
      expect(await keysBelow(cluster, 'ns/root/lease/')).toEqual([])
    })

    test('a broker that is away for a while loses no user and keeps none', async () => {
      const cluster = await startConnected(broker)
      await cluster.write('mq/roles/app', { vhosts: { '/': ALL } })
      await cluster.write('sys/mounts/kv', { type: 'kv' })
      const { leaseId } = await giveUser(cluster)
      await broker.kill()
      try {
        const refused = await cluster.read('mq/creds/app')
        expect(refused.status).toBe(502)
        expect(refused.errors[0]).toMatch(
          /^RabbitMQ does not answer at the connection_uri: (?:ECONN|UND_ERR_SOCKET)/,
        )
        await cluster.write('sys/leases/revoke', { lease_id: leaseId })
        await round(cluster)
        expect((await cluster.write('kv/other', { a: '1' })).status).toBe(204)
        expect(await keysBelow(cluster, 'ns/root/lease/')).toHaveLength(1)
      } finally {
        await broker.start()
      }
      expect(await broker.users()).toHaveLength(1)

      cluster.clock.advance('15m')
      await round(cluster)

      expect(await broker.users()).toEqual([])
      expect(await keysBelow(cluster, 'ns/root/lease/')).toEqual([])
    })

    test('names and passwords are made as the connection says', async () => {
      const cluster = await start()
      await cluster.write('sys/policies/password/long', {
        policy: 'length = 50\nrule "charset" { charset = "xyz" }',
      })
      const username_template = '{{ .RoleName | uppercase }}_{{ random 5 }}'
      const written = await cluster.write('mq/config/connection', {
        connection_uri: `${broker.uri}/`,
        ...ADMIN,
        password_policy: 'long',
        username_template,
      })
      expect(written.status).toBe(204)
      await cluster.write('mq/roles/app', { tags: 'monitoring' })

      const { user, leaseId } = await giveUser(cluster)

      expect(user.username).toMatch(/^APP_[0-9A-Za-z]{5}$/)
      expect(user.password).toMatch(/^[xyz]{50}$/)
      expect((await broker.ask('GET', 'whoami', { user })).status).toBe(200)
      await cluster.write('sys/leases/revoke', { lease_id: leaseId })
      await round(cluster)
    })

    test('a connection that does not work is not stored', async () => {
      const cluster = await start()
      const wrong = { connection_uri: broker.uri, username: 'admin', password: 'wrong-password' }

      const { status, errors } = await cluster.write('mq/config/connection', wrong)

      expect(status).toBe(400)
      expect(errors[0]).toMatch(
        /^the connection does not work: RabbitMQ says 401 not_authori[sz]ed/,
      )
      expect((await cluster.read('mq/config/connection')).status).toBe(404)
      const unverified = { ...wrong, verify_connection: false }
      expect((await cluster.write('mq/config/connection', unverified)).status).toBe(204)
      const shown = (await cluster.read('mq/config/connection')).data
      expect(shown).toEqual({
        connection_uri: broker.uri,
        username: 'admin',
        password_policy: '',
        username_template: '',
      })
    })
  },
)

describe('what is wrong is said', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
    await cluster.write('sys/mounts/mq', { type: 'rabbitmq' })
  })
  afterAll(() => cluster.close())

  test.each([
    [{}, 'missing connection_uri'],
    [{ connection_uri: 'http://x' }, 'missing username'],
    [{ connection_uri: 'http://x', username: 'u' }, 'missing password'],
    [
      { connection_uri: 'amqp://x', ...ADMIN },
      'connection_uri is http://HOST:PORT or https://HOST:PORT',
    ],
    [
      { connection_uri: 'http://u:p@x', ...ADMIN },
      'connection_uri holds no name and password: there are fields for those',
    ],
    [
      { connection_uri: 'http://x', ...ADMIN, username_template: '{{' },
      'unable to initialize username template: unable to parse template: template: template:1: an action is not closed by "}}"',
    ],
  ])('a connection of %j is refused', async (config, text) => {
    const { status, errors } = await cluster.write('mq/config/connection', config)
    expect(status).toBe(400)
    expect(errors).toEqual([text])
  })

  test.each([
    [{}, 'both tags and vhosts not specified'],
    [{ vhosts: '{' }, 'failed to unmarshal vhosts: no JSON'],
    [{ vhosts: '[]' }, 'failed to unmarshal vhosts: it is an object by virtual host'],
    [
      { vhosts: { '/': { wirte: '.*' } } },
      'failed to unmarshal vhosts: rights are configure, write, read, no others',
    ],
    [
      { vhosts: { '/': { write: 7 } } },
      'failed to unmarshal vhosts: a right is a regular expression, as text',
    ],
    [{ vhosts: { '..': {} } }, 'vhosts has a name that is empty, a dot, two dots, or no Unicode'],
    [
      { tags: 'a', vhost_topics: { '/': [] } },
      'failed to unmarshal vhost_topics: it is an object by virtual host and exchange',
    ],
  ])('a role of %j is refused', async (role, text) => {
    const { status, errors } = await cluster.write('mq/roles/app', role)
    expect(status).toBe(400)
    expect(errors).toEqual([text])
  })
})

test('roles are listed, shown and removed', async () => {
  const cluster = await start()
  const vhosts = { __proto__x: ALL, '/': { configure: '', write: '', read: '^r' } }
  for (const name of ['a', 'b', 'c']) {
    expect((await cluster.write(`mq/roles/${name}`, { tags: 't', vhosts })).status).toBe(204)
  }
  expect((await cluster.read('mq/roles/a')).data).toEqual({ tags: 't', vhosts, vhost_topics: {} })
  expect((await cluster.remove('mq/roles/a')).status).toBe(204)
  expect((await cluster.read('mq/roles/a')).status).toBe(404)
  expect((await cluster.list('mq/roles')).data).toEqual({ keys: ['b', 'c'] })
  expect((await cluster.request('LIST', 'mq/roles?after=b&limit=1')).data).toEqual({ keys: ['c'] })
})

test('users are made of no role that is not there, and of no broker', async () => {
  const cluster = await start()
  expect((await cluster.read('mq/creds/app')).errors).toEqual(['unknown role: app'])
  await cluster.write('mq/roles/app', { tags: 't' })
  const { status, errors } = await cluster.read('mq/creds/app')
  expect(status).toBe(400)
  expect(errors).toEqual([
    'there is no connection to a broker: write it to config/connection first',
  ])
})

describe('what stands at the address', () => {
  async function listen(server: ReturnType<typeof createServer>) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return portOf(server)
  }
  const connect = (cluster: Cluster, connection_uri: string) =>
    cluster.write('mq/config/connection', { connection_uri, ...ADMIN })

  test('is given no password where it sends the server on to another one', async () => {
    let asked = 0
    const other = await listen(createServer((_request, response) => response.end(String(asked++))))
    const port = await listen(
      createServer((_request, response) => {
        response.writeHead(302, { location: `http://127.0.0.1:${other}/api/users` }).end()
      }),
    )
    const cluster = await start()

    const { status, errors } = await connect(cluster, `http://127.0.0.1:${port}`)

    expect(status).toBe(400)
    expect(errors).toEqual(['the connection does not work: RabbitMQ says 302'])
    expect(asked).toBe(0)
  })

  test('has a certificate that is right, or is told nothing', async () => {
    const { cert, key } = testCertificate('localhost')
    let asked = 0
    const port = await listen(
      createHttpsServer({ cert, key }, (_request, response) => response.end(String(asked++))),
    )
    const cluster = await start()

    const { status, errors } = await connect(cluster, `https://127.0.0.1:${port}`)

    expect(status).toBe(400)
    expect(errors).toEqual([
      'RabbitMQ does not answer at the connection_uri: DEPTH_ZERO_SELF_SIGNED_CERT',
    ])
    expect(asked).toBe(0)
  })

  test('does not make the server repeat a password that it sends back', async () => {
    const port = await listen(
      createServer((request, response) => {
        const sent = Buffer.from((request.headers.authorization ?? '').slice(6), 'base64')
        response.writeHead(400)
        response.end(
          JSON.stringify({ error: 'bad', reason: `no ${String(sent)} ${'x'.repeat(999)}` }),
        )
      }),
    )
    const cluster = await start()

    const { errors } = await connect(cluster, `http://127.0.0.1:${port}`)

    expect(errors[0]).toContain('bad: no admin:[password] x')
    expect(errors[0]).not.toContain(ADMIN.password)
    expect(errors[0]?.length).toBeLessThan(400)
  })

  test('may hang without holding anything for longer than its time', async () => {
    const asked = Promise.withResolvers<void>()
    const port = await listen(createServer(() => asked.resolve()))
    const cluster = await start()
    const answer = connect(cluster, `http://127.0.0.1:${port}`)
    await asked.promise

    cluster.clock.advance('90s')

    expect((await answer).status).toBe(504)
  })
})

import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { portOf } from '../../../test/support/free-port.ts'
import { startCluster } from '../../../test/support/kit.ts'
import { keysBelow } from '../../../test/support/records.ts'
import { noRedis, startRedis, type RedisServer } from '../../../test/support/redis-server.ts'
import { encodeCommand, RedisError, ReplyReader } from './resp.ts'
import { rules } from './session.ts'

describe('the protocol of Redis', () => {
  const ANSWERS = '+OK\r\n:-7\r\n$5\r\nhé\r\n\r\n$-1\r\n*2\r\n$1\r\na\r\n*0\r\n-ERR no\r\n'

  test('is read, in whatever pieces it comes', () => {
    const bytes = Buffer.from(ANSWERS)
    for (let size = 1; size <= bytes.length; size++) {
      const reader = new ReplyReader()
      const replies = []
      for (let at = 0; at < bytes.length; at += size) {
        replies.push(...reader.push(bytes.subarray(at, at + size)))
      }
      expect(replies).toEqual(['OK', -7, 'hé\r\n', null, ['a', []], new RedisError('ERR no')])
    }
  })

  test.each(['HTTP/1.1 400\r\n', ':x\r\n', '$99999999\r\n', `${'*1\r\n'.repeat(20)}`])(
    'is not %j',
    (text) => {
      expect(() => new ReplyReader().push(Buffer.from(text))).toThrow(/answer|protocol/)
    },
  )

  test('is written with the lengths in bytes', () => {
    expect(encodeCommand(['é', '']).toString()).toBe('*2\r\n$2\r\né\r\n$0\r\n\r\n')
  })

  test.each([
    [[], ['~*', '+@read']],
    [['["~a:*", "+get"]'], ['~a:*', '+get']],
    [
      ['~a:* +get', '+set'],
      ['~a:*', '+get', '+set'],
    ],
  ])('rules of %j are %j', (creation, wanted) => {
    expect(rules(creation)).toEqual(wanted)
  })
})

describe.skipIf(noRedis !== undefined)(`users of Redis ${noRedis ?? ''}`, () => {
  let database: RedisServer

  beforeAll(async () => {
    database = await startRedis()
  })
  afterAll(() => database.stop())

  async function start(role: Record<string, unknown> = {}, config: Record<string, unknown> = {}) {
    const cluster = await startCluster()
    const round = async () => {
      for (const node of cluster.nodes) await node.runDuties()
    }
    onTestFinished(async () => {
      await cluster.write('sys/leases/revoke-prefix/db')
      await round()
      await cluster.close()
    })
    await cluster.write('sys/mounts/db', { type: 'database' })
    const { port, user, password } = database
    const configured = await cluster.write('db/config/r', {
      plugin_name: 'redis-database-plugin',
      host: '127.0.0.1',
      port,
      username: user,
      password,
      allowed_roles: '*',
      ...config,
    })
    await cluster.write('db/roles/app', { db_name: 'r', default_ttl: '1h', ...role })
    return { cluster, configured, round }
  }

  test('a user is made, logs in, is prolonged and removed', async () => {
    const { cluster, configured } = await start({ creation_statements: '["~app:*", "+@all"]' })
    expect(configured.errors).toEqual([])
    const { data, json } = await cluster.read('db/creds/app')
    const [username, password] = [String(data['username']), String(data['password'])]
    expect(username).toMatch(/^V_ROOT_APP_[0-9A-Z]{20}_\d{10}$/)
    expect(await database.login(username, password)).toBe(true)
    expect(JSON.stringify(await database.send('ACL', 'GETUSER', username))).toContain('~app:*')
    const { lease_id } = json
    expect((await cluster.write('sys/leases/renew', { lease_id })).status).toBe(200)
    expect((await cluster.write('sys/leases/revoke', { lease_id, sync: true })).status).toBe(204)
    expect(await database.users('V_')).toEqual([])
  })

  test('a rule that is none is said, and nothing is made', async () => {
    const { cluster } = await start({ creation_statements: ['nonsense'] })
    const failed = await cluster.read('db/creds/app')
    expect(failed).toMatchObject({ status: 400 })
    expect(failed.errors[0]).toContain(
      "failed to execute ACL SETUSER: ERR Error in ACL SETUSER modifier 'nonsense'",
    )
    expect(await database.users('V_')).toEqual([])
    expect(await keysBelow(cluster, 'intent/')).toEqual([])
  })

  test('a static role and the password of its own user', async () => {
    await database.send('ACL', 'SETUSER', 'engine', 'on', '>known', '~*', '+@all')
    await database.send('ACL', 'SETUSER', 'billing', 'on', '>old')
    const { cluster } = await start({}, { username: 'engine', password: 'known' })
    const role = { db_name: 'r', username: 'billing', rotation_period: '1h' }
    expect((await cluster.write('db/static-roles/s', role)).errors).toEqual([])
    expect((await cluster.write('db/rotate-root/r')).errors).toEqual([])
    expect(await database.login('engine', 'known')).toBe(false)
    expect((await cluster.write('db/rotate-role/s')).status).toBe(204)
    const { data } = await cluster.read('db/static-creds/s')
    expect(await database.login('billing', String(data['password']))).toBe(true)
    const nobody = { ...role, username: 'nobody' }
    expect((await cluster.write('db/static-roles/n', nobody)).errors[0]).toContain('user not found')
  })

  test('a string instead of its parts', async () => {
    const { port, user, password } = database
    const connection_url = `valkey://127.0.0.1:${port}`
    const parts = { host: '', port: null }
    const { configured } = await start(
      {},
      { ...parts, connection_url, username: user, password, plugin_name: 'valkey-database-plugin' },
    )
    expect(configured.errors).toEqual([])
  })

  test.each([
    [{ password: 'wrong' }, 'failed to connect: WRONGPASS'],
    [{ port: 1 }, 'ECONNREFUSED'],
    [{ host: '' }, 'host cannot be empty'],
    [{ tls: true }, 'ca_cert is required where tls is true'],
    [{ tls: true, insecure_tls: true }, 'failed to connect'],
    [{ connection_url: 'valkey://h' }, 'cannot specify both connection_url and individual'],
    [{ connection_url: 'http://h', host: '', port: null }, 'connection_url is like valkey://'],
  ])('a connection with %j is refused', async (config, why) => {
    const { configured } = await start({}, config)
    expect(configured.status).toBe(400)
    expect(configured.errors[0]).toContain(why)
  })

  test('a server that is none', async () => {
    const server = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    onTestFinished(() => void server.close())
    const { configured } = await start({}, { port: portOf(server) })
    expect(configured.errors[0]).toContain('does not speak the protocol of Redis')
  })
})

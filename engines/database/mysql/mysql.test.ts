import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startCluster } from '../../../test/support/kit.ts'
import { noMariadb, startMariadb, type Mariadb } from '../../../test/support/mariadb.ts'
import { keysBelow } from '../../../test/support/records.ts'
import { mysql } from './mysql.ts'

const CREATE = `CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'; GRANT SELECT ON *.* TO '{{name}}'@'%'`

describe.skipIf(noMariadb !== undefined)(`users of MariaDB ${noMariadb ?? ''}`, () => {
  let database: Mariadb

  beforeAll(async () => {
    database = await startMariadb()
  }, 60_000)
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
    const { url, user, password } = database
    const configured = await cluster.write('db/config/my', {
      plugin_name: 'mysql-database-plugin',
      connection_url: url,
      username: user,
      password,
      allowed_roles: '*',
      ...config,
    })
    await cluster.write('db/roles/app', {
      db_name: 'my',
      creation_statements: CREATE,
      default_ttl: '1h',
      ...role,
    })
    return { cluster, configured, round }
  }

  test('a user is made, logs in, is prolonged and removed', async () => {
    const { cluster, configured } = await start()
    expect(configured.errors).toEqual([])
    const { data, json } = await cluster.read('db/creds/app')
    const [username, password] = [String(data['username']), String(data['password'])]
    expect(username).toMatch(/^v-root-app-[0-9A-Za-z-]{1,21}$/)
    expect(await database.login(username, password)).toBe(true)
    const { lease_id } = json
    expect((await cluster.write('sys/leases/renew', { lease_id })).status).toBe(200)
    expect((await cluster.write('sys/leases/revoke', { lease_id, sync: true })).status).toBe(204)
    expect(await database.users(username)).toEqual([])
  })

  test('one that was made for another host than any is removed as well', async () => {
    const { cluster } = await start({
      creation_statements: `CREATE USER '{{name}}'@'localhost' IDENTIFIED BY '{{password}}'`,
    })
    const { data, json } = await cluster.read('db/creds/app')
    const { lease_id } = json
    await cluster.write('sys/leases/revoke', { lease_id, sync: true })
    expect(await database.users(String(data['username']))).toEqual([])
  })

  test('what a failed creation has left is undone, for users are made without a transaction here', async () => {
    const { cluster, round } = await start({
      creation_statements: [CREATE, 'GRANT NONSENSE'],
    })
    const failed = await cluster.read('db/creds/app')
    expect(failed.status).toBe(400)
    expect(failed.errors[0]).toContain(
      'creation statement 3 (GRANT): Error 1064 (42000): You have an error',
    )
    expect(await database.users('v-root-app')).toHaveLength(1)
    await round()
    expect(await database.users('v-root-app')).toEqual([])
    cluster.clock.advance('11m')
    await round()
    expect(await keysBelow(cluster, 'intent/')).toEqual([])
  })

  test('rollback statements are run at once', async () => {
    const { cluster } = await start({
      creation_statements: [CREATE, 'GRANT NONSENSE'],
      rollback_statements: [`DROP USER '{{name}}'@'%'`],
    })
    expect((await cluster.read('db/creds/app')).status).toBe(400)
    expect(await database.users('v-root-app')).toEqual([])
  })

  test('own statements remove a user, and one that is gone counts as removed', async () => {
    const { cluster } = await start({ revocation_statements: [`DROP USER '{{name}}'@'%'`] })
    const { data, json } = await cluster.read('db/creds/app')
    await database.query(`DROP USER '${String(data['username'])}'@'%'`)
    const { lease_id } = json
    expect((await cluster.write('sys/leases/revoke', { lease_id, sync: true })).status).toBe(204)
  })

  test('a static role and the password of its own user', async () => {
    await database.query(`CREATE USER engine@'%' IDENTIFIED BY 'known'`)
    await database.query(`GRANT ALL ON *.* TO engine@'%' WITH GRANT OPTION`)
    await database.query(`CREATE USER 'it''s'@'%' IDENTIFIED BY 'old'`)
    const { cluster } = await start({}, { username: 'engine', password: 'known' })
    const role = { db_name: 'my', username: "it's", rotation_period: '1h' }
    expect((await cluster.write('db/static-roles/s', role)).errors).toEqual([])
    expect((await cluster.write('db/rotate-root/my')).errors).toEqual([])
    expect(await database.login('engine', 'known')).toBe(false)
    expect((await cluster.write('db/rotate-role/s')).status).toBe(204)
    const { data } = await cluster.read('db/static-creds/s')
    expect(await database.login("it's", String(data['password']))).toBe(true)
  })

  test.each([
    [{ password: 'wrong' }, 'failed to connect: Error 1045 (28000): Access denied'],
    [{ connection_url: '{{username}}:{{password}}@tcp(127.0.0.1:1)/' }, 'ECONNREFUSED'],
    [{ connection_url: 'x' }, 'it is like user:password@tcp(host:3306)/database'],
    [{ connection_url: 'u@tcp(h:99999)/' }, 'a host or port that is none'],
    [{ connection_url: 'u@tcp(h)/?tls=zz' }, 'tls is true, false or skip-verify'],
    [{ tls_certificate_key: 'x' }, 'a certificate and its key, both in PEM'],
    [{ tls_skip_verify: true }, 'Server does not support secure connection'],
  ])('a connection with %j is refused', async (config, why) => {
    const { configured } = await start({}, config)
    expect(configured.status).toBe(400)
    expect(configured.errors[0]).toContain(why)
  })

  test(
    'no name and no password does more than name a user and let it in',
    { timeout: 60_000 },
    async () => {
      const { url, user, password } = database
      const access = mysql.read({ connection_url: url, username: user, password })
      const session = await access.connect(AbortSignal.timeout(50_000))
      onTestFinished(() => session.close())
      const odd = fc.string({
        unit: fc.constantFrom(...Array.from(`'"\`\\;-#/*%_ aé🔑\n\u0000`)),
        minLength: 1,
        maxLength: 12,
      })
      await fc.assert(
        fc.asyncProperty(odd, odd, async (username, secret) => {
          const credential = { type: 'password', password: secret } as const
          const creation = [`CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'`]
          const isPossible = !(username + secret).includes('\0') && username.trim() === username
          try {
            await session.create({ username, credential, creation, expiresAtMs: 0, rollback: [] })
          } catch {
            expect(
              isPossible && Buffer.from(username).length < 60 && !username.includes('🔑'),
            ).toBe(false)
            return
          }
          // At a login the server takes quotes around the whole name off it.
          const loses = username.length > 1 && username.startsWith("'") && username.endsWith("'")
          expect(await database.login(username, secret)).toBe(!loses)
          await session.drop({ username, statements: [] })
          expect(await session.exists(username)).toBe(false)
        }),
        { numRuns: 150 },
      )
    },
  )
})

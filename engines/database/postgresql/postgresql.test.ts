import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Cluster } from '../../../test/support/kit.ts'
import { keysBelow } from '../../../test/support/records.ts'
import { noPostgresql, startPostgresql, type Postgresql } from '../../../test/support/postgresql.ts'
import { CREATE, mounted } from './mounted.fixture.ts'

describe.skipIf(noPostgresql !== undefined)(
  `dynamic roles of PostgreSQL ${noPostgresql ?? ''}`,
  () => {
    let database: Postgresql

    beforeAll(async () => {
      database = await startPostgresql()
      await database.query('CREATE TABLE things (id int)')
    })
    afterAll(() => database.stop())

    async function withRole(
      role: Record<string, unknown> = {},
      config: Record<string, unknown> = {},
    ) {
      const { cluster } = await mounted(database, config)
      const more = { db_name: 'pg', creation_statements: CREATE, default_ttl: '10m', max_ttl: '1h' }
      expect(await cluster.write('db/roles/app', { ...more, ...role })).toMatchObject({
        status: 204,
      })
      return cluster
    }

    async function round(cluster: Cluster) {
      for (const node of cluster.nodes) await node.runDuties()
    }

    test('a user is made, logs in, is prolonged and removed', async () => {
      const cluster = await withRole()
      const made = await cluster.read('db/creds/app')
      expect(made).toMatchObject({ status: 200, json: { lease_duration: 600, renewable: true } })
      const username = String(made.data['username'])
      const password = String(made.data['password'])
      expect(username).toMatch(/^v-root-app-[0-9A-Za-z]{20}-\d{10}$/)
      expect(await database.login(username, password)).toBe(true)
      expect(await keysBelow(cluster, 'intent/')).toEqual([])
      const until = async () =>
        (
          await database.query(
            `SELECT to_char(rolvaliduntil AT TIME ZONE 'UTC', 'HH24:MI:SS') AS v FROM pg_roles WHERE rolname = $1`,
            [username],
          )
        )[0]?.['v']
      expect(await until()).toBe('00:10:05')
      const lease_id = made.json['lease_id']
      expect(await cluster.write('sys/leases/renew', { lease_id, increment: '30m' })).toMatchObject(
        { status: 200, json: { lease_duration: 1800 } },
      )
      expect(await until()).toBe('00:30:05')
      expect((await cluster.write('sys/leases/revoke', { lease_id, sync: true })).status).toBe(204)
      expect(await database.users(username)).toEqual([])
      expect(await database.login(username, password)).toBe(false)
    })

    test('no log of the database ever shows a password', async () => {
      const cluster = await withRole()
      const { data } = await cluster.read('db/creds/app')
      expect(database.printed()).toContain(String(data['username']))
      expect(database.printed()).toContain('SCRAM-SHA-256$4096:')
      expect(database.printed()).not.toContain(String(data['password']))
    })

    test('where it is asked for, the database is given the password itself', async () => {
      const cluster = await withRole({}, { password_authentication: 'password' })
      const { data } = await cluster.read('db/creds/app')
      expect(database.printed()).toContain(String(data['password']))
      expect(await database.login(String(data['username']), String(data['password']))).toBe(true)
    })

    test('what was granted is revoked with the user', async () => {
      const cluster = await withRole({
        creation_statements: [
          CREATE,
          'GRANT SELECT ON things TO "{{name}}"; GRANT USAGE ON SCHEMA public TO "{{name}}"',
        ],
      })
      const { json, data } = await cluster.read('db/creds/app')
      await cluster.write('sys/leases/revoke', { lease_id: json['lease_id'], sync: true })
      expect(await database.users(String(data['username']))).toEqual([])
    })

    test('row 100 (CVE-2026-39946): hostile names of schemas and tables do nothing when grants are revoked', async () => {
      const hostile = ['s"; DROP TABLE things; --', "s'; DROP TABLE things; --", 's%I%s\\$$ 🔑']
      for (const name of hostile) {
        const quoted = `"${name.replaceAll('"', '""')}"`
        await database.query(`CREATE SCHEMA ${quoted}; CREATE TABLE ${quoted}.${quoted} (id int)`)
      }
      onTestFinished(async () => {
        for (const name of hostile) {
          await database.query(`DROP SCHEMA "${name.replaceAll('"', '""')}" CASCADE`)
        }
      })
      const cluster = await withRole()
      const { json, data } = await cluster.read('db/creds/app')
      for (const name of hostile) {
        const quoted = `"${name.replaceAll('"', '""')}"`
        const user = `"${String(data['username'])}"`
        await database.query(`GRANT USAGE ON SCHEMA ${quoted} TO ${user}`)
        await database.query(`GRANT SELECT ON ${quoted}.${quoted} TO ${user}`)
      }
      const revoked = await cluster.write('sys/leases/revoke', {
        lease_id: json['lease_id'],
        sync: true,
      })
      expect(revoked.status).toBe(204)
      expect(await database.users(String(data['username']))).toEqual([])
      expect(await database.query('SELECT * FROM things')).toEqual([])
    })

    test("a role's own statements remove it, and one that is gone counts as removed", async () => {
      const cluster = await withRole({ revocation_statements: ['DROP ROLE "{{name}}"; '] })
      const first = await cluster.read('db/creds/app')
      const second = await cluster.read('db/creds/app')
      await database.query(`DROP ROLE "${String(second.data['username'])}"`)
      for (const { json } of [first, second]) {
        const revoked = await cluster.write('sys/leases/revoke', {
          lease_id: json['lease_id'],
          sync: true,
        })
        expect(revoked.status).toBe(204)
      }
      expect(await database.users('v-root-app')).toEqual([])
      expect(await cluster.list('sys/leases/lookup/db/creds/app')).toMatchObject({ status: 404 })
    })

    test.each([
      [
        ['NONSENSE'],
        'creation statement 1: ERROR: syntax error at or near "NONSENSE" (SQLSTATE 42601)',
      ],
      [
        [CREATE, 'GRANT SELECT ON nothing TO "{{name}}"'],
        'creation statement 2 (GRANT): ERROR: relation "nothing" does not exist (SQLSTATE 42P01)',
      ],
      [
        [CREATE, `SELECT '{{password}}'::int`],
        'creation statement 2 (SELECT): ERROR: invalid input syntax for type integer: "[password]" (SQLSTATE 22P02)',
      ],
      [
        ['CREATE ROLE {{name}}'],
        'creation statement 1 (CREATE): ERROR: syntax error at or near "-" (SQLSTATE 42601)',
      ],
      [
        ['SELECT {{expiration}}'],
        'creation statement 1 (SELECT): put {{expiration}} in quotes; its value can stand nowhere else',
      ],
    ])(
      'of %j it is said which statement failed, and nothing is left',
      async (creation_statements, why) => {
        const cluster = await withRole({ creation_statements })
        const failed = await cluster.read('db/creds/app')
        expect(failed.status).toBe(400)
        expect(failed.errors[0]).toContain(why)
        expect(await database.users('v-root-app')).toEqual([])
        await round(cluster)
        expect(await keysBelow(cluster, 'intent/')).toEqual([])
        expect(await keysBelow(cluster, 'ns/root/lease/')).toEqual([])
      },
    )

    test('a whole block is one statement', async () => {
      const cluster = await withRole({
        creation_statements: [
          `DO $$ BEGIN EXECUTE 'CREATE ROLE "{{name}}" LOGIN PASSWORD ''{{password}}'''; END $$;`,
        ],
      })
      const { status, data } = await cluster.read('db/creds/app')
      expect(status).toBe(200)
      expect(await database.login(String(data['username']), String(data['password']))).toBe(true)
    })

    test.each([
      [
        { password: 'wrong' },
        'error verifying connection: failed to connect: FATAL: password authentication failed',
      ],
      [{ connection_url: 'postgresql://{{username}}:{{password}}@127.0.0.1:1/x' }, 'ECONNREFUSED'],
      [{ connection_url: '' }, 'connection_url cannot be empty'],
      [{ connection_url: 'host' }, 'neither a URI nor pairs'],
      [{ username_template: '{{bad}}' }, 'function not defined'],
      [{ username_template: '{{.RoleName}}' }, 'gives the same name again'],
      [{ max_connection_lifetime: 'zz' }, 'invalid max_connection_lifetime'],
      [{ max_open_connections: 'many' }, 'max_open_connections'],
      [{ password_authentication: 'md5' }, 'not a valid password authentication type'],
      [{ username: '{{username}}' }, 'cannot contain the template variables'],
      [{ plugin_name: 'none' }, 'plugin not found in the catalog: none'],
    ])('a connection with %j is refused and not stored', async (config, why) => {
      const { cluster, configured } = await mounted(database, config)
      expect(configured.status).toBe(400)
      expect(configured.errors[0]).toContain('error creating database object: ')
      expect(configured.errors[0]).toContain(why)
      expect((await cluster.read('db/config/pg')).status).toBe(404)
    })

    test.each([
      [
        'pairs',
        (port: number) =>
          `host=127.0.0.1 port=${port} user={{username}} password='{{password}}' dbname=postgres sslmode=disable`,
      ],
      [
        'several hosts',
        (port: number) =>
          `postgresql://{{username}}:{{password}}@127.0.0.1:1,127.0.0.1:${port}/postgres?sslmode=disable`,
      ],
      [
        'TLS where the server has it',
        (port: number) => `postgresql://{{username}}:{{password}}@127.0.0.1:${port}/postgres`,
      ],
    ])('a connection string may have %s', async (_what, url) => {
      const { configured } = await mounted(database, { connection_url: url(database.port) })
      expect(configured.errors).toEqual([])
    })

    test('what a server without TLS cannot give is said', async () => {
      const connection_url = database.url.replace('disable', 'require')
      const { configured } = await mounted(database, { connection_url })
      expect(configured.errors[0]).toContain('the server speaks no TLS')
    })

    test('a role that the connection does not name gets nothing', async () => {
      const cluster = await withRole({}, { allowed_roles: 'other,ap' })
      expect(await cluster.read('db/creds/app')).toMatchObject({
        status: 400,
        errors: ['1 error occurred:\n\t* "app" is not an allowed role\n\n'],
      })
    })

    test('a name that is taken leaves its user alone', async () => {
      const cluster = await withRole({}, { username_template: 'fixed-{{ random 1 }}' })
      const names = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
      for (const one of names) await database.query(`CREATE ROLE "fixed-${one}"`)
      onTestFinished(async () => {
        for (const one of names) await database.query(`DROP ROLE "fixed-${one}"`)
      })
      const failed = await cluster.read('db/creds/app')
      expect(failed.errors[0]).toContain('there is a user of this name already')
      await round(cluster)
      cluster.clock.advance('11m')
      await round(cluster)
      expect(await database.users('fixed-')).toHaveLength(names.length)
    })

    test('connections are kept, and no more are made than the connection allows', async () => {
      const cluster = await withRole({}, { max_open_connections: 2, max_idle_connections: 1 })
      const count = async () =>
        Number(
          (
            await database.query(
              `SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'keyhold'`,
            )
          )[0]?.['n'],
        )
      const all = await Promise.all(
        Array.from({ length: 20 }, () => cluster.read('db/creds/app', { node: 0 })),
      )
      expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
      expect(await count()).toBe(1)
      await cluster.remove('db/config/pg', { node: 0 })
      await expect.poll(count).toBe(0)
    })
  },
)

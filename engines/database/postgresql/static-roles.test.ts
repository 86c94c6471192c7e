import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keysBelow } from '../../../test/support/records.ts'
import { noPostgresql, startPostgresql, type Postgresql } from '../../../test/support/postgresql.ts'
import { connection, mounted, type Mounted } from './mounted.fixture.ts'

describe.skipIf(noPostgresql !== undefined)(
  `static roles of PostgreSQL ${noPostgresql ?? ''}`,
  () => {
    let database: Postgresql
    let users = 0

    beforeAll(async () => {
      database = await startPostgresql()
    })
    afterAll(() => database.stop())

    async function newUser() {
      const username = `static-${++users} "x"`
      await database.query(`CREATE ROLE "${username.replaceAll('"', '""')}" LOGIN PASSWORD 'old'`)
      return username
    }

    async function withRole(
      role: Record<string, unknown> = {},
      config: Record<string, unknown> = {},
    ) {
      const mount = await mounted(database, config)
      const username = await newUser()
      const more = role['rotation_schedule'] === undefined ? { rotation_period: '24h' } : {}
      const made = await mount.cluster.write('db/static-roles/s', {
        db_name: 'pg',
        username,
        ...more,
        ...role,
      })
      return { ...mount, username, made }
    }

    async function password({ cluster }: Pick<Mounted, 'cluster'>) {
      return String((await cluster.read('db/static-creds/s')).data['password'])
    }

    /** As long as the timed duties may need to see it. */
    async function pass({ cluster, round }: Mounted, span: string) {
      cluster.clock.advance(span)
      await round()
    }

    test('a user is taken over, its password is changed by the clock, and the new one is answered', async () => {
      const mount = await withRole()
      expect(mount.made).toMatchObject({ status: 204 })
      const first = await mount.cluster.read('db/static-creds/s')
      expect(first.data).toMatchObject({
        username: mount.username,
        rotation_period: 86_400,
        ttl: 86_400,
        last_vault_rotation: '2090-01-01T00:00:00Z',
      })
      expect(await database.login(mount.username, await password(mount))).toBe(true)
      expect(await database.login(mount.username, 'old')).toBe(false)
      const before = await password(mount)
      await pass(mount, '23h')
      expect(await password(mount)).toBe(before)
      await pass(mount, '2h')
      const after = await password(mount)
      expect(after).not.toBe(before)
      expect(await database.login(mount.username, after)).toBe(true)
      expect(await database.login(mount.username, before)).toBe(false)
      expect(database.printed()).not.toContain(after)
      expect(await keysBelow(mount.cluster, 'intent/')).toEqual([])
    })

    test('it is rotated now when asked for, which begins its period anew', async () => {
      const mount = await withRole()
      const before = await password(mount)
      mount.cluster.clock.advance('12h')
      expect((await mount.cluster.write('db/rotate-role/s')).status).toBe(204)
      expect(await password(mount)).not.toBe(before)
      expect((await mount.cluster.read('db/static-creds/s')).data['ttl']).toBe(86_400)
    })

    test('an update does not rotate, and a change of period counts from the last rotation', async () => {
      const mount = await withRole()
      const before = await password(mount)
      const { username } = mount
      const updated = await mount.cluster.write('db/static-roles/s', {
        username,
        rotation_period: '48h',
      })
      expect(updated.status).toBe(204)
      expect(await password(mount)).toBe(before)
      expect((await mount.cluster.read('db/static-creds/s')).data['ttl']).toBe(172_800)
      for (const body of [{ rotation_period: '1h' }, { username: 'other' }]) {
        expect(await mount.cluster.write('db/static-roles/s', body)).toMatchObject({
          status: 400,
          errors: ['cannot update static account username'],
        })
      }
    })

    test('by schedule, in UTC, and only within its window', async () => {
      // 1 January 2090 is a Sunday.
      const mount = await withRole({ rotation_schedule: '0 3 * * MON', rotation_window: '1h' })
      const first = await password(mount)
      expect((await mount.cluster.read('db/static-roles/s')).data).toMatchObject({
        rotation_schedule: '0 3 * * MON',
        rotation_window: 3600,
      })
      expect((await mount.cluster.read('db/static-creds/s')).data['ttl']).toBe(27 * 3600)
      await pass(mount, '27h')
      const second = await password(mount)
      expect(second).not.toBe(first)
      // Nobody did the duties at three o'clock; at five the window is over.
      await pass(mount, `${7 * 24 + 2}h`)
      expect(await password(mount)).toBe(second)
      await pass(mount, `${6 * 24 + 22}h`)
      expect(await password(mount)).not.toBe(second)
    })

    test.each([
      [{ rotation_period: '1s' }, 'rotation_period must be 5 seconds or more'],
      [{ rotation_period: '1h', rotation_schedule: '* * * * *' }, 'mutually exclusive fields'],
      [{ rotation_schedule: 'x' }, 'could not parse rotation_schedule'],
      [{ rotation_schedule: '0 0 30 2 *' }, 'there is no such time'],
      [
        { rotation_schedule: '0 0 * * *', rotation_window: '1m' },
        'rotation_window must be 3600 seconds or more',
      ],
      [
        { rotation_period: '1h', rotation_window: '1h' },
        'rotation_window is invalid with use of rotation_period',
      ],
      [{ username: '' }, 'username is a required field'],
      [{ db_name: 'none' }, 'failed to find entry for connection with name: "none"'],
      [{ db_name: '' }, 'database name is a required field'],
      [{ credential_type: 'rsa_private_key' }, 'unsupported credential_type'],
      [{ credential_type: 'client_certificate' }, 'cannot be rotated'],
      [
        { username: 'nosuch' },
        'error setting credentials: failed to execute query: rotation statement 1 (ALTER): ERROR: role "nosuch" does not exist (SQLSTATE 42704)',
      ],
    ])('with %j none is made', async (role, why) => {
      const { made, cluster } = await withRole(role)
      expect(made.status).toBe(400)
      expect(made.errors[0]).toContain(why)
      expect((await cluster.read('db/static-roles/s')).status).toBe(404)
      expect(await keysBelow(cluster, 'intent/')).toEqual([])
    })

    test('one that the connection does not allow is neither made nor shown', async () => {
      const { made } = await withRole({}, { allowed_roles: 'x' })
      expect(made.errors[0]).toContain('"s" is not an allowed role')
      const other = await withRole()
      await other.cluster.write('db/config/pg', { verify_connection: false, allowed_roles: 'x' })
      expect((await other.cluster.read('db/static-creds/s')).status).toBe(400)
    })

    test('a role and a static role share no name', async () => {
      const { cluster, username } = await withRole()
      expect((await cluster.write('db/roles/s', { db_name: 'pg' })).status).toBe(400)
      await cluster.write('db/roles/d', { db_name: 'pg' })
      const role = { db_name: 'pg', username, rotation_period: '1h' }
      expect((await cluster.write('db/static-roles/d', role)).errors).toEqual([
        'Role and Static Role names must be unique',
      ])
    })

    test('where its import is skipped, the user keeps its password until the first rotation', async () => {
      const mount = await withRole({
        skip_import_rotation: true,
        password: 'old',
        rotation_period: '1h',
      })
      expect(await password(mount)).toBe('old')
      expect(await database.login(mount.username, 'old')).toBe(true)
      await pass(mount, '61m')
      expect(await database.login(mount.username, 'old')).toBe(false)
      expect(await database.login(mount.username, await password(mount))).toBe(true)
      const again = { username: mount.username, skip_import_rotation: true }
      expect((await mount.cluster.write('db/static-roles/s', again)).errors).toEqual([
        'skip_import_rotation has no effect on updates',
      ])
    })

    test('a user that manages itself changes its own password, and nobody needs more rights', async () => {
      await database.query(`CREATE ROLE weak LOGIN PASSWORD 'weak'`)
      const config = { username: 'weak', password: 'weak', self_managed: true }
      const mount = await withRole({ self_managed_password: 'old' }, config)
      expect(mount.made).toMatchObject({ status: 204 })
      expect(await database.login(mount.username, await password(mount))).toBe(true)
      await pass(mount, '25h')
      expect(await database.login(mount.username, await password(mount))).toBe(true)
      const { made } = await withRole({}, config)
      expect(made.errors[0]).toContain('self_managed_password is required')
    })

    test('a database that is away: it is tried again with growing pauses, and answered as it was until then', async () => {
      const mount = await withRole()
      const before = await password(mount)
      await database.kill()
      await pass(mount, '25h')
      for (let i = 0; i < 5; i++) await pass(mount, '1m')
      expect(await password(mount)).toBe(before)
      const failed = await mount.cluster.write('db/rotate-role/s')
      expect(failed.status).toBe(502)
      expect(failed.errors[0]).toContain('unable to finish rotating credentials')
      await database.start()
      await pass(mount, '6m')
      await expect
        .poll(async () => {
          await pass(mount, '6m')
          return password(mount)
        })
        .not.toBe(before)
      expect(await database.login(mount.username, await password(mount))).toBe(true)
    })

    test('a credential that the database got and the record did not is the one of the next attempt', async () => {
      const mount = await withRole()
      const before = await password(mount)
      // The mount cannot be written to any more once the database has done it.
      const storage = mount.cluster.storage
      const { commit } = storage
      let commits = 0
      storage.commit = async (change) => {
        commits++
        if (commits > 1) throw new Error('the disk is full')
        return commit.call(storage, change)
      }
      expect((await mount.cluster.write('db/rotate-role/s')).status).toBeGreaterThanOrEqual(500)
      storage.commit = commit
      expect(await password(mount)).toBe(before)
      expect(await database.login(mount.username, before)).toBe(false)
      await pass(mount, '20s')
      expect(await database.login(mount.username, await password(mount))).toBe(true)
    })

    test("the engine's own user gets a password that nobody knows", async () => {
      await database.query(`CREATE ROLE engine SUPERUSER LOGIN PASSWORD 'known'`)
      const mount = await withRole({}, { username: 'engine', password: 'known' })
      expect((await mount.cluster.write('db/rotate-root/pg')).status).toBe(204)
      expect(await database.login('engine', 'known')).toBe(false)
      for (const node of [0, 1]) {
        expect((await mount.cluster.write('db/rotate-role/s', {}, { node })).status).toBe(204)
        expect((await mount.cluster.write('db/reset/pg', {}, { node })).status).toBe(204)
      }
      expect((await mount.cluster.read('db/config/pg')).text).not.toMatch(/"password":"/)
      const wrong = { ...connection(database), username: 'engine', password: 'known' }
      expect((await mount.cluster.write('db/config/pg', wrong)).status).toBe(400)
    })

    test('where the new password of its own user cannot be stored, the old one is put back', async () => {
      await database.query(`CREATE ROLE engine2 SUPERUSER LOGIN PASSWORD 'known'`)
      const mount = await withRole({}, { username: 'engine2', password: 'known' })
      const storage = mount.cluster.storage
      const { commit } = storage
      let commits = 0
      storage.commit = async (change) => {
        commits++
        if (commits > 1) throw new Error('the disk is full')
        return commit.call(storage, change)
      }
      expect((await mount.cluster.write('db/rotate-root/pg')).status).toBeGreaterThanOrEqual(500)
      storage.commit = commit
      expect(await database.login('engine2', 'known')).toBe(false)
      await pass(mount, '3m')
      expect(await database.login('engine2', 'known')).toBe(true)
    })

    test.each([
      [{ username: '' }, 'no username in configuration'],
      [{ password: '' }, 'no password in configuration'],
      [
        { connection_url: 'postgresql://u@h/x' },
        'connection_url has no {{username}} and {{password}}',
      ],
    ])('with %j its own password cannot be changed', async (config, why) => {
      const { cluster } = await mounted(database, { verify_connection: false, ...config })
      expect(await cluster.write('db/rotate-root/pg')).toMatchObject({
        status: 400,
        errors: [`1 error occurred:\n\t* unable to rotate root credentials: ${why}\n\n`],
      })
    })
  },
)

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestClock } from '../../test/support/clock.ts'
import { noPostgresql, startPostgresql, type Postgresql } from '../../test/support/postgresql.ts'
import { serveCluster } from './on-server.fixture.ts'

const CREATE = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`

describe.skipIf(noPostgresql !== undefined)(`database check ${noPostgresql ?? ''}`, () => {
  let database: Postgresql

  beforeAll(async () => {
    database = await startPostgresql()
  })
  afterAll(() => database.stop())

  async function start(role: Record<string, unknown> = {}) {
    const served = await serveCluster({ nodes: 1, clock: new TestClock(Date.UTC(2090, 0, 1)) })
    const { cluster } = served
    await cluster.write('sys/mounts/db', { type: 'database' })
    await cluster.write('db/config/pg', {
      plugin_name: 'postgresql-database-plugin',
      connection_url: database.url,
      username: database.user,
      password: database.password,
      allowed_roles: '*',
    })
    await cluster.write('db/roles/app', {
      db_name: 'pg',
      creation_statements: CREATE,
      default_ttl: '1h',
      ...role,
    })
    return served
  }

  test('goes the whole way of a role, shows each step and leaves nothing', async () => {
    const { run } = await start()
    const { exitCode, out, err } = await run('database check -mount=db app')
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(
      out
        .replace(/: v-root-app-\S+,/, ': NAME,')
        .trim()
        .split('\n'),
    ).toEqual([
      '[ ok ] a user is made: NAME, for 3600 s',
      '[ ok ] it logs in',
      '[ ok ] it is prolonged',
      '[ ok ] it is removed',
      '[ ok ] it cannot log in any more',
      'Success! The role app works.',
    ])
    expect(await database.users('v-')).toEqual([])
  })

  test('says which step fails, and why, and removes the user all the same', async () => {
    const { run } = await start({ creation_statements: CREATE.replace('LOGIN', 'NOLOGIN') })
    const { exitCode, out } = await run('database check -mount=db app')
    expect(exitCode).toBe(2)
    expect(out).toMatch(/\[fail\] it logs in: .*is not permitted to log in/s)
    expect(out).toContain('[ ok ] it is removed')
    expect(await database.users('v-')).toEqual([])
  })

  test('says which statement fails', async () => {
    const { run } = await start({ creation_statements: [CREATE, 'GRANT nothing TO "{{name}}"'] })
    const { exitCode, err } = await run('database check -mount=db app')
    expect(exitCode).toBe(2)
    expect(err).toContain('creation statement 2 (GRANT): ERROR: role "nothing" does not exist')
  })

  test('does not log in where it is told so', async () => {
    const { run } = await start()
    const { exitCode, out } = await run('database check -mount=db -skip-login app')
    expect(exitCode).toBe(0)
    expect(out).not.toContain('log in')
  })

  test('says that there is no such role', async () => {
    const { run } = await start()
    expect(await run('database check -mount=db none')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('There is nothing at db/roles/none'),
    })
  })
})

/** Existing accounts whose passwords are kept and changed, in a real directory. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import {
  MANAGER,
  missingLdap,
  PEOPLE,
  startLdap,
  type LdapServer,
} from '../../test/support/ldap-server.ts'
import type { Cluster } from '../../test/support/kit.ts'
import { keysBelow } from '../../test/support/records.ts'
import { round, startConnected, startMounted } from './ldap-mount.fixture.ts'

const DAY = { rotation_period: '24h' }
const skipReason = missingLdap()

describe.skipIf(skipReason !== undefined)(
  `static roles${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    let server: LdapServer
    let people = 0
    beforeAll(async () => {
      server = await startLdap()
    })
    afterAll(() => server.stop())

    /** An account of its own for each test. */
    async function person(attributes: Readonly<Record<string, string>> = {}) {
      const username = `person-${++people}`
      return { username, dn: await server.addPerson(username, attributes) }
    }
    const cred = async (cluster: Cluster) => (await cluster.read('ldap/static-cred/app')).data
    const holds = (dn: string, { password }: JsonObject) => server.canBind(dn, String(password))

    test('a role takes its account over, and changes its password by the clock', async () => {
      const cluster = await startConnected(server)
      const { username, dn } = await person()
      const written = await cluster.write('ldap/static-role/app', { username, ...DAY })
      expect(written.status).toBe(204)
      const first = await cred(cluster)
      expect(first).toEqual({
        dn: '',
        username,
        password: expect.stringMatching(/^[0-9A-Za-z]{64}$/),
        last_password: '',
        ttl: 86_400,
        rotation_period: 86_400,
        last_vault_rotation: '2026-01-01T00:00:00.000Z',
      })
      expect(await holds(dn, first)).toBe(true)

      cluster.clock.advance('23h')
      await round(cluster)
      expect(await cred(cluster)).toEqual({ ...first, ttl: 3600 })
      cluster.clock.advance('1h')
      await round(cluster)

      const second = await cred(cluster)
      expect(second['password']).not.toBe(first['password'])
      expect(second).toMatchObject({ last_password: first['password'], ttl: 86_400 })
      expect(await holds(dn, second)).toBe(true)
      expect(await holds(dn, first)).toBe(false)
      expect(await keysBelow(cluster, 'intent/')).toEqual([])
    })

    test('a password is changed by hand, and the clock begins anew', async () => {
      const cluster = await startConnected(server)
      const { username, dn } = await person()
      await cluster.write('ldap/static-role/app', { username, dn, ...DAY })
      const first = await cred(cluster)
      cluster.clock.advance('10h')

      expect((await cluster.write('ldap/rotate-role/app')).status).toBe(204)

      const second = await cred(cluster)
      expect(second).toMatchObject({ dn, ttl: 86_400, last_password: first['password'] })
      expect(await holds(dn, second)).toBe(true)
    })

    test('a role may leave its account its password until it is due', async () => {
      const cluster = await startConnected(server)
      const { username, dn } = await person()
      const skip_import_rotation = true
      await cluster.write('ldap/static-role/app', { username, ...DAY, skip_import_rotation })
      expect(await server.canBind(dn, 'before')).toBe(true)
      expect(await cred(cluster)).toMatchObject({ password: '', ttl: 86_400 })
      cluster.clock.advance('24h')
      await round(cluster)
      expect(await holds(dn, await cred(cluster))).toBe(true)
    })

    test('a directory that is away leaves what is known, and is asked again later and later', async () => {
      const cluster = await startConnected(server)
      const { username, dn } = await person()
      await cluster.write('ldap/static-role/app', { username, ...DAY })
      const before = await cred(cluster)
      await server.kill()
      try {
        const refused = await cluster.write('ldap/rotate-role/app')
        expect(refused.status).toBe(502)
        expect(refused.errors[0]).toMatch(/^unable to finish rotating credentials; .*ECONNREFUSED$/)
        expect(await cred(cluster)).toEqual(before)
        cluster.clock.advance('11s')
        await round(cluster)
      } finally {
        await server.start()
      }
      expect(await holds(dn, before)).toBe(true)

      cluster.clock.advance('21s')
      await round(cluster)

      const after = await cred(cluster)
      expect(after['last_password']).toBe(before['password'])
      expect(await holds(dn, after)).toBe(true)
      expect(cluster.failures).toHaveLength(1)
    })

    test('a directory that hangs holds up no other mount', async () => {
      const cluster = await startConnected(server)
      const { username } = await person()
      await cluster.write('ldap/static-role/app', { username, ...DAY })
      cluster.clock.advance('24h')
      server.pause()
      onTestFinished(() => server.resume())

      const node = cluster.nodes[0]
      const duties = node?.runDuties()
      await expect.poll(() => keysBelow(cluster, 'intent/')).toHaveLength(1)
      cluster.clock.advance('2s')
      await duties
      await cluster.write('sys/mounts/kv', { type: 'kv' })
      expect((await cluster.write('kv/a', { b: 'c' })).status).toBe(204)

      server.resume()
      await expect.poll(() => keysBelow(cluster, 'intent/')).toEqual([])
    })

    test('a schedule has times, and a window after each', async () => {
      const cluster = await startConnected(server)
      const { username } = await person()
      const rule = { rotation_schedule: '0 3 * * SAT', rotation_window: '1h' }
      // 1 January 2026 is a Thursday.
      await cluster.write('ldap/static-role/app', { username, ...rule })
      const first = await cred(cluster)
      expect(first).toMatchObject({
        ttl: (2 * 24 + 3) * 3600,
        rotation_schedule: '0 3 * * SAT',
        rotation_window: 3600,
      })
      cluster.clock.advance('53h')
      await round(cluster)
      expect(await cred(cluster)).toMatchObject({ password: first['password'], ttl: 0 })
      cluster.clock.advance('166h10m')
      await round(cluster)
      const second = await cred(cluster)
      expect(second['password']).not.toBe(first['password'])
      expect(second['last_vault_rotation']).toBe('2026-01-10T03:10:00.000Z')
    })

    test.each([
      [
        'ad',
        'unicodePwd',
        'userPrincipalName',
        (text: string) => Buffer.from(`"${text}"`, 'utf16le'),
      ],
      ['racf', 'racfPassword', 'racfid', (text: string) => Buffer.from(text)],
    ] as const)('the schema %s keeps passwords in %s', async (schema, attribute, by, bytes) => {
      const cluster = await startConnected(server, { schema, length: 8 })
      const { dn } = await person({ [by]: `name-${schema}` })
      await cluster.write('ldap/static-role/app', { username: `name-${schema}`, ...DAY })
      const { password } = await cred(cluster)
      expect(password).toMatch(/^[0-9A-Za-z]{8}$/)
      expect(await server.valuesOf(dn, attribute)).toEqual([bytes(String(password))])
    })

    test('a password of any characters is the one that the account has', async () => {
      const cluster = await startConnected(server, { password_policy: 'odd' })
      const { username, dn } = await person()
      const charset = `"'\\\\ {}$(),;:<>=+*#&|%é🔑`.replace('"', '\\"')
      const policy = `length = 12\nrule "charset" { charset = "${charset}" }`
      expect((await cluster.write('sys/policies/password/odd', { policy })).errors).toEqual([])
      await cluster.write('ldap/static-role/app', { username, ...DAY })
      for (let i = 0; i < 50; i++) {
        expect((await cluster.write('ldap/rotate-role/app')).errors).toEqual([])
        expect(await holds(dn, await cred(cluster))).toBe(true)
      }
    })

    test('a role of an account that is not there is not stored', async () => {
      const cluster = await startConnected(server)
      const { status, errors } = await cluster.write('ldap/static-role/app', {
        username: '*)(cn=*',
        ...DAY,
      })
      expect(status).toBe(400)
      expect(errors).toEqual([
        'expected one matching entry, but received none: look at the name, at userdn and at userattr',
      ])
      expect((await cluster.read('ldap/static-role/app')).status).toBe(404)
      const { username } = await person()
      expect((await cluster.write('ldap/static-role/app', { username, ...DAY })).status).toBe(204)
    })

    test('an account belongs to one role or set', async () => {
      const cluster = await startConnected(server)
      const { username } = await person()
      await cluster.write('ldap/static-role/team/app', { username, ...DAY })
      const refused = ['the account is already managed by the secrets engine']
      const again = { username: username.toUpperCase(), ...DAY }
      expect((await cluster.write('ldap/static-role/other', again)).errors).toEqual(refused)
      const set = { service_account_names: [username] }
      expect((await cluster.write('ldap/library/set', set)).errors).toEqual(refused)
      expect((await cluster.list('ldap/static-role')).data).toEqual({ keys: ['team/'] })
      expect((await cluster.list('ldap/static-role/team')).data).toEqual({ keys: ['app'] })
      await cluster.remove('ldap/static-role/team/app')
      const left = await keysBelow(cluster, 'mount/')
      expect(left.filter((key) => key.includes('/rotation/'))).toEqual([])
      expect((await cluster.write('ldap/library/set', set)).errors).toEqual([])
    })

    test('a period that changes counts from the last change of the password', async () => {
      const cluster = await startConnected(server)
      const { username } = await person()
      await cluster.write('ldap/static-role/app', { username, ...DAY })
      cluster.clock.advance('10h')
      expect((await cluster.write('ldap/static-role/app', { rotation_period: '12h' })).status).toBe(
        204,
      )
      expect(await cred(cluster)).toMatchObject({ ttl: 7200, rotation_period: 43_200 })
      await cluster.write('ldap/static-role/app', { rotation_schedule: '0 0 * * *' })
      expect(await cred(cluster)).toMatchObject({ ttl: 14 * 3600, rotation_schedule: '0 0 * * *' })
      expect((await cluster.read('ldap/static-role/app')).data).toEqual({
        dn: '',
        username,
        rotation_schedule: '0 0 * * *',
        last_vault_rotation: '2026-01-01T00:00:00.000Z',
      })
    })

    test("the manager's own password is changed, and known to nobody else", async () => {
      const cluster = await startConnected(server)
      expect((await cluster.write('ldap/rotate-root')).status).toBe(204)
      expect(await server.canBind(MANAGER.dn, MANAGER.password)).toBe(false)
      const { username } = await person()
      expect((await cluster.write('ldap/static-role/app', { username, ...DAY })).status).toBe(204)
      expect((await cluster.read('ldap/config')).data).toMatchObject({
        last_bind_password_rotation: '2026-01-01T00:00:00.000Z',
      })
      await server.setPassword(MANAGER.dn, MANAGER.password)
    })

    test("of a change of the manager's password that was cut off, either password does, and it is gone on with", async () => {
      const cluster = await startConnected(server)
      await server.kill()
      try {
        expect((await cluster.write('ldap/rotate-root')).status).toBe(502)
      } finally {
        await server.start()
      }
      const { username, dn } = await person()
      await cluster.write('ldap/static-role/app', { username, ...DAY })
      expect(await holds(dn, await cred(cluster))).toBe(true)

      cluster.clock.advance('61s')
      await round(cluster)

      expect(await server.canBind(MANAGER.dn, MANAGER.password)).toBe(false)
      expect((await cluster.write('ldap/rotate-role/app')).status).toBe(204)
      await server.setPassword(MANAGER.dn, MANAGER.password)
    })

    test.each([
      ['ldaps', {}],
      ['StartTLS', { starttls: true }],
    ])('over %s the certificate is verified', async (how, more) => {
      const url = how === 'ldaps' ? server.secureUrl : server.url
      const { username } = await person()
      const cluster = await startConnected(server, { url, ...more })
      const role = { username, ...DAY }
      const refused = await cluster.write('ldap/static-role/app', role)
      expect(refused.status).toBe(502)
      expect(refused.errors[0]).toMatch(/: SELF_SIGNED_CERT_IN_CHAIN$/)
      await cluster.write('ldap/config', { certificate: server.authority })
      expect((await cluster.write('ldap/static-role/app', role)).errors).toEqual([])
      await cluster.write('ldap/config', { certificate: '', insecure_tls: true })
      expect((await cluster.write('ldap/rotate-role/app')).errors).toEqual([])
    })

    test('of several addresses the first that answers is taken', async () => {
      const { username } = await person()
      const cluster = await startConnected(server, { url: `ldap://127.0.0.1:1,${server.url}` })
      const written = await cluster.write('ldap/static-role/app', { username, ...DAY })
      expect(written.status).toBe(204)
    })

    test('wrong passwords of the manager are not repeated', async () => {
      const cluster = await startConnected(server, { bindpass: 'a-wrong-password' })
      const { username } = await person()
      const { status, errors } = await cluster.write('ldap/static-role/app', { username, ...DAY })
      expect(status).toBe(400)
      expect(errors).toEqual(['binddn and bindpass are refused by the directory (LDAP result 49)'])
    })

    test('what is wrong with a role is said', async () => {
      const cluster = await startConnected(server)
      const { username } = await person()
      const refused = async (role: JsonObject, name = 'app') =>
        (await cluster.write(`ldap/static-role/${name}`, role)).errors[0]
      expect(await refused(DAY)).toBe('username is a required field to manage a static account')
      expect(await refused({ username: '', ...DAY })).toBe('username must not be empty')
      expect(await refused({ username })).toBe(
        'one of rotation_schedule or rotation_period must be provided to create a static account',
      )
      expect(await refused({ username, rotation_period: 4 })).toBe(
        'rotation_period must be 5 seconds or more',
      )
      expect(await refused({ username, ...DAY, rotation_schedule: '* * * * *' })).toMatch(
        /^mutually exclusive fields/,
      )
      expect(await refused({ username, ...DAY, rotation_window: '1h' })).toBe(
        'rotation_window is invalid with use of rotation_period',
      )
      expect(
        await refused({ username, rotation_schedule: '0 0 * * *', rotation_window: 60 }),
      ).toMatch(/^rotation_window is invalid/)
      expect(await refused({ username, rotation_schedule: '0 0 30 2 *' })).toMatch(
        /^could not parse rotation_schedule/,
      )
      expect(await refused({ username, ...DAY }, 'a//b')).toBeDefined()
      await cluster.write('ldap/static-role/app', { username, ...DAY })
      expect(await refused({ username: 'other' })).toBe('cannot update static account username')
      expect(await refused({ dn: `cn=x,${PEOPLE}` })).toBe(
        'cannot update static account distinguished name (dn)',
      )
      expect(await refused({ skip_import_rotation: true })).toBe(
        'skip_import_rotation has no effect on updates',
      )
      expect((await cluster.read('ldap/static-cred/none')).errors).toEqual(['unknown role: none'])
      expect((await cluster.write('ldap/rotate-role/none')).errors).toEqual([
        "role doesn't exist: none",
      ])
    })
  },
)

test.each([
  [{}, 'cannot derive UserBindDN: binddn and bindpass are required'],
  [{ url: 'http://x' }, 'url is ldap://HOST[:PORT] or ldaps://HOST[:PORT], or several of them'],
  [{ schema: 'x' }, 'the configured schema is not valid. Supported schemas: [openldap racf ad]'],
  [{ length: 8, password_policy: 'p' }, "cannot set both 'password_policy' and 'length'"],
  [
    { tls_min_version: 'tls13', tls_max_version: 'tls12' },
    "'tls_max_version' must be greater than or equal to 'tls_min_version'",
  ],
  [{ request_timeout: '1h' }, 'request_timeout is from 1 to 60 seconds'],
  [{ certificate: 'x' }, 'failed to parse certificate: it must be an X.509 certificate in PEM'],
  [{ client_tls_key: 'x' }, 'both client_tls_cert and client_tls_key must be set'],
  [{ userattr: 'cn)(x=' }, 'userattr is the name of one attribute, such as cn'],
])('a configuration of %j is refused', async (config, text) => {
  const cluster = await startMounted()
  const names = Object.keys(config).length === 0 ? {} : { binddn: 'cn=a', bindpass: 'b' }
  const { status, errors } = await cluster.write('ldap/config', { ...names, ...config })
  expect(status).toBe(400)
  expect(errors).toEqual([text])
})

test('nothing is done without a configuration', async () => {
  const cluster = await startMounted()
  const { errors } = await cluster.write('ldap/static-role/app', { username: 'a', ...DAY })
  expect(errors).toEqual(['missing LDAP configuration: write it to config first'])
  expect((await cluster.write('ldap/rotate-root')).status).toBe(400)
})

/** Accounts on demand, in a real directory. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { usernameTemplate } from '../../core/plugin/username-template.ts'
import { systemRandom } from '../../core/random.ts'
import {
  MANAGER,
  missingLdap,
  PEOPLE,
  startLdap,
  SUFFIX,
  type LdapServer,
} from '../../test/support/ldap-server.ts'
import { keysBelow } from '../../test/support/records.ts'
import { ldifOf } from './ldif-template.ts'
import { round, startConnected, startMounted } from './ldap-mount.fixture.ts'

const GROUP = `cn=developers,ou=groups,${SUFFIX}`
const CREATION = `dn: cn={{.Username}},${PEOPLE}
objectClass: person
objectClass: top
sn: {{.DisplayName}} until {{.ExpirationTime}}
userPassword: {{.Password}}

dn: ${GROUP}
changetype: modify
add: member
member: cn={{.Username}},${PEOPLE}
-
`
const DELETION = `dn: ${GROUP}
changetype: modify
delete: member
member: cn={{.Username}},${PEOPLE}
-

dn: cn={{.Username}},${PEOPLE}
changetype: delete
`
const ROLE = { creation_ldif: CREATION, deletion_ldif: DELETION }
const skipReason = missingLdap()

describe.skipIf(skipReason !== undefined)(
  `accounts on demand${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    let server: LdapServer
    beforeAll(async () => {
      server = await startLdap()
    })
    afterAll(() => server.stop())
    const members = async () => (await server.valuesOf(GROUP, 'member')).map(String).toSorted()

    test('an account is what the LDIF says, for as long as its lease', async () => {
      const cluster = await startConnected(server)
      await cluster.write('ldap/role/app', { ...ROLE, default_ttl: '1h', max_ttl: '2h' })

      const made = await cluster.read('ldap/creds/app')

      expect(made.status).toBe(200)
      expect(made.json).toMatchObject({ lease_duration: 3600, renewable: true })
      const { username, password } = made.data
      expect(username).toMatch(/^v_root_app_[0-9A-Za-z]{10}_1767225600$/)
      expect(password).toMatch(/^[0-9A-Za-z]{64}$/)
      const dn = `cn=${String(username)},${PEOPLE}`
      expect(made.data['distinguished_names']).toEqual([dn, GROUP])
      expect(await server.canBind(dn, String(password))).toBe(true)
      expect(String(await server.valuesOf(dn, 'sn'))).toBe('root until 2026-01-01T01:00:00Z')
      expect(await members()).toEqual([MANAGER.dn, dn].toSorted())

      const lease_id = made.json['lease_id']
      const renewed = await cluster.write('sys/leases/renew', { lease_id, increment: 7200 })
      expect(renewed.json).toMatchObject({ lease_duration: 7200 })
      cluster.clock.advance('2h')
      await round(cluster)
      expect(await server.below(PEOPLE)).toEqual([])
      expect(await members()).toEqual([MANAGER.dn])
    })

    test('an account is removed though its role is gone, and part of it was removed by others', async () => {
      const cluster = await startConnected(server)
      await cluster.write('ldap/role/app', ROLE)
      const { json } = await cluster.read('ldap/creds/app')
      await cluster.remove('ldap/role/app')
      const renewed = await cluster.write('sys/leases/renew', { lease_id: json['lease_id'] })
      expect(renewed.errors).toEqual(['unable to renew: role does not exist'])

      await cluster.write('sys/leases/revoke', { lease_id: json['lease_id'] })
      await round(cluster)

      expect(await server.below(PEOPLE)).toEqual([])
      expect(await members()).toEqual([MANAGER.dn])
      expect(await keysBelow(cluster, 'ns/root/lease/')).toEqual([])
    })

    test.each(['with its own LDIF for that', 'by the LDIF that removes accounts'])(
      'what is left of an account that failed is removed, %s',
      async (how) => {
        const cluster = await startConnected(server)
        const creation_ldif = CREATION.replace(GROUP, `cn=none,${SUFFIX}`)
        const own = how.startsWith('with') && { rollback_ldif: DELETION }
        await cluster.write('ldap/role/app', { ...ROLE, creation_ldif, ...own })

        const { status, errors } = await cluster.read('ldap/creds/app')

        expect(status).toBe(400)
        expect(errors).toEqual([
          'an entry could not be changed (LDIF record 2): LDAP result 32 NoSuchObject',
        ])
        await round(cluster)
        expect(await server.below(PEOPLE)).toEqual([])
        expect(await keysBelow(cluster, 'ns/root/lease/')).toEqual([])
      },
    )

    test('a directory that is away for a while loses no account and keeps none', async () => {
      const cluster = await startConnected(server)
      await cluster.write('ldap/role/app', ROLE)
      const { json } = await cluster.read('ldap/creds/app')
      await server.kill()
      try {
        const refused = await cluster.read('ldap/creds/app')
        expect(refused.status).toBe(502)
        expect(refused.errors).toEqual([
          `the directory cannot be used: ${server.url}: ECONNREFUSED`,
        ])
        await cluster.write('sys/leases/revoke', { lease_id: json['lease_id'] })
        await round(cluster)
        expect(await keysBelow(cluster, 'ns/root/lease/')).toHaveLength(1)
      } finally {
        await server.start()
      }
      expect(await server.below(PEOPLE)).toHaveLength(1)

      cluster.clock.advance('15m')
      await round(cluster)

      expect(await server.below(PEOPLE)).toEqual([])
      expect(await keysBelow(cluster, 'ns/root/lease/')).toEqual([])
    })

    test("Active Directory's passwords are written as it wants them", async () => {
      const cluster = await startConnected(server)
      const creation_ldif = `dn: CN={{.Username}},${PEOPLE}
changetype: add
objectClass: person
objectClass: otherAccount
sn: x

dn: CN={{.Username}},${PEOPLE}
changetype: modify
replace: unicodePwd
unicodePwd::{{ printf "%q" .Password | utf16le | base64 }}
-
`
      await cluster.write('ldap/role/app', { ...ROLE, creation_ldif })

      const { data, json } = await cluster.read('ldap/creds/app')

      const dn = `cn=${String(data['username'])},${PEOPLE}`
      const [written] = await server.valuesOf(dn, 'unicodePwd')
      expect(written?.toString('utf16le')).toBe(`"${String(data['password'])}"`)
      await cluster.write('sys/leases/revoke', { lease_id: json['lease_id'] })
      await round(cluster)
    })

    test('a name that somebody has chosen for himself changes nothing but a value', async () => {
      const cluster = await startConnected(server)
      const display_name = `eve\nuserPassword: x,${SUFFIX}+sn=a`
      const created = await cluster.write('auth/token/create', { display_name, policies: ['root'] })
      const token = String(created.auth['client_token'])
      await cluster.write('ldap/role/app', ROLE)

      const { data, status } = await cluster.read('ldap/creds/app', { token })

      expect(status).toBe(200)
      const username = String(data['username'])
      expect(await server.below(PEOPLE)).toEqual([`cn=${username},${PEOPLE}`])
      expect(username).toMatch(/^v_token-eve[\w-]*_app_\w{10}_\d+$/)
      await cluster.write('sys/leases/revoke-prefix/ldap')
      await round(cluster)
      expect(await server.below(PEOPLE)).toEqual([])
    })
  },
)

test('whatever a display name holds, the LDIF of an account has the records of its template', () => {
  const context = { random: systemRandom, nowMs: 0 }
  const template = `dn: cn={{.Username}},${PEOPLE}\ncn: {{.DisplayName}}\nsn: x{{.DisplayName}}x`
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (displayName) => {
      const who = { displayName, roleName: 'app' }
      const username = usernameTemplate('v_{{.DisplayName}}_{{random 4}}').render(who, context)
      const account = { ...who, username, password: 'p', issuedAtMs: 0, expiresAtMs: 0 }
      const [record, ...others] = ldifOf(template, account, context)
      expect(others).toEqual([])
      expect(record?.dn).toMatch(/^cn=v_[\w.@-]*_\w{4},ou=people,dc=example,dc=org$/)
      expect(record).toMatchObject({ attributes: [{ name: 'cn' }, { name: 'sn' }] })
    }),
    { numRuns: 10_000 },
  )
})

test('roles have folders, are changed in part, and read back what was sent in base64', async () => {
  const cluster = await startMounted()
  const encoded = Buffer.from(CREATION).toString('base64')
  await cluster.write('ldap/role/Team/Reader', {
    creation_ldif: encoded,
    deletion_ldif: DELETION,
    default_ttl: '1h',
  })
  await cluster.write('ldap/role/team/writer', ROLE)
  await cluster.write('ldap/role/top', ROLE)
  await cluster.write('ldap/role/team/reader', { max_ttl: '3h', username_template: '{{uuid}}' })

  expect((await cluster.read('ldap/role/team/reader')).data).toEqual({
    creation_ldif: CREATION,
    deletion_ldif: DELETION,
    rollback_ldif: '',
    username_template: '{{uuid}}',
    default_ttl: 3600,
    max_ttl: 10_800,
  })
  expect((await cluster.list('ldap/role')).data).toEqual({ keys: ['team/', 'top'] })
  expect((await cluster.list('ldap/role/team/')).data).toEqual({ keys: ['reader', 'writer'] })
  expect((await cluster.remove('ldap/role/team/reader')).status).toBe(204)
  expect((await cluster.read('ldap/role/team/reader')).status).toBe(404)
  expect((await cluster.read('ldap/creds/team/reader')).status).toBe(404)
})

test.each([
  [{}, 'missing creation_ldif'],
  [{ creation_ldif: CREATION }, 'missing deletion_ldif'],
  [
    { ...ROLE, creation_ldif: 'cn: x' },
    'invalid creation_ldif: LDIF record 1: it begins with `dn: ` and a name',
  ],
  [
    { ...ROLE, deletion_ldif: '{{.Nothing}}' },
    'invalid deletion_ldif: invalid template: template:1: unknown field; there are .Username, .Password, .DisplayName, .RoleName, .IssueTime, .IssueTimeSeconds, .ExpirationTime, .ExpirationTimeSeconds',
  ],
  [
    { ...ROLE, rollback_ldif: 'dn: a=b\nphoto:< file:///etc/passwd' },
    'invalid rollback_ldif: LDIF record 1: values are not read from elsewhere (`:<`)',
  ],
  [{ ...ROLE, default_ttl: 2, max_ttl: 1 }, 'max_ttl may not be less than default_ttl'],
])('a role of %j is refused', async (role, text) => {
  const cluster = await startMounted()
  const { status, errors } = await cluster.write('ldap/role/app', role)
  expect(status).toBe(400)
  expect(errors).toEqual([text])
})

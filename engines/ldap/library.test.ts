/** Accounts that are lent, in a real directory. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { missingLdap, PEOPLE, startLdap, type LdapServer } from '../../test/support/ldap-server.ts'
import type { Cluster } from '../../test/support/kit.ts'
import { keysBelow } from '../../test/support/records.ts'
import { round, startConnected, startMounted } from './ldap-mount.fixture.ts'

const POLICY = 'path "ldap/library/team/set/*" { capabilities = ["update"] }'
const SET = 'ldap/library/team/set'
const skipReason = missingLdap()

describe.skipIf(skipReason !== undefined)(
  `a library of accounts${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    let server: LdapServer
    let people = 0
    beforeAll(async () => {
      server = await startLdap()
    })
    afterAll(() => server.stop())

    const dnOf = (account: unknown) => `cn=${String(account)},${PEOPLE}`
    const works = ({ service_account_name, password }: JsonObject) =>
      server.canBind(dnOf(service_account_name), String(password))

    async function person() {
      const account = `lent-${++people}`
      await server.addPerson(account)
      return account
    }

    async function startWithSet(count: number, more: JsonObject = {}) {
      const cluster = await startConnected(server)
      const accounts: string[] = []
      for (let i = 0; i < count; i++) accounts.push(await person())
      const written = await cluster.write(SET, {
        service_account_names: accounts,
        ttl: '10h',
        max_ttl: '20h',
        ...more,
      })
      expect(written.errors).toEqual([])
      return { cluster, accounts }
    }
    const status = async (cluster: Cluster) => (await cluster.read(`${SET}/status`)).data

    test('an account is lent with a password, and comes back with another one', async () => {
      const { cluster, accounts } = await startWithSet(2)
      const [first, second] = accounts
      expect(await server.canBind(dnOf(first), 'before')).toBe(false)
      expect(await status(cluster)).toEqual({
        [String(first)]: { available: true },
        [String(second)]: { available: true },
      })

      const out = await cluster.write(`${SET}/check-out`)

      expect(out.json).toMatchObject({ lease_duration: 36_000, renewable: true })
      expect(out.json['lease_id']).toMatch(/^ldap\/library\/team\/set\/check-out\//)
      expect(out.data['service_account_name']).toBe(first)
      expect(await works(out.data)).toBe(true)
      expect(await status(cluster)).toEqual({
        [String(first)]: { available: false, borrower_client_token: expect.any(String) },
        [String(second)]: { available: true },
      })

      expect((await cluster.write(`${SET}/check-in`)).data).toEqual({ check_ins: [first] })

      expect(await works(out.data)).toBe(false)
      expect(await status(cluster)).toMatchObject({ [String(first)]: { available: true } })
      const lease_id = out.json['lease_id']
      expect((await cluster.write('sys/leases/renew', { lease_id })).errors).toEqual([
        `${String(first)} is already checked in, please call check-out to regain it`,
      ])
      expect((await cluster.write(`${SET}/check-in`)).data).toEqual({ check_ins: [] })
    })

    test('a loan ends with its lease, and takes nothing from the next borrower', async () => {
      const { cluster, accounts } = await startWithSet(1)
      const first = await cluster.write(`${SET}/check-out`, { ttl: '1h' })
      expect(first.json['lease_duration']).toBe(3600)
      await cluster.write(`${SET}/check-in`)
      const second = await cluster.write(`${SET}/check-out`)
      expect(second.data['password']).not.toBe(first.data['password'])

      cluster.clock.advance('1h')
      await round(cluster)

      expect(await works(second.data)).toBe(true)
      expect(await status(cluster)).toMatchObject({ [String(accounts[0])]: { available: false } })

      const lease_id = second.json['lease_id']
      await cluster.write('sys/leases/renew', { lease_id })
      cluster.clock.advance('10h')
      await round(cluster)
      expect(await works(second.data)).toBe(false)
      expect(await status(cluster)).toEqual({ [String(accounts[0])]: { available: true } })
      expect(await keysBelow(cluster, 'ns/root/lease/')).toEqual([])
      const third = await cluster.write(`${SET}/check-out`)
      expect(await works(third.data)).toBe(true)
    })

    test('no account is lent twice, whoever asks at once', async () => {
      const { cluster, accounts } = await startWithSet(3)
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => cluster.write(`${SET}/check-out`)),
      )
      const lent = answers.filter((answer) => answer.status === 200)
      expect(lent.map(({ data }) => data['service_account_name']).toSorted()).toEqual(accounts)
      for (const { status: code, errors } of answers.filter((answer) => !lent.includes(answer))) {
        expect(code).toBe(400)
        expect(errors).toEqual(['No service accounts available for check-out.'])
      }
    })

    test('only who has an account gives it back, but for a manager and a set that is free', async () => {
      const { cluster, accounts } = await startWithSet(2)
      const [account] = accounts
      const token = await cluster.tokenWith(POLICY)
      const other = await cluster.tokenWith(POLICY)
      await cluster.write(`${SET}/check-out`, {}, { token })
      const named = { service_account_names: [account] }

      expect((await cluster.write(`${SET}/check-in`, {}, { token: other })).data).toEqual({
        check_ins: [],
      })
      expect((await cluster.write(`${SET}/check-in`, named, { token: other })).errors).toEqual([
        "an account can't be checked in because it wasn't checked out by the caller",
      ])
      const managed = 'ldap/library/manage/team/set/check-in'
      expect((await cluster.write(managed, {}, { token: other })).status).toBe(403)
      expect((await cluster.write(managed)).data).toEqual({ check_ins: [account] })

      await cluster.write(`${SET}/check-out`, {}, { token })
      await cluster.write(SET, { disable_check_in_enforcement: true })
      expect((await cluster.write(`${SET}/check-in`, named, { token: other })).data).toEqual({
        check_ins: [account],
      })
      await cluster.write(`${SET}/check-out`, {}, { token })
      await cluster.write(`${SET}/check-out`, {}, { token })
      expect((await cluster.write(`${SET}/check-in`, {}, { token })).errors).toEqual([
        "when multiple service accounts are checked out, the 'service_account_names' to check in must be provided",
      ])
      const both = { service_account_names: accounts }
      expect((await cluster.write(`${SET}/check-in`, both, { token })).data).toEqual({
        check_ins: accounts,
      })
    })

    test('a token that is revoked gives back what it has', async () => {
      const { cluster, accounts } = await startWithSet(1)
      const token = await cluster.tokenWith(POLICY)
      const { data } = await cluster.write(`${SET}/check-out`, {}, { token })
      await cluster.write('auth/token/revoke', { token })
      await round(cluster)
      expect(await works(data)).toBe(false)
      expect(await status(cluster)).toEqual({ [String(accounts[0])]: { available: true } })
    })

    test('a set changes, but for accounts that are lent', async () => {
      const { cluster, accounts } = await startWithSet(2)
      const [first, second] = accounts
      await cluster.write(`${SET}/check-out`)
      const third = await person()
      const lent = "an account can't be deleted because it is currently checked out"
      const swap = { service_account_names: [second, third] }
      expect((await cluster.write(SET, swap)).errors).toEqual([lent])
      expect((await cluster.remove(SET)).errors).toEqual([lent])
      await cluster.write(`${SET}/check-in`)
      expect((await cluster.write(SET, swap)).errors).toEqual([])
      expect((await cluster.read(SET)).data).toEqual({
        service_account_names: [second, third],
        ttl: 36_000,
        max_ttl: 72_000,
        disable_check_in_enforcement: false,
      })
      expect(await server.canBind(dnOf(third), 'before')).toBe(false)
      expect((await cluster.list('ldap/library')).data).toEqual({ keys: ['team/'] })
      expect((await cluster.list('ldap/library/team')).data).toEqual({ keys: ['set'] })
      expect((await cluster.remove(SET)).status).toBe(204)
      expect((await cluster.read(SET)).status).toBe(404)
      // All of them are free for others.
      const again = { service_account_names: [first, second, third] }
      expect((await cluster.write('ldap/library/other', again)).errors).toEqual([])
    })

    test('a loan cannot be given back to a directory that is away, and is when it is there again', async () => {
      const { cluster, accounts } = await startWithSet(1)
      const out = await cluster.write(`${SET}/check-out`)
      await server.kill()
      try {
        expect((await cluster.write(`${SET}/check-in`)).status).toBe(502)
        await cluster.write('sys/leases/revoke', { lease_id: out.json['lease_id'] })
        await round(cluster)
        expect(await status(cluster)).toMatchObject({ [String(accounts[0])]: { available: false } })
      } finally {
        await server.start()
      }
      cluster.clock.advance('15m')
      await round(cluster)
      expect(await status(cluster)).toEqual({ [String(accounts[0])]: { available: true } })
      expect(await works(out.data)).toBe(false)
      expect(await works((await cluster.write(`${SET}/check-out`)).data)).toBe(true)
    })

    test('a set of accounts that are not all there is not stored, and can be corrected', async () => {
      const cluster = await startConnected(server)
      const account = await person()
      const names = (service_account_names: string[]) => ({ service_account_names })
      expect((await cluster.write(SET, names([account, 'nobody']))).status).toBe(400)
      expect((await cluster.read(SET)).status).toBe(404)
      expect((await cluster.write(SET, names([account]))).errors).toEqual([])
      expect(await works((await cluster.write(`${SET}/check-out`)).data)).toBe(true)
    })
  },
)

test.each([
  ['set', {}, "'service_account_names' must be provided"],
  ['set', { service_account_names: ['a', 'A'] }, 'service_account_names names an account twice'],
  [
    'set',
    { service_account_names: 'a', ttl: 2, max_ttl: 1 },
    'max_ttl (1 seconds) may not be less than ttl (2 seconds)',
  ],
  [
    'manage/set',
    { service_account_names: 'a' },
    'the name of a set does not begin with "manage/", nor end with check-in, check-out or status',
  ],
  ['set', { service_account_names: 'a' }, 'missing LDAP configuration: write it to config first'],
])('a set %s of %j is refused', async (name, set, text) => {
  const cluster = await startMounted()
  const { status, errors } = await cluster.write(`ldap/library/${name}`, set)
  expect(status).toBe(400)
  expect(errors).toEqual([text])
})

test('there is nothing to borrow in a set that is not there', async () => {
  const cluster = await startMounted()
  for (const verb of ['check-out', 'check-in']) {
    const { errors } = await cluster.write(`ldap/library/none/${verb}`)
    expect(errors).toEqual([`"none" doesn't exist`])
  }
  expect((await cluster.read('ldap/library/none/status')).errors).toEqual([`"none" doesn't exist`])
})

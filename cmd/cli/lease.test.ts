import { expect, test } from 'vitest'
import { Accounts, accountsEngine } from '../../test/support/accounts.ts'
import { memberOf } from '../../test/support/json.ts'
import { serveCluster } from './on-server.fixture.ts'

async function start() {
  const system = new Accounts()
  const served = await serveCluster({ nodes: 1, plugins: [accountsEngine(system)] })
  await served.run('secrets enable -path=acc -default-lease-ttl=1h -max-lease-ttl=3h accounts')
  const makeLease = async (): Promise<string> => {
    const { out } = await served.run('read -format=json acc/creds/app')
    return String(memberOf(JSON.parse(out), 'lease_id'))
  }
  return { ...served, system, makeLease }
}

test('a lease is looked up and renewed', async () => {
  const { run, makeLease } = await start()
  const id = await makeLease()
  const found = await run(`lease lookup ${id}`)
  expect(found).toMatchObject({ exitCode: 0, err: '' })
  expect(found.out).toMatch(/^id +acc\/creds\/app\/\S+$/m)
  expect(found.out).toMatch(/^ttl +(?:1h|59m\d+s)$/m)
  const renewed = await run(`lease renew -increment=2h ${id}`)
  expect(renewed.out).toMatch(/^lease_duration +2h$/m)
  expect(renewed.out).toMatch(/^lease_renewable +true$/m)
})

test('a lease is revoked: at once with -sync, else the answer says that it is queued', async () => {
  const { run, makeLease, system } = await start()
  const id = await makeLease()
  expect(system.names.size).toBe(1)
  expect((await run(`lease revoke -sync ${id}`)).out).toBe(`Success! Revoked lease: ${id}\n`)
  expect(system.names.size).toBe(0)
  expect((await run(`lease lookup ${id}`)).exitCode).toBe(2)
  expect((await run(`lease revoke ${await makeLease()}`)).out).toBe(
    'All revocation operations queued successfully!\n',
  )
})

test('all leases below a prefix are revoked, or given up where taking back fails', async () => {
  const { run, makeLease, system } = await start()
  await makeLease()
  await makeLease()
  const revoked = await run('lease revoke -prefix -sync acc/creds/')
  expect(revoked.out).toBe('Success! Revoked any leases with prefix: acc/creds/\n')
  expect(system.names.size).toBe(0)

  const stuck = await makeLease()
  system.before = () => Promise.reject(new Error('the other system is down'))
  expect((await run('lease revoke -force acc/')).err).toContain('also specifying -prefix')
  const forced = await run('lease revoke -force -prefix acc/')
  expect(forced.out).toBe('Success! Force revoked any leases with prefix: acc/\n')
  expect(forced.err).toContain('Warning! Force-removing leases')
  expect((await run(`lease lookup ${stuck}`)).exitCode).toBe(2)
})

test.each(['lookup', 'renew'])('lease %s without an id says so', async (verb) => {
  const { run } = await start()
  expect(await run(`lease ${verb}`)).toMatchObject({ exitCode: 1, err: 'Missing ID!\n' })
})

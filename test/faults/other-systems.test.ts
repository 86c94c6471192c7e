/**
 * A server that dies at every step of what it does in a real directory and a real broker: before and after each commit, before and after
 * each message. Afterwards the accounts there are those of the leases here, none more and none fewer, and every password that is known is right.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { leaseKey, leasePrefix, leaseRecords } from '../../core/leases/record.ts'
import { listBelow } from '../../core/store/deep.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { TestClock } from '../support/clock.ts'
import { startCluster, type Cluster } from '../support/kit.ts'
import { MANAGER, missingLdap, PEOPLE, startLdap, type LdapServer } from '../support/ldap-server.ts'
import { Fate, mortalConnection, mortalStorage } from '../support/mortal.ts'
import { ADMIN, missingRabbitMq, startRabbitMq, type RabbitMq } from '../support/rabbitmq-server.ts'
import { inStorage, keysBelow } from '../support/records.ts'

/** More than anything takes. */
const MOST_STEPS = 100
const START_MS = 90_000

interface Target {
  /** Of the system itself. */
  readonly port: number
  /** Everything as it is before the deed. */
  setUp(cluster: Cluster, port: number): Promise<unknown>
  /** What has to be true of the system, once the next server has done its duties. */
  verify(cluster: Cluster): Promise<void>
  /** And when all leases have ended. */
  verifyEnd(cluster: Cluster): Promise<void>
}
type Deed = (cluster: Cluster) => Promise<unknown>

/** @returns the steps that it takes */
async function dieAtEachStep(target: Target, deed: Deed): Promise<number> {
  for (let diesAt = 1; diesAt <= MOST_STEPS; diesAt++) {
    if (await lives(target, deed, diesAt)) return diesAt - 1
  }
  throw new Error('it never ends')
}

/** One server and the next. @returns whether the first one came to the end of the deed */
async function lives(target: Target, deed: Deed, diesAt: number): Promise<boolean> {
  const connection = await mortalConnection(target.port)
  const storage = new MemoryStorage()
  const fate = new Fate()
  connection.live(fate)
  const first = await startCluster({ nodes: 1, storage: mortalStorage(storage, fate) })
  await target.setUp(first, connection.port)
  fate.arm(diesAt)
  const hasEnded = await fate.during(() => deed(first))
  await first.close()

  connection.live(new Fate())
  const next = await startNext(storage, first)
  // What it had begun is over by then, and undone twice.
  for (const pause of ['3m', '11m', '1m', '1m']) await pass(next, pause)
  expect(await keysBelow(next, 'intent/')).toEqual([])
  await target.verify(next)
  await pass(next, '800h')
  await pass(next, '10s')
  await target.verifyEnd(next)
  for (const folder of ['ns/root/lease/', 'lease-due/']) {
    expect(await keysBelow(next, folder)).toEqual([])
  }
  await next.close()
  return hasEnded
}

async function startNext(storage: MemoryStorage, before: Cluster): Promise<Cluster> {
  const clock = new TestClock(before.clock.nowMs() + 60_000)
  const next = await startCluster({ nodes: 1, bare: true, storage, clock })
  const [key = ''] = before.unsealKeys
  await next.write('sys/unseal', { key }, { token: null })
  const token = before.rootToken
  const asRoot: Cluster['request'] = (method, path, options) =>
    next.request(method, path, { token, ...options })
  return {
    ...next,
    read: (path) => asRoot('GET', path),
    write: (path, body) => asRoot('POST', path, { body: body ?? {} }),
  }
}

async function pass(cluster: Cluster, span: string): Promise<void> {
  cluster.clock.advance(span)
  for (const node of cluster.nodes) await node.runDuties()
}

const INTERNAL = z.looseObject({ username: z.string().optional(), deletion: z.string().optional() })

async function leasesOf(cluster: Cluster) {
  return inStorage(cluster, async (root) => {
    const found: z.infer<typeof INTERNAL>[] = []
    for (const id of await listBelow(root, leasePrefix('root'), { limit: 100 })) {
      const lease = await root.get(leaseRecords, leaseKey({ namespaceId: 'root', id }))
      if (lease !== undefined) found.push(INTERNAL.parse(lease.internal))
    }
    return found
  })
}

const noRabbit = missingRabbitMq()
describe.skipIf(noRabbit !== undefined)(`a broker${noRabbit ? ` (${noRabbit})` : ''}`, () => {
  let broker: RabbitMq
  beforeAll(async () => {
    broker = await startRabbitMq()
  }, START_MS)
  afterAll(() => broker.stop())

  const target = (): Target => ({
    port: Number(new URL(broker.uri).port),
    async setUp(cluster, port) {
      await cluster.write('sys/mounts/mq', { type: 'rabbitmq' })
      const connection_uri = `http://127.0.0.1:${port}`
      await cluster.write('mq/config/connection', { connection_uri, ...ADMIN })
      const all = { configure: '.*', write: '.*', read: '.*' }
      await cluster.write('mq/roles/app', { vhosts: { '/': all } })
      await cluster.write('mq/config/lease', { ttl: '100h' })
      await cluster.read('mq/creds/app')
    },
    async verify(cluster) {
      const leased = (await leasesOf(cluster)).map(({ username }) => username)
      expect(await broker.users()).toEqual(leased.toSorted())
    },
    async verifyEnd() {
      expect(await broker.users()).toEqual([])
    },
  })

  test.each<[string, Deed]>([
    ['giving a user', (cluster) => cluster.read('mq/creds/app')],
    [
      'removing one',
      async (cluster) => {
        cluster.clock.advance('101h')
        await cluster.nodes[0]?.runDuties()
      },
    ],
  ])('dying at each step of %s leaves the users of the leases', async (_what, deed) => {
    expect(await dieAtEachStep(target(), deed)).toBeGreaterThanOrEqual(6)
  })
})

const noLdap = missingLdap()
describe.skipIf(noLdap !== undefined)(`a directory${noLdap ? ` (${noLdap})` : ''}`, () => {
  let server: LdapServer
  let people = 0
  beforeAll(async () => {
    server = await startLdap()
  })
  afterAll(() => server.stop())

  const DAY = { rotation_period: '24h' }
  const holds = (name: string, password: unknown) =>
    server.canBind(`cn=${name},${PEOPLE}`, String(password))
  /** The accounts that were made on demand: the others have been there before. */
  const made = async () =>
    (await server.below(PEOPLE)).filter((dn) => dn.startsWith('cn=v_')).toSorted()

  async function person(): Promise<string> {
    const name = `person-${++people}`
    await server.addPerson(name)
    return name
  }

  /** Two accounts of its own for each life: one has a role, one is lent; two more have neither yet. */
  function target(accounts: { role: string; lent: string; fresh: string }): Target {
    return {
      port: Number(new URL(server.url).port),
      async setUp(cluster, port) {
        await server.setPassword(MANAGER.dn, MANAGER.password)
        accounts.role = await person()
        accounts.lent = await person()
        accounts.fresh = await person()
        await cluster.write('sys/mounts/ldap', { type: 'ldap' })
        await cluster.write('ldap/config', {
          url: `ldap://127.0.0.1:${port}`,
          binddn: MANAGER.dn,
          bindpass: MANAGER.password,
          userdn: PEOPLE,
        })
        const entry = `dn: cn={{.Username}},${PEOPLE}\n`
        await cluster.write('ldap/role/app', {
          creation_ldif: `${entry}objectClass: person\nsn: a\n\n${entry}changetype: modify\nadd: userPassword\nuserPassword: {{.Password}}\n-\n`,
          deletion_ldif: `${entry}changetype: delete\n`,
          default_ttl: '100h',
        })
        await cluster.write('ldap/static-role/fixed', { username: accounts.role, ...DAY })
        await cluster.write('ldap/library/set', {
          service_account_names: accounts.lent,
          ttl: '100h',
          max_ttl: 0,
        })
        await cluster.read('ldap/creds/app')
        await cluster.write('ldap/library/set/check-out')
      },
      async verify(cluster) {
        const leased = (await leasesOf(cluster)).flatMap(({ deletion }) =>
          deletion === undefined ? [] : [/^dn: (.*)$/m.exec(deletion)?.[1]],
        )
        expect(await made()).toEqual(leased.toSorted())
        for (const [role, account] of [
          ['fixed', accounts.role],
          ['fresh', accounts.fresh],
        ] as const) {
          const { status, data } = await cluster.read(`ldap/static-cred/${role}`)
          if (role === 'fixed' || status === 200) {
            expect(await holds(account, data['password'])).toBe(true)
          }
        }
        // Whatever became of the loan, it can be ended, and what is lent next works.
        await cluster.write('ldap/library/manage/set/check-in')
        const { data } = await cluster.write('ldap/library/set/check-out')
        expect(await holds(accounts.lent, data['password'])).toBe(true)
        expect((await cluster.write('ldap/rotate-role/fixed')).errors).toEqual([])
      },
      async verifyEnd(cluster) {
        expect(await made()).toEqual([])
        const { data } = await cluster.read('ldap/library/set/status')
        expect(data[accounts.lent]).toEqual({ available: true })
      },
    }
  }

  const runDuties = (after: string): Deed => {
    return async (cluster) => {
      cluster.clock.advance(after)
      await cluster.nodes[0]?.runDuties()
    }
  }

  const accounts = { role: '', lent: '', fresh: '' }
  test.each<[string, Deed]>([
    ['giving an account', (cluster) => cluster.read('ldap/creds/app')],
    ['removing one, and ending a loan', runDuties('101h')],
    ['changing a password', (cluster) => cluster.write('ldap/rotate-role/fixed')],
    ['changing one by the clock', runDuties('25h')],
    ["changing the manager's", (cluster) => cluster.write('ldap/rotate-root')],
    [
      'taking an account over',
      (cluster) => cluster.write('ldap/static-role/fresh', { username: accounts.fresh, ...DAY }),
    ],
    [
      'lending one more',
      (cluster) =>
        cluster.write('ldap/library/set', {
          service_account_names: [accounts.lent, accounts.fresh],
        }),
    ],
    ['taking an account back', (cluster) => cluster.write('ldap/library/set/check-in')],
  ])('dying at each step of %s leaves what is known', async (_what, deed) => {
    onTestFinished(() => server.setPassword(MANAGER.dn, MANAGER.password))
    expect(await dieAtEachStep(target(accounts), deed)).toBeGreaterThanOrEqual(6)
  })
})

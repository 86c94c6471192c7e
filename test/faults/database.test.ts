/**
 * A real PostgreSQL, and whatever can go wrong between it and the server, at each step: before the connection, after CREATE ROLE,
 * before the commit, before the answer. Afterwards the users there are those of the leases here, none more and none fewer, and
 * every password that is stored is the one that holds.
 *
 * The server "dies" by having its storage and its wire taken away at once; `effect-kill.test.ts` does it with kill -9.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Storage } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { TestClock } from '../support/clock.ts'
import { startCluster, type Cluster } from '../support/kit.ts'
import { noPostgresql, startPostgresql, type Postgresql } from '../support/postgresql.ts'
import { keysBelow } from '../support/records.ts'
import { startWire, type Wire } from '../support/wire.ts'

const LATER = Date.UTC(2090, 0, 1)
const CREATE = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; GRANT SELECT ON things TO "{{name}}"`
/** More steps than anything takes. */
const MOST_STEPS = 200
/** Steps from one that is tried to the next; all of them where somebody has time. */
const STRIDE = process.env['KEYHOLD_KILL_ROUNDS'] === undefined ? 4 : 1
const STATIC = 'billing'

/** What may be interrupted; one user with a lease of an hour is there before. */
const DEEDS: Readonly<Record<string, (cluster: Cluster, leaseId: string) => Promise<unknown>>> = {
  give: (cluster) => cluster.read('db/creds/app'),
  renew: (cluster, lease_id) => cluster.write('sys/leases/renew', { lease_id, increment: 7200 }),
  revoke: (cluster, lease_id) => cluster.write('sys/leases/revoke', { lease_id, sync: true }),
  async expire(cluster) {
    cluster.clock.advance('2h')
    await cluster.nodes[0]?.runDuties()
  },
  'take over': (cluster) =>
    cluster.write('db/static-roles/other', {
      db_name: 'pg',
      username: 'other',
      rotation_period: '24h',
    }),
  rotate: (cluster) => cluster.write('db/rotate-role/s'),
  async 'rotate by the clock'(cluster) {
    cluster.clock.advance('25h')
    await cluster.nodes[0]?.runDuties()
  },
  'rotate the root': (cluster) => cluster.write('db/rotate-root/pg'),
}

interface Place {
  readonly storage: MemoryStorage
  readonly cluster: Cluster
  readonly leaseId: string
  readonly life: {
    /** Nothing can be stored any more. */
    isDead: boolean
    /** Told before and after each commit. */
    onCommit: () => void
  }
}

describe.skipIf(noPostgresql !== undefined)(`faults with PostgreSQL ${noPostgresql ?? ''}`, () => {
  let database: Postgresql
  let wire: Wire

  beforeAll(async () => {
    database = await startPostgresql(["log_statement = 'none'"])
    wire = await startWire(database.port)
    await database.query('CREATE TABLE things (id int)')
  })
  afterAll(async () => {
    await wire.close()
    await database.stop()
  })

  async function newPlace(): Promise<Place> {
    wire.onTraffic = () => undefined
    wire.up()
    await database.query(`DO $$ BEGIN
      DROP ROLE IF EXISTS engine, ${STATIC}, other;
      CREATE ROLE engine SUPERUSER LOGIN PASSWORD 'first';
      CREATE ROLE ${STATIC} LOGIN PASSWORD 'first';
      CREATE ROLE other LOGIN PASSWORD 'first'; END $$`)
    const storage = new MemoryStorage()
    const life = { isDead: false, onCommit: () => undefined }
    const mortal: Storage = {
      get: (key) => storage.get(key),
      list: (prefix, options) => storage.list(prefix, options),
      watch: (since) => storage.watch(since),
      close: () => Promise.resolve(),
      async commit(change) {
        life.onCommit()
        if (life.isDead) throw new Error('the server is dead')
        const result = await storage.commit(change)
        life.onCommit()
        return result
      },
    }
    const cluster = await startCluster({ nodes: 1, storage: mortal, clock: new TestClock(LATER) })
    await cluster.write('sys/mounts/db', { type: 'database' })
    await configure(cluster)
    const creation_statements = CREATE
    const role = { db_name: 'pg', creation_statements, default_ttl: '1h', max_ttl: '24h' }
    await cluster.write('db/roles/app', role)
    const taken = { db_name: 'pg', username: STATIC, rotation_period: '24h' }
    expect((await cluster.write('db/static-roles/s', taken)).errors).toEqual([])
    const leaseId = String((await cluster.read('db/creds/app')).json['lease_id'])
    return { storage, cluster, leaseId, life }
  }

  function configure(cluster: Cluster) {
    return cluster.write('db/config/pg', {
      plugin_name: 'postgresql-database-plugin',
      connection_url: `postgresql://{{username}}:{{password}}@127.0.0.1:${wire.port}/postgres?sslmode=disable`,
      username: 'engine',
      password: 'first',
      allowed_roles: '*',
    })
  }

  /** @param fault what happens at that step @returns false: it was done before it came to that */
  async function isInterrupted(
    place: Place,
    what: string,
    { at, fault }: { at: number; fault: () => void },
  ): Promise<boolean> {
    let steps = 0
    const step = () => {
      if (++steps === at) fault()
    }
    wire.onTraffic = step
    place.life.onCommit = step
    await DEEDS[what]?.(place.cluster, place.leaseId)
    wire.onTraffic = () => undefined
    place.life.onCommit = () => undefined
    return steps >= at
  }

  /** Another server over the same storage, after the first has died. */
  async function successor({ storage, cluster }: Place): Promise<Cluster> {
    await cluster.close()
    wire.up()
    const next = await startCluster({
      nodes: 1,
      bare: true,
      storage,
      clock: new TestClock(cluster.clock.nowMs() + 7_200_000),
    })
    await next.write('sys/unseal', { key: cluster.unsealKeys[0] }, { token: null })
    return next
  }

  async function expectAgreement(cluster: Cluster, token: string): Promise<void> {
    for (const pause of ['3m', '11m', '6m', '1m']) {
      cluster.clock.advance(pause)
      await cluster.nodes[0]?.runDuties()
    }
    expect(await keysBelow(cluster, 'intent/')).toEqual([])
    const leases = await keysBelow(cluster, 'ns/root/lease/db/creds/app/')
    expect(await database.users('v-')).toHaveLength(leases.length)
    for (const name of ['s', 'other']) {
      const { status, data } = await cluster.read(`db/static-creds/${name}`, { token })
      if (status !== 200) continue
      expect(await database.login(String(data['username']), String(data['password']))).toBe(true)
    }
    // The connection's own password holds as well.
    expect((await cluster.write('db/reset/pg', {}, { token })).errors).toEqual([])
    await cluster.write('sys/leases/revoke-prefix/db', {}, { token })
    for (let i = 0; i < 3; i++) {
      cluster.clock.advance('1m')
      await cluster.nodes[0]?.runDuties()
    }
    expect(await database.users('v-')).toEqual([])
    await cluster.close()
  }

  test.each(Object.keys(DEEDS))(
    'a server that dies at any step of "%s" leaves nothing that nobody undoes',
    { timeout: 120_000 },
    async (what) => {
      let at = 1
      for (; at < MOST_STEPS; at += STRIDE) {
        const place = await newPlace()
        const fault = () => {
          place.life.isDead = true
          wire.down()
        }
        const interrupted = await isInterrupted(place, what, { at, fault })
        await expectAgreement(await successor(place), place.cluster.rootToken)
        if (!interrupted) break
      }
      // Two commits at least, and a statement with its answer.
      expect(at).toBeGreaterThan(6)
      expect(at).toBeLessThan(MOST_STEPS)
    },
  )

  test.each(Object.keys(DEEDS))(
    'a connection that is cut at any step of "%s" leaves nothing that nobody undoes',
    { timeout: 120_000 },
    async (what) => {
      for (let at = 2; at < MOST_STEPS; at += STRIDE) {
        const place = await newPlace()
        const interrupted = await isInterrupted(place, what, { at, fault: () => wire.cut() })
        await expectAgreement(place.cluster, place.cluster.rootToken)
        if (!interrupted) break
      }
    },
  )

  test('a database that is away for minutes: what ended meanwhile is removed when it is back', async () => {
    const { cluster } = await newPlace()
    for (let i = 0; i < 20; i++) await cluster.read('db/creds/app')
    expect(await database.users('v-')).toHaveLength(21)
    wire.down()
    cluster.clock.advance('61m')
    for (let i = 0; i < 10; i++) {
      await cluster.nodes[0]?.runDuties()
      cluster.clock.advance('1m')
    }
    expect((await cluster.read('db/creds/app')).status).toBe(502)
    expect(await keysBelow(cluster, 'ns/root/lease/db/creds/app/')).toHaveLength(21)
    wire.up()
    // At once, instead of after the pause of some seconds.
    await cluster.write('db/reset/pg')
    cluster.clock.advance('1h')
    await cluster.nodes[0]?.runDuties()
    await expectAgreement(cluster, cluster.rootToken)
  })

  test('a database that hangs holds up no other one of the same mount', async () => {
    const { cluster } = await newPlace()
    const { url, user, password } = database
    const direct = { connection_url: url, username: user, password, allowed_roles: '*' }
    await cluster.write('db/config/direct', {
      plugin_name: 'postgresql-database-plugin',
      ...direct,
    })
    const role = { db_name: 'direct', creation_statements: CREATE, default_ttl: '1h' }
    await cluster.write('db/roles/direct', role)
    for (let i = 0; i < 100; i++) await cluster.read('db/creds/app')
    for (let i = 0; i < 20; i++) await cluster.read('db/creds/direct')
    wire.block()
    onTestFinished(() => wire.up())
    cluster.clock.advance('61m')
    const seen = async () => (await keysBelow(cluster, 'ns/root/lease/db/creds/direct/')).length
    for (let i = 0; i < 40 && (await seen()) > 0; i++) {
      const round = cluster.nodes[0]?.runDuties()
      await expect
        .poll(seen, { timeout: 200 })
        .toBe(0)
        .catch(() => undefined)
      cluster.clock.advance('2s')
      await round
    }
    expect(await seen()).toBe(0)
    wire.up()
    wire.cut()
    await cluster.write('db/reset/pg')
    for (let i = 0; i < 4; i++) {
      cluster.clock.advance('61m')
      await cluster.nodes[0]?.runDuties()
    }
    await expectAgreement(cluster, cluster.rootToken)
  })
})

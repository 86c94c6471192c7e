import { describe, expect, onTestFinished, test } from 'vitest'
import { Accounts, accountsEngine } from '../../test/support/accounts.ts'
import { memberOf } from '../../test/support/json.ts'
import { startCluster, type Answer, type Cluster } from '../../test/support/kit.ts'
import { keysBelow, putPolicy } from '../../test/support/records.ts'
import { BadRequest } from '../errors.ts'

async function start() {
  const system = new Accounts()
  const cluster = await startCluster({ plugins: [accountsEngine(system)] })
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/acc', {
    type: 'accounts',
    config: { default_lease_ttl: '1h', max_lease_ttl: '3h' },
  })
  return { cluster, system }
}

const leaseIdOf = (answer: Answer) => String(answer.json['lease_id'])
const lookup = (cluster: Cluster, leaseId: string) =>
  cluster.write('sys/leases/lookup', { lease_id: leaseId })
const renew = (cluster: Cluster, leaseId: string, increment?: string) =>
  cluster.write('sys/leases/renew', { lease_id: leaseId, increment })
const NO_LEASE = { status: 400, errors: ['invalid lease'] }

/** One round of the timed duties, on whichever node does them. */
async function round(cluster: Cluster) {
  for (const node of cluster.nodes) await node.runDuties()
}

/** All that is stored about leases and intents. */
async function left(cluster: Cluster) {
  const keys: string[] = []
  for (const folder of [
    'lease-due/',
    'token-lease/',
    'mount-lease/',
    'intent/',
    'ns/root/lease/',
  ]) {
    keys.push(...(await keysBelow(cluster, folder)))
  }
  return keys
}

async function tokenWithAccess(cluster: Cluster, more: object = {}) {
  await putPolicy(cluster, 'acc', 'path "acc/*" { capabilities = ["read"] }')
  const made = await cluster.write('auth/token/create', { policies: ['acc'], ttl: '2h', ...more })
  return String(made.auth['client_token'])
}

describe('a secret that ends', () => {
  test('comes with a lease that any node can look up', async () => {
    const { cluster, system } = await start()
    const made = await cluster.read('acc/creds/app')
    expect(made).toMatchObject({
      status: 200,
      json: {
        renewable: true,
        lease_duration: 3600,
        data: { username: expect.stringMatching('v-app-') },
      },
    })
    expect(leaseIdOf(made)).toMatch(/^acc\/creds\/app\/[0-9A-Za-z]{24}$/)
    expect(system.names).toEqual(new Set([made.data['username']]))
    cluster.clock.advance('10m')
    expect((await lookup(cluster, leaseIdOf(made))).data).toEqual({
      id: leaseIdOf(made),
      issue_time: '2026-01-01T00:00:00Z',
      expire_time: '2026-01-01T01:00:00Z',
      last_renewal: null,
      path: 'acc/creds/app',
      renewable: true,
      ttl: 3000,
    })
    expect(await keysBelow(cluster, 'intent/')).toEqual([])
  })

  test('is gone in the other system after its time, and nothing is left of its lease', async () => {
    const { cluster, system } = await start()
    await cluster.read('acc/creds/app')
    const longer = await cluster.read('acc/creds/app?ttl=2h')
    cluster.clock.advance('1h')
    await round(cluster)
    expect(system.names).toEqual(new Set([longer.data['username']]))
    cluster.clock.advance('1h')
    await round(cluster)
    expect(system.names.size).toBe(0)
    expect(await left(cluster)).toEqual([])
    expect(cluster.failures).toEqual([])
  })

  test('that lies in the storage alone goes with its lease', async () => {
    const { cluster } = await start()
    await cluster.read('acc/note?ttl=10m')
    const notes = async () =>
      (await keysBelow(cluster, 'mount/')).filter((key) => key.includes('/notes/'))
    expect(await notes()).toHaveLength(1)
    cluster.clock.advance('10m')
    await round(cluster)
    expect(await notes()).toEqual([])
    expect(await left(cluster)).toEqual([])
  })

  test('is wrapped with its lease', async () => {
    const { cluster } = await start()
    const made = await cluster.read('acc/creds/app', { headers: { 'x-vault-wrap-ttl': '60s' } })
    const token = String(Reflect.get(Object(made.json['wrap_info']), 'token'))
    expect(made.json).toMatchObject({ lease_id: '', data: null })
    const opened = await cluster.write('sys/wrapping/unwrap', {}, { token })
    expect((await lookup(cluster, leaseIdOf(opened))).status).toBe(200)
  })

  test('is not given to a token with one use left, and not kept', async () => {
    const { cluster, system } = await start()
    const token = await tokenWithAccess(cluster, { num_uses: 1 })
    expect(await cluster.read('acc/creds/app', { token })).toMatchObject({
      status: 400,
      errors: [
        'Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.',
      ],
    })
    await round(cluster)
    expect(system.names.size).toBe(0)
  })
})

describe('renewal', () => {
  test('counts from now, and never gets past the maximum', async () => {
    const { cluster } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app'))
    cluster.clock.advance('50m')
    expect(await renew(cluster, id)).toMatchObject({
      status: 200,
      json: { lease_id: id, renewable: true, lease_duration: 3600, data: null },
    })
    expect((await renew(cluster, id, '10m')).json['lease_duration']).toBe(600)
    const capped = await renew(cluster, id, '99h')
    expect(capped.json['lease_duration']).toBe(3600 * 3 - 50 * 60)
    expect(capped.json['warnings']).toHaveLength(1)
    cluster.clock.advance('1h')
    await round(cluster)
    expect((await lookup(cluster, id)).data).toMatchObject({
      ttl: 3600 * 3 - 110 * 60,
      last_renewal: '2026-01-01T00:50:00Z',
    })
  })

  test('ends a little before the maximum: never later, and never for ever', async () => {
    const { cluster } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app?ttl=3h'))
    cluster.clock.advance(3600 * 3 - 0.5)
    expect(await renew(cluster, id)).toMatchObject({
      status: 400,
      errors: ['past the max TTL, cannot renew'],
    })
    cluster.clock.advance(0.5)
    expect(await renew(cluster, id)).toMatchObject({ status: 400, errors: ['lease expired'] })
  })

  test.each([
    ['one that is not renewable', 'acc/note', 'lease is not renewable'],
    ['one that was declared so', 'acc/creds/app?renewable=false', 'lease is not renewable'],
  ])('%s is refused', async (_what, from, text) => {
    const { cluster } = await start()
    const id = leaseIdOf(await cluster.read(from))
    expect(await renew(cluster, id)).toMatchObject({ status: 400, errors: [text] })
  })

  test('what is none, or a token, is told apart', async () => {
    const { cluster } = await start()
    expect(await renew(cluster, 'nope')).toMatchObject({ status: 400, errors: ['lease not found'] })
    expect(await renew(cluster, '')).toMatchObject({ errors: ['lease_id must be specified'] })
    await tokenWithAccess(cluster)
    const listed = await cluster.list('sys/leases/lookup/auth/token/create')
    const id = `auth/token/create/${String(memberOf(listed.data['keys'], '0'))}`
    expect(await renew(cluster, id)).toMatchObject({
      errors: ['tokens cannot be renewed through this endpoint'],
    })
    expect((await lookup(cluster, id)).data).toMatchObject({
      id,
      ttl: 7200,
      path: 'auth/token/create',
    })
  })
})

describe('revocation', () => {
  test('is done when it is answered', async () => {
    const { cluster, system } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app'))
    expect((await cluster.write(`sys/leases/revoke/${id}`)).status).toBe(204)
    expect(system.names.size).toBe(0)
    expect(await left(cluster)).toEqual([])
    expect(await lookup(cluster, id)).toMatchObject(NO_LEASE)
    expect((await cluster.write('sys/leases/revoke', { lease_id: id })).status).toBe(204)
  })

  test('that nobody waits for is sure from its answer on', async () => {
    const { cluster, system } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app'))
    expect((await cluster.write('sys/leases/revoke', { lease_id: id, sync: false })).status).toBe(
      202,
    )
    expect(await renew(cluster, id)).toMatchObject({ status: 400, errors: ['lease expired'] })
    expect(await lookup(cluster, id)).toMatchObject(NO_LEASE)
    await round(cluster)
    expect(system.names.size).toBe(0)
  })

  test('by prefix takes what came from below a path, tokens too, and nothing beside', async () => {
    const { cluster, system } = await start()
    for (const role of ['app', 'app', 'application']) await cluster.read(`acc/creds/${role}`)
    const token = await tokenWithAccess(cluster)
    expect((await cluster.write('sys/leases/revoke-prefix/acc/creds/app')).status).toBe(204)
    expect([...system.names]).toEqual([expect.stringMatching(/^v-application-/)])
    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(200)
    expect((await cluster.write('sys/leases/revoke-prefix/auth/token')).status).toBe(204)
    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(403)
    expect((await cluster.read('auth/token/lookup-self')).status).toBe(200)
    expect(await keysBelow(cluster, 'revocation-order/')).toEqual([])
  })

  test('by prefix takes the lease whose whole id it is', async () => {
    const { cluster, system } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app'))
    await cluster.read('acc/creds/app')
    expect((await cluster.write(`sys/leases/revoke-prefix/${id}`)).status).toBe(204)
    expect(system.names.size).toBe(1)
  })

  test('by prefix goes on in the duties when who asked does not wait', async () => {
    const { cluster, system } = await start()
    for (let i = 0; i < 450; i++) await cluster.read('acc/creds/app')
    const answer = await cluster.write('sys/leases/revoke-prefix/acc', { sync: false })
    expect(answer.status).toBe(202)
    await round(cluster)
    expect(system.names.size).toBe(0)
    expect(await left(cluster)).toEqual([])
  })

  test('is of what was given to a token, when that is revoked or ends', async () => {
    const { cluster, system } = await start()
    const first = await tokenWithAccess(cluster)
    const id = leaseIdOf(await cluster.read('acc/creds/app', { token: first }))
    await cluster.write('auth/token/revoke', { token: first })
    expect(await lookup(cluster, id)).toMatchObject(NO_LEASE)
    expect((await renew(cluster, id)).status).toBe(400)
    const second = await tokenWithAccess(cluster)
    await cluster.read('acc/creds/app?ttl=3h', { token: second })
    await round(cluster)
    expect(system.names.size).toBe(1)
    cluster.clock.advance('2h')
    await round(cluster)
    expect(system.names.size).toBe(0)
    expect(await left(cluster)).toEqual([])
  })

  test('is of what was given to a child, when its parent is revoked', async () => {
    const { cluster, system } = await start()
    await putPolicy(cluster, 'p', 'path "*" { capabilities = ["read", "update", "sudo"] }')
    const parent = await cluster.write('auth/token/create', { policies: ['p'] })
    const token = String(parent.auth['client_token'])
    const child = await cluster.write('auth/token/create', { policies: ['p'] }, { token })
    await cluster.read('acc/creds/app', { token: String(child.auth['client_token']) })
    await cluster.write('auth/token/revoke', { token })
    await round(cluster)
    expect(system.names.size).toBe(0)
  })

  test('is of all that a mount gave out, when that is removed: with the settings that it had', async () => {
    const { cluster, system } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app'))
    expect((await cluster.remove('sys/mounts/acc')).status).toBe(204)
    expect(await lookup(cluster, id)).toMatchObject(NO_LEASE)
    await round(cluster)
    await round(cluster)
    expect(system.names.size).toBe(0)
    expect(await left(cluster)).toEqual([])
    expect(await keysBelow(cluster, 'purge/')).toEqual([])
    expect(cluster.failures).toEqual([])
  })

  test('follows a mount that was moved', async () => {
    const { cluster, system } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app'))
    await cluster.write('sys/remount', { from: 'acc', to: 'moved' })
    expect((await renew(cluster, id)).status).toBe(200)
    await cluster.remove('sys/mounts/moved')
    await round(cluster)
    expect(system.names.size).toBe(0)
  })
})

describe('of a batch token', () => {
  test('a lease never outlives it', async () => {
    const { cluster, system } = await start()
    const token = await tokenWithAccess(cluster, { type: 'batch', ttl: '5m' })
    const made = await cluster.read('acc/creds/app', { token })
    expect(made.json['lease_duration']).toBe(300)
    cluster.clock.advance('1m')
    const renewed = await renew(cluster, leaseIdOf(made), '1h')
    expect(renewed.json['lease_duration']).toBe(240)
    cluster.clock.advance('4m')
    await round(cluster)
    expect(system.names.size).toBe(0)
  })

  test('a lease ends with its parent', async () => {
    const { cluster, system } = await start()
    await putPolicy(cluster, 'p', 'path "*" { capabilities = ["read", "update"] }')
    const parent = await cluster.write('auth/token/create', { policies: ['p'] })
    const by = { token: String(parent.auth['client_token']) }
    const child = await cluster.write('auth/token/create', { type: 'batch', ttl: '1h' }, by)
    await cluster.read('acc/creds/app', { token: String(child.auth['client_token']) })
    await cluster.write('auth/token/revoke', by)
    await round(cluster)
    expect(system.names.size).toBe(0)
  })
})

describe('a system that does not do what it is asked for', () => {
  const refuse = () => {
    throw new BadRequest('the system is away')
  }

  test('is asked again, later and later; then an operator has to', async () => {
    const { cluster, system } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app'))
    system.before = refuse
    cluster.clock.advance('1h')
    for (const pause of [10, 20, 40, 80, 160, 0]) {
      const before = system.removals
      await round(cluster)
      await round(cluster)
      expect(system.removals).toBe(before + 1)
      cluster.clock.advance(pause)
    }
    cluster.clock.advance('24h')
    await round(cluster)
    expect(system.removals).toBe(6)
    expect((await lookup(cluster, id)).data).toMatchObject({
      renewable: false,
      revoke_error: 'the system is away',
    })
    const accessor = memberOf((await cluster.read('sys/mounts')).data, 'acc/', 'accessor')
    expect((await cluster.read('sys/leases/count?type=irrevocable')).data).toEqual({
      lease_count: 1,
      counts: { [String(accessor)]: 1 },
    })
    expect((await cluster.read('sys/leases?type=irrevocable')).data['leases']).toEqual([
      { lease_id: id, mount_id: accessor, error: 'the system is away' },
    ])
    system.before = () => undefined
    expect((await cluster.write('sys/leases/revoke', { lease_id: id })).status).toBe(204)
    expect(system.names.size).toBe(0)
    expect(await left(cluster)).toEqual([])
    expect(await keysBelow(cluster, 'irrevocable-lease/')).toEqual([])
  })

  test('is told to who waits, and the lease is not forgotten', async () => {
    const { cluster, system } = await start()
    const id = leaseIdOf(await cluster.read('acc/creds/app'))
    system.before = refuse
    expect(await cluster.write('sys/leases/revoke', { lease_id: id })).toMatchObject({
      status: 400,
      errors: [`failed to revoke "${id}": the system is away`],
    })
    expect((await cluster.write('sys/leases/revoke-prefix/acc')).status).toBe(400)
    system.before = () => undefined
    cluster.clock.advance('1m')
    await round(cluster)
    expect(system.names.size).toBe(0)
  })

  test('keeps a removed mount until an operator forces it', async () => {
    const { cluster, system } = await start()
    await cluster.read('acc/creds/app')
    system.before = refuse
    await cluster.remove('sys/mounts/acc')
    for (let i = 0; i < 8; i++) {
      await round(cluster)
      cluster.clock.advance('10m')
    }
    expect((await cluster.read('sys/leases?type=irrevocable')).data['lease_count']).toBe(1)
    expect(await keysBelow(cluster, 'purge/')).toHaveLength(1)
    expect((await cluster.write('sys/leases/revoke-force/acc')).status).toBe(204)
    await round(cluster)
    expect(await left(cluster)).toEqual([])
    expect(await keysBelow(cluster, 'purge/')).toEqual([])
  })

  test('holds up nothing of another mount', async () => {
    const { cluster, system } = await start()
    await cluster.write('sys/mounts/other', { type: 'accounts' })
    for (let i = 0; i < 200; i++) await cluster.read('acc/creds/hung?ttl=1m')
    await cluster.read('other/creds/app?ttl=2m')
    system.before = (_what, name) =>
      name.startsWith('v-hung') ? new Promise<void>(() => undefined) : undefined
    cluster.clock.advance('2m')
    const [node] = cluster.nodes
    const rounds = node?.runDuties()
    await expect
      .poll(() => [...system.names].filter((name) => name.startsWith('v-app')))
      .toEqual([])
    // It waits for a second for those that hang, and then goes on without them.
    cluster.clock.advance('5s')
    await rounds
  })
})

import { describe, expect, onTestFinished, test } from 'vitest'
import { Accounts, accountsEngine } from '../../test/support/accounts.ts'
import { objectsOf } from '../../test/support/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { inStorage, keysBelow, putPolicy } from '../../test/support/records.ts'
import { BadRequest, NothingDone } from '../errors.ts'
import { overdueIntents } from './intents.ts'

async function start() {
  const system = new Accounts()
  const cluster = await startCluster({ plugins: [accountsEngine(system)] })
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/acc', { type: 'accounts' })
  return { cluster, system }
}

async function round(cluster: Cluster) {
  for (const node of cluster.nodes) await node.runDuties()
}

async function intents(cluster: Cluster) {
  return objectsOf((await cluster.read('sys/intents')).data['intents'])
}

/** What is stored of leases and intents. */
async function stored(cluster: Cluster) {
  const leases = await keysBelow(cluster, 'ns/root/lease/')
  return { leases: leases.length, intents: (await keysBelow(cluster, 'intent/')).length }
}

const NOTHING = { leases: 0, intents: 0 }

/** A gate that a test opens. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { wait: () => promise, open: resolve }
}

test('what is done outside was announced before, and the announcement goes with the result', async () => {
  const { cluster, system } = await start()
  const before: unknown[] = []
  system.before = async () => void before.push(await intents(cluster))
  const made = await cluster.read('acc/creds/app')
  expect(before).toEqual([
    [
      {
        id: made.json['request_id'],
        namespace: '',
        path: 'acc/creds/app',
        mount_accessor: expect.stringMatching(/^accounts_/),
        mount_type: 'accounts',
        type: 'account',
        accessor: expect.any(String),
        state: 'open',
        opened: '2026-01-01T00:00:00Z',
        next_attempt: '2026-01-01T00:02:30Z',
        undone: null,
        attempts: 0,
        error: '',
      },
    ],
  ])
  expect(await stored(cluster)).toEqual({ leases: 1, intents: 0 })
})

describe('a request that fails leaves nothing behind', () => {
  const refused = () => {
    throw new BadRequest('the system refuses')
  }
  const broken = () => {
    throw new Error('connection lost: secret-password')
  }

  test.each([
    ['is refused before anything is done', 'before', refused, 400, 'the system refuses'],
    ['breaks before anything is done', 'before', broken, 500, 'internal error'],
    ['breaks after it was done', 'after', broken, 500, 'internal error'],
  ] as const)('when it %s', async (_what, when, failure, status, text) => {
    const { cluster, system } = await start()
    system[when] = (what) => (what === 'create' ? failure() : undefined)
    expect(await cluster.read('acc/creds/app')).toMatchObject({ status, errors: [text] })
    await round(cluster)
    expect(system.names.size).toBe(0)
    expect((await intents(cluster)).map(({ state }) => state)).toEqual(['undone'])
    cluster.clock.advance('10m')
    await round(cluster)
    expect(await stored(cluster)).toEqual(NOTHING)
  })

  test('nor has anything to be undone where certainly nothing was done', async () => {
    const { cluster, system } = await start()
    system.before = () => {
      throw new NothingDone(400, 'there is one of that name')
    }
    expect((await cluster.read('acc/creds/app')).status).toBe(400)
    expect(await stored(cluster)).toEqual(NOTHING)
    await round(cluster)
    expect(system.removals).toBe(0)
  })

  test('when the system hangs: the client is told, and what appears later is undone as well', async () => {
    const { cluster, system } = await start()
    const hung = gate()
    system.before = (what) => (what === 'create' ? hung.wait() : undefined)
    const answer = cluster.read('acc/creds/app')
    await expect.poll(() => intents(cluster)).toHaveLength(1)
    cluster.clock.advance('91s')
    expect(await answer).toMatchObject({
      status: 504,
      errors: ['the other system did not answer within 90 s'],
    })
    await round(cluster)
    expect(system.removals).toBe(1)
    hung.open()
    await expect.poll(() => system.names.size).toBe(1)
    cluster.clock.advance('10m')
    await round(cluster)
    expect(system.names.size).toBe(0)
    expect(await stored(cluster)).toEqual(NOTHING)
  })

  test('when its token is revoked meanwhile', async () => {
    const { cluster, system } = await start()
    await putPolicy(cluster, 'p', 'path "acc/*" { capabilities = ["read"] }')
    const made = await cluster.write('auth/token/create', { policies: ['p'] })
    const token = String(made.auth['client_token'])
    system.after = async (what) => {
      if (what === 'create') await cluster.write('auth/token/revoke', { token })
    }
    expect((await cluster.read('acc/creds/app', { token })).status).toBe(403)
    await round(cluster)
    expect(system.names.size).toBe(0)
    expect((await stored(cluster)).leases).toBe(0)
  })

  test('when its mount is removed meanwhile', async () => {
    const { cluster, system } = await start()
    system.after = async (what) => {
      if (what === 'create') await cluster.remove('sys/mounts/acc')
    }
    expect((await cluster.read('acc/creds/app')).status).toBe(404)
    await round(cluster)
    expect(system.names.size).toBe(0)
    expect(await keysBelow(cluster, 'purge/')).toHaveLength(1)
    cluster.clock.advance('10m')
    await round(cluster)
    await round(cluster)
    expect(await keysBelow(cluster, 'purge/')).toEqual([])
    expect(await stored(cluster)).toEqual(NOTHING)
  })
})

test('a node that dies in the middle: another one undoes it when its time is over', async () => {
  const { cluster, system } = await start()
  const [dying, other] = cluster.nodes
  system.after = async (what) => {
    if (what !== 'create') return
    dying?.close()
    await Promise.resolve()
  }
  expect((await cluster.read('acc/creds/app', { node: 0 })).status).toBe(503)
  await other?.runDuties()
  expect(system.names.size).toBe(1)
  cluster.clock.advance('3m')
  await other?.runDuties()
  expect(system.names.size).toBe(0)
})

test('a request that comes back when it is being undone is refused', async () => {
  const { cluster, system } = await start()
  system.after = async (what) => {
    if (what !== 'create') return
    // As a node does whose clock is minutes ahead.
    const [key = ''] = await keysBelow(cluster, 'intent/')
    await inStorage(cluster, (root) => overdueIntents.claim(root, key))
  }
  expect(await cluster.read('acc/creds/app')).toMatchObject({
    status: 503,
    errors: [expect.stringContaining('it took too long')],
  })
  cluster.clock.advance('3m')
  await round(cluster)
  expect(system.names.size).toBe(0)
  expect((await stored(cluster)).leases).toBe(0)
})

test('what cannot be undone stays listed with its reason, and is tried by hand or forgotten', async () => {
  const { cluster, system } = await start()
  system.before = () => {
    throw new BadRequest('the system is away')
  }
  const { json } = await cluster.read('acc/creds/app')
  const failed = json['request_id'] ?? (await intents(cluster))[0]?.['id']
  await round(cluster)
  expect(await intents(cluster)).toMatchObject([
    { id: failed, state: 'failed', error: 'the system is away', attempts: 1 },
  ])
  const before = system.removals
  await round(cluster)
  expect(system.removals).toBe(before)
  expect((await cluster.write(`sys/intents/${String(failed)}/retry`)).status).toBe(204)
  await round(cluster)
  expect(system.removals).toBe(before + 1)
  expect((await cluster.remove(`sys/intents/${String(failed)}`)).status).toBe(204)
  expect(await stored(cluster)).toEqual(NOTHING)
  expect((await cluster.remove(`sys/intents/${String(failed)}`)).status).toBe(400)
})

test('nobody meddles with a request that is on its way', async () => {
  const { cluster, system } = await start()
  let answers: number[] = []
  system.before = async () => {
    const [{ id } = {}] = await intents(cluster)
    const retried = await cluster.write(`sys/intents/${String(id)}/retry`)
    const forgotten = await cluster.remove(`sys/intents/${String(id)}`)
    answers = [retried.status, forgotten.status]
  }
  expect((await cluster.read('acc/creds/app')).status).toBe(200)
  expect(answers).toEqual([400, 400])
})

test('how to undo it is shown to nobody', async () => {
  const { cluster, system } = await start()
  const names: string[] = []
  system.before = (_what, name) => {
    names.push(name)
    throw new BadRequest('away')
  }
  await cluster.read('acc/creds/app')
  const { text } = await cluster.read('sys/intents')
  expect(names).toHaveLength(1)
  expect(text).not.toContain(names[0])
})

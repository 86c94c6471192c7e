import { describe, expect, test } from 'vitest'
import { StorageUnavailable, type Commit } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { FOREIGN_SHARE, startShared, type SharedCluster } from './sharing.fixture.ts'

const INIT = 'sys/rekey/init'
const UPDATE = 'sys/rekey/update'
const VERIFY = 'sys/rekey/verify'
const TWO_OF_TWO = { secret_shares: 2, secret_threshold: 2 }
const IDLE = { nonce: '', started: false, t: 0, n: 0, progress: 0, verification_required: false }

function keysOf({ json }: { json: Record<string, unknown> }): string[] {
  const keys = json['keys_base64']
  return Array.isArray(keys) ? keys.map(String) : []
}

async function begin(shared: SharedCluster, body: Record<string, unknown> = {}) {
  const { json } = await shared.post(INIT, { ...TWO_OF_TWO, ...body })
  const nonce = String(json['nonce'])
  return { nonce, give: (key: string | undefined) => shared.post(UPDATE, { key, nonce }) }
}

/** Replaces the shares, without verification. @returns the new ones */
async function rekey(shared: SharedCluster, present: readonly string[]): Promise<string[]> {
  const { give } = await begin(shared)
  await give(present[0])
  return keysOf(await give(present[1]))
}

/** Seals both nodes; gives each of them these shares. @returns whether they opened */
async function opensWith(shared: SharedCluster, keys: readonly string[]): Promise<boolean> {
  const { cluster, token } = shared
  for (const node of cluster.nodes) node.close()
  await shared.unsealAll(keys)
  const statuses = []
  for (const node of cluster.nodes.keys())
    statuses.push((await cluster.read('auth/token/lookup-self', { token, node })).status)
  for (const node of cluster.nodes.keys())
    if (statuses[node] !== 200)
      await cluster.write('sys/unseal', { reset: true }, { token: null, node })
  return statuses.every((status) => status === 200)
}

describe('new shares', () => {
  test('come of present ones that were given at different nodes, and open from then on instead of them', async () => {
    const shared = await startShared()
    const { cluster, keys, get } = shared
    const { nonce, give } = await begin(shared)
    expect((await give(keys[2])).json).toMatchObject({
      nonce,
      progress: 1,
      required: 2,
      t: 2,
      n: 2,
    })

    const last = await give(keys[0])

    expect(last.json).toMatchObject({ nonce, complete: true, verification_required: false })
    const made = keysOf(last)
    expect(last.json['keys']).toEqual(made.map((key) => Buffer.from(key, 'base64').toString('hex')))
    expect((await get('sys/seal-status')).json).toMatchObject({ t: 2, n: 2, sealed: false })
    expect((await get(INIT)).json).toMatchObject(IDLE)
    expect(cluster.warnings).toHaveLength(1)
    expect(await opensWith(shared, keys.slice(0, 2))).toBe(false)
    expect(await opensWith(shared, made)).toBe(true)
    expect(cluster.failures).toEqual([])
  })

  test('bring a new root key: old shares and the old record of it do not open the new keyring', async () => {
    const shared = await startShared()
    const { cluster, keys } = shared
    const before = await cluster.storage.get('core/root-key')
    await rekey(shared, keys)
    await cluster.storage.commit({
      expect: new Map(),
      put: new Map([['core/root-key', before?.value ?? Buffer.alloc(0)]]),
      delete: new Set(),
    })
    expect(await opensWith(shared, keys.slice(0, 2))).toBe(false)
  })

  test('stop no node: each goes on reading, writing and rotating, whoever did it', async () => {
    const shared = await startShared()
    const { cluster, token } = shared
    await cluster.write('sys/mounts/secret', { type: 'kv' }, { token })
    // Node 1 hears of the new term and of the new root key at once.
    await cluster.write('sys/rotate', {}, { token, node: 0 })
    let present = shared.keys
    for (let round = 0; round < 3; round++) {
      present = await rekey(shared, present)
      for (const node of [0, 1, 1, 0]) {
        expect((await cluster.write('sys/rotate', {}, { token, node })).status).toBe(204)
        await cluster.write(`secret/n${node}`, { round }, { token, node })
        const read = await cluster.read(`secret/n${node}`, { token, node: 1 - node })
        expect(read.data).toEqual({ round })
      }
    }
    expect(cluster.failures).toEqual([])
    expect(await opensWith(shared, present)).toBe(true)
  })

  test('forget a root token that was being made with the old ones', async () => {
    const shared = await startShared()
    await shared.post('sys/generate-root/attempt')
    await rekey(shared, shared.keys)
    expect((await shared.get('sys/generate-root/attempt')).json['started']).toBe(false)
  })

  test('are made once, however many shares come at once', async () => {
    const shared = await startShared()
    const { give } = await begin(shared)
    const answers = await Promise.all([...shared.keys, ...shared.keys].map((key) => give(key)))
    const made = answers.filter(({ json }) => json['complete'] === true)
    expect(made).toHaveLength(1)
    expect(await opensWith(shared, made.flatMap(keysOf))).toBe(true)
  })
})

test('one that nobody touches for a day is over, and gone from the storage', async () => {
  const shared = await startShared()
  const { give } = await begin(shared)
  await give(shared.keys[0])
  const { cluster } = shared
  const run = async () => {
    for (const node of cluster.nodes) await node.runDuties()
    return cluster.storage.get('core/ceremony/rekey')
  }
  cluster.clock.advance('23h')
  expect(await run()).toBeDefined()
  cluster.clock.advance('1h')
  expect((await shared.get(INIT)).json).toMatchObject(IDLE)
  expect(await run()).toBeUndefined()
})

describe('with verification', () => {
  async function waiting() {
    const shared = await startShared()
    const { give } = await begin(shared, { require_verification: true })
    await give(shared.keys[0])
    const last = await give(shared.keys[1])
    const nonce = String(last.json['verification_nonce'])
    const verify = (key: string | undefined) => shared.post(VERIFY, { key, nonce })
    return { ...shared, made: keysOf(last), nonce, verify, last }
  }

  test('the new shares open nothing until a threshold of them was given back', async () => {
    const shared = await waiting()
    const { made, nonce, verify, get, keys } = shared
    expect((await get(VERIFY)).json).toEqual({ nonce, started: true, t: 2, n: 2, progress: 0 })
    expect((await get('sys/seal-status')).json).toMatchObject({ n: 3 })
    expect((await verify(made[0])).json).toMatchObject({ nonce, progress: 1 })
    expect((await verify(made[1])).json).toEqual({ nonce, complete: true })
    expect((await get(VERIFY)).errors).toEqual(['no rekey configuration found'])
    expect(await opensWith(shared, keys.slice(0, 2))).toBe(false)
    expect(await opensWith(shared, made)).toBe(true)
  })

  test('present shares are in force if it is cancelled, or the server sealed, before that', async () => {
    for (const end of ['cancel', 'seal']) {
      const shared = await waiting()
      const { made, verify, get, keys, post, remove } = shared
      await verify(made[0])
      await (end === 'cancel' ? remove(INIT) : post('sys/seal'))
      if (end === 'seal') expect((await get(INIT)).status).toBe(503)
      expect(await shared.cluster.storage.get('core/ceremony/rekey')).toBeUndefined()
      expect(await opensWith(shared, made)).toBe(false)
      expect(await opensWith(shared, keys.slice(0, 2))).toBe(true)
      expect((await get(INIT)).json).toMatchObject(IDLE)
    }
  })

  test('a wrong share forgets those given back, and they can be given again', async () => {
    const { made, verify, get, nonce } = await waiting()
    await verify(made[0])
    const wrong = await verify(FOREIGN_SHARE)
    expect([wrong.status, wrong.errors[0]]).toEqual([
      400,
      expect.stringContaining('rekey verification failed'),
    ])
    expect((await get(VERIFY)).json).toMatchObject({ nonce, progress: 0 })
    await verify(made[1])
    expect((await verify(made[0])).json['complete']).toBe(true)
  })

  test('it can be begun anew, under another nonce', async () => {
    const { made, verify, remove, post } = await waiting()
    await verify(made[0])
    const again = await remove(VERIFY)
    expect(again.json).toMatchObject({ started: true, progress: 0 })
    expect((await verify(made[0])).errors[0]).toContain('incorrect nonce supplied')
    const nonce = again.json['nonce']
    await post(VERIFY, { key: made[0], nonce })
    expect((await post(VERIFY, { key: made[1], nonce })).json['complete']).toBe(true)
  })

  test('present shares are not taken any more, and the nonce to go on with is told', async () => {
    const { keys, nonce, post, get } = await waiting()
    const { json } = await get(INIT)
    const answer = await post(UPDATE, { key: keys[0], nonce: json['nonce'] })
    expect([answer.status, answer.errors[0]]).toEqual([400, expect.stringContaining(nonce)])
  })

  test('neither the old key nor the new one is in the storage in the clear', async () => {
    const { made, verify, cluster } = await waiting()
    await verify(made[0])
    const stored = (await cluster.storage.get('core/ceremony/rekey'))?.value ?? Buffer.alloc(0)
    for (const key of made) expect(stored.includes(Buffer.from(key, 'base64'))).toBe(false)
    for (const node of cluster.nodes) {
      const cached: unknown = node.unsealed.store.cache.get('core/ceremony/rekey')?.value
      for (const key of made) expect(JSON.stringify(cached ?? '')).not.toContain(key)
    }
  })
})

describe('nothing changes', () => {
  test.each([
    [{}, 'invalid rekey seal configuration: shares must be at least one'],
    [
      { secret_shares: 1, secret_threshold: 2 },
      'invalid rekey seal configuration: threshold cannot be larger than shares',
    ],
    [
      { secret_shares: 2, secret_threshold: 1 },
      'invalid rekey seal configuration: threshold must be greater than one for multiple shares',
    ],
    [
      { secret_shares: 300, secret_threshold: 2 },
      'invalid rekey seal configuration: shares must be less than 256',
    ],
    [
      { ...TWO_OF_TWO, backup: true },
      'cannot request a backup of the new keys without providing PGP keys for encryption',
    ],
    [
      { ...TWO_OF_TWO, pgp_keys: ['a', 'b'] },
      'error parsing PGP key: error decoding given PGP key: illegal base64 data at input byte 0',
    ],
  ])('by a start with %j', async (body, text) => {
    const { post, get } = await startShared()
    const answer = await post(INIT, body)
    expect([answer.status, answer.errors]).toEqual([400, [text]])
    expect((await get(INIT)).json).toMatchObject(IDLE)
  })

  test('by a share of nowhere: the progress is 0 again, and right shares then do it', async () => {
    const shared = await startShared()
    const { give, nonce } = await begin(shared)
    await give(shared.keys[0])
    const wrong = await give(FOREIGN_SHARE)
    expect([wrong.status, wrong.errors[0]]).toEqual([
      400,
      expect.stringContaining('failed to read root key: invalid key'),
    ])
    expect((await shared.get(INIT)).json).toMatchObject({ nonce, started: true, progress: 0 })
    await give(shared.keys[0])
    expect((await give(shared.keys[1])).json['complete']).toBe(true)
  })

  test('by shares without the nonce, or given twice, or while none runs', async () => {
    const shared = await startShared()
    const { keys, post, get, remove } = shared
    const idle = await post(UPDATE, { key: keys[0], nonce: 'x' })
    expect([idle.status, idle.errors]).toEqual([400, ['no barrier rekey in progress']])
    const { nonce, give } = await begin(shared)
    expect((await post(INIT, TWO_OF_TWO)).errors).toEqual(['rekey already in progress'])
    for (const sent of [{}, { nonce: 'x' }])
      expect((await post(UPDATE, { key: keys[0], ...sent })).errors).toEqual([
        `incorrect nonce supplied; nonce for this rekey operation is "${nonce}"`,
      ])
    expect((await give(undefined)).errors[0]).toContain("'key' must be specified")
    await give(keys[0])
    expect((await give(keys[0])).errors[0]).toContain('already been provided')
    expect((await remove(`${INIT}?nonce=x`)).status).toBe(400)
    expect((await get(INIT)).json['progress']).toBe(1)
    expect((await remove(`${INIT}?nonce=${nonce}`)).status).toBe(204)
    expect((await give(keys[1])).errors).toEqual(['no barrier rekey in progress'])
  })

  test('by who has no token, or not the right to it', async () => {
    const { cluster, token } = await startShared()
    const made = await cluster.write('auth/token/create', { policies: ['default'] }, { token })
    for (const as of [null, String(made.auth['client_token'])]) {
      for (const path of [INIT, UPDATE, VERIFY])
        for (const method of ['GET', 'PUT', 'DELETE'])
          expect([
            path,
            method,
            (await cluster.request(method, path, { token: as, body: TWO_OF_TWO })).status,
          ]).toEqual([path, method, 403])
    }
  })
})

describe('at the commit', () => {
  /** Refuses the commit that replaces the root key, or does it and says nothing. */
  class Unsure extends MemoryStorage {
    fails: 'before' | 'after' | undefined
    override async commit(commit: Commit) {
      const isOurs = commit.put.has('core/root-key')
      if (this.fails === 'before' && isOurs)
        throw new StorageUnavailable('gone', { outcomeUnknown: true })
      const result = await super.commit(commit)
      if (this.fails === 'after' && isOurs)
        throw new StorageUnavailable('gone', { outcomeUnknown: true })
      return result
    }
  }

  test('a failure leaves the present shares in force, and no new ones are told', async () => {
    const storage = new Unsure()
    const shared = await startShared({ storage })
    const { give } = await begin(shared)
    await give(shared.keys[0])
    storage.fails = 'before'
    const last = await give(shared.keys[1])
    expect([last.status >= 500, keysOf(last)]).toEqual([true, []])
    storage.fails = undefined
    expect(await opensWith(shared, shared.keys.slice(0, 2))).toBe(true)
  })

  test('one that was done though its answer was lost counts as done', async () => {
    const storage = new Unsure()
    const shared = await startShared({ storage })
    const { give } = await begin(shared)
    await give(shared.keys[0])
    storage.fails = 'after'
    const made = keysOf(await give(shared.keys[1]))
    storage.fails = undefined
    const { cluster, token } = shared
    for (const node of [0, 1])
      expect((await cluster.write('sys/rotate', {}, { token, node })).status).toBe(204)
    expect(await opensWith(shared, made)).toBe(true)
  })
})

test('old shares that are given the moment that they are replaced are wrong shares, and nothing is damaged', async () => {
  const storage = new (class extends MemoryStorage {
    beforeKeyring: () => Promise<unknown> = async () => undefined
    override async get(key: string) {
      if (key === 'core/keyring') {
        const { beforeKeyring } = this
        this.beforeKeyring = async () => undefined
        await beforeKeyring()
      }
      return super.get(key)
    }
  })()
  const shared = await startShared({ storage })
  const { cluster, keys, token } = shared
  const { give } = await begin(shared)
  await give(keys[0])
  cluster.nodes[1]?.close()
  const { nonce } = (await cluster.read(INIT, { token, node: 0 })).json
  const last = { key: keys[1], nonce }
  storage.beforeKeyring = () => cluster.write(UPDATE, last, { token, node: 0 })
  const answers = []
  for (const key of keys.slice(0, 2))
    answers.push(await cluster.write('sys/unseal', { key }, { token: null, node: 1 }))
  expect(answers.map(({ status }) => status)).toEqual([200, 400])
  expect(answers[1]?.errors[0]).toContain('invalid key')
  expect(cluster.failures).toEqual([])
})

test('there are no recovery keys', async () => {
  const { get, post } = await startShared()
  for (const answer of [
    await get('sys/rekey-recovery-key/init'),
    await post('sys/rekey-recovery-key/init', TWO_OF_TWO),
  ])
    expect([answer.status, answer.errors]).toEqual([400, ['recovery rekeying not supported']])
})

describe('by its other name, sys/rotate/root', () => {
  const [ROTATE_INIT, ROTATE_UPDATE] = ['sys/rotate/root/init', 'sys/rotate/root/update']

  test('it is the same ceremony, answered in the envelope, with the texts of that name', async () => {
    const shared = await startShared()
    const { keys, get, post } = shared
    expect((await get(ROTATE_INIT)).data).toEqual({ n: 0, required: 2, started: false, t: 0 })
    const { data } = await post(ROTATE_INIT, { ...TWO_OF_TWO, require_verification: true })
    const nonce = String(data['nonce'])
    expect((await get(INIT)).json['nonce']).toBe(nonce)
    expect((await post(ROTATE_INIT, TWO_OF_TWO)).errors).toEqual(['rotation already in progress'])
    expect((await post(ROTATE_UPDATE, { nonce })).errors).toEqual(["missing required field 'key'"])
    expect((await post(ROTATE_UPDATE, { key: keys[0], nonce: 'x' })).errors).toEqual([
      `incorrect nonce supplied; nonce for rotation is "${nonce}"`,
    ])
    await post(ROTATE_UPDATE, { key: keys[0], nonce })
    const last = (await post(ROTATE_UPDATE, { key: keys[1], nonce })).data
    const made = keysOf({ json: last })
    const given = { nonce: last['verification_nonce'] }
    await post('sys/rotate/root/verify', { ...given, key: made[0] })
    const verified = await post('sys/rotate/root/verify', { ...given, key: made[1] })
    expect(verified.data).toEqual({ ...given, complete: true })
    expect((await get('sys/rotate/root/verify')).errors).toEqual([
      'no rotation configuration found',
    ])
    expect(await opensWith(shared, made)).toBe(true)
  })

  test('a listener that opens sys/rekey does not open it, and without shares there is no new root key', async () => {
    const { cluster, post } = await startShared()
    expect((await cluster.write(ROTATE_INIT, TWO_OF_TWO, { token: null })).status).toBe(403)
    expect((await post('sys/rotate/root')).errors[0]).toContain('begin at sys/rotate/root/init')
    expect((await post('sys/rotate/recovery/init')).errors).toEqual(['recovery keys not supported'])
  })
})

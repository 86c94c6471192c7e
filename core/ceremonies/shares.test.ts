import { readFile, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { inStorage } from '../../test/support/records.ts'
import { startCluster, type Answer } from '../../test/support/kit.ts'
import { holderOf, SHARE_SET_KEY } from './share-set.ts'
import { FOREIGN_SHARE, startShared, type SharedCluster } from './sharing.fixture.ts'

const CHECK = 'sys/shares/check'
const DRILL = 'sys/shares/drill'
const NAMES = ['Ann', 'Bob', 'Cy']
const named = { secret_share_holders: NAMES }

const start = () => startShared({}, named)
const check = ({ post }: SharedCluster, key: unknown) => post(CHECK, { key })

async function startDrill({ post }: SharedCluster) {
  const begun = await post(DRILL)
  expect(begun).toMatchObject({ status: 200, data: { started: true, progress: 0, required: 2 } })
  const nonce = String(begun.data['nonce'])
  return { nonce, give: (key: unknown) => post(`${DRILL}/update`, { key, nonce }) }
}

const keysOf = ({ json }: Answer) =>
  Array.isArray(json['keys_base64']) ? json['keys_base64'].map(String) : []

/** Replaces the shares. @returns the new ones */
async function rekey({ post, keys }: SharedCluster, options: object = {}): Promise<string[]> {
  const asked = { secret_shares: 2, secret_threshold: 2, ...options }
  const { json } = await post('sys/rekey/init', asked)
  await post('sys/rekey/update', { key: keys[0], nonce: json['nonce'] })
  return keysOf(await post('sys/rekey/update', { key: keys[1], nonce: json['nonce'] }))
}

/** As a release left it that noted nothing of the shares. */
async function forgetSet({ cluster }: SharedCluster): Promise<void> {
  await inStorage(cluster, (root) => root.delete(SHARE_SET_KEY))
}

describe('a share that is looked at', () => {
  test('is known with its holder, in hex and base64, and nobody else is told as its holder', async () => {
    const shared = await start()
    for (const [at, holder] of NAMES.entries()) {
      const { data } = await check(shared, shared.keys[at])
      expect(data).toEqual({ state: 'in_force', holder, pgp_fingerprint: '' })
    }
    const hex = Buffer.from(shared.keys[0] ?? '', 'base64').toString('hex')
    expect((await check(shared, hex)).data).toMatchObject({ holder: 'Ann' })
  })

  test('is not known where one bit of it differs, or it is of another server', async () => {
    const shared = await start()
    const altered = Buffer.from(shared.keys[0] ?? '', 'base64')
    altered.writeUInt8(altered.readUInt8(5) ^ 1, 5)
    for (const key of [altered.toString('base64'), FOREIGN_SHARE]) {
      expect((await check(shared, key)).data).toEqual({ state: 'not_in_force' })
    }
  })

  test.each([
    ['', "'key' must be specified"],
    ['!', "'key' must be a valid hex or base64 string"],
    [Buffer.alloc(32, 1).toString('base64'), 'has 33 bytes'],
  ])('is refused where it can be none: %j', async (key, text) => {
    const answer = await check(await start(), key)
    expect(answer.status).toBe(400)
    expect(answer.errors[0]).toContain(text)
  })

  test('after a rekey is the new one, and the old one is not in force any more', async () => {
    const shared = await start()
    const made = await rekey(shared, { secret_share_holders: ['Dee', 'Ed'] })
    expect((await check(shared, made[1])).data).toMatchObject({ state: 'in_force', holder: 'Ed' })
    expect((await check(shared, shared.keys[0])).data).toEqual({ state: 'not_in_force' })
  })

  test('while new shares wait for verification is the present one', async () => {
    const shared = await start()
    const waiting = await rekey(shared, { require_verification: true })
    expect((await check(shared, shared.keys[0])).data).toMatchObject({ holder: 'Ann' })
    expect((await check(shared, waiting[0])).data).toEqual({ state: 'not_in_force' })
    const { json } = await shared.get('sys/rekey/verify')
    for (const key of waiting) await shared.post('sys/rekey/verify', { key, nonce: json['nonce'] })
    expect((await check(shared, waiting[0])).data).toMatchObject({ state: 'in_force' })
    expect((await check(shared, shared.keys[0])).data).toEqual({ state: 'not_in_force' })
  })

  test('of a server that noted nothing is unknown until the next rekey', async () => {
    const shared = await start()
    await forgetSet(shared)
    const answer = await check(shared, shared.keys[0])
    expect(answer.data).toEqual({ state: 'unknown' })
    expect(String(answer.json['warnings'])).toContain('unknown until the next rekey')
    expect((await shared.get('sys/shares')).data).toMatchObject({ known: false, holders: [] })
    const made = await rekey(shared)
    expect((await check(shared, made[0])).data).toMatchObject({ state: 'in_force' })
  })

  test('is unknown where a release that notes nothing replaced the shares', async () => {
    const shared = await start()
    const before = await shared.cluster.storage.get(SHARE_SET_KEY)
    const made = await rekey(shared)
    const put = new Map([[SHARE_SET_KEY, before?.value ?? Buffer.alloc(0)]])
    await shared.cluster.storage.commit({ expect: new Map(), put, delete: new Set() })
    expect((await check(shared, made[0])).data).toEqual({ state: 'unknown' })
  })

  test('is one of ten in a minute, on all nodes together, right ones too', async () => {
    const shared = await start()
    for (let i = 0; i < 10; i++) {
      expect((await check(shared, i % 2 ? FOREIGN_SHARE : shared.keys[0])).status).toBe(200)
    }
    const refused = await check(shared, shared.keys[0])
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['Retry-After'])).toBeGreaterThan(0)
    await shared.cluster.clock.advance('1m')
    expect((await check(shared, shared.keys[0])).status).toBe(200)
  })

  test('takes a token with the right to it', async () => {
    const { cluster, keys } = await start()
    const answer = await cluster.write(CHECK, { key: keys[0] }, { token: null })
    expect(answer.status).toBe(403)
  })

  test('is in no log: audited under a hash, as its holder is', async () => {
    const shared = await start()
    const auditDirectory = await mkdtemp(join(tmpdir(), 'keyhold-shares-'))
    const logged = await startShared({ auditDirectory }, named)
    const file = join(auditDirectory, 'audit.log')
    const device = { type: 'file', options: { file_path: file } }
    expect((await logged.post('sys/audit/file', device)).status).toBe(204)
    await check(logged, logged.keys[0])
    const { give } = await startDrill(logged)
    await give(logged.keys[1])
    const text = await readFile(file, 'utf8')
    expect(text).toContain('sys/shares/drill/update')
    expect(text).toContain('"key":"hmac-sha256:')
    for (const secret of [...logged.keys, ...NAMES]) expect(text).not.toContain(secret)
    expect(shared.cluster.failures).toEqual([])
  })
})

test('the storage holds no share, nor anything that a share could be computed from without the barrier', async () => {
  const shared = await start()
  const stored = await shared.cluster.storage.get(SHARE_SET_KEY)
  expect(stored?.value.includes('Ann')).toBe(false)
})

test('all hashes of a set are compared, and each share has its own', async () => {
  const shared = await start()
  const { shareSets } = await import('./share-set.ts')
  const set = await inStorage(shared.cluster, (root) => root.get(shareSets, SHARE_SET_KEY))
  if (set === undefined) throw new Error('initialising notes the shares')
  expect(new Set(set.shares.map(({ hash }) => hash)).size).toBe(3)
  const last = Buffer.from(shared.keys[2] ?? '', 'base64')
  expect(await holderOf(set, last)).toMatchObject({ name: 'Cy' })
})

describe('names of holders', () => {
  test('are shown with the shares in force', async () => {
    const shared = await start()
    const { data } = await shared.get('sys/shares')
    expect(data).toMatchObject({ n: 3, t: 2, known: true, drills: [] })
    expect(data['holders']).toEqual(NAMES.map((holder) => ({ holder, pgp_fingerprint: '' })))
  })

  test('may be left out', async () => {
    const shared = await startShared()
    expect((await check(shared, shared.keys[0])).data).toMatchObject({
      state: 'in_force',
      holder: '',
    })
  })

  test.each([
    [['Ann'], 'names 1 holders for 3 shares'],
    [['Ann', 'Bob', ''], 'names of 1 to 128 characters'],
    [['Ann', 'Bob', ' Cy'], 'names of 1 to 128 characters'],
    [['Ann', 'Bob', 'C\u001b[2J'], 'names of 1 to 128 characters'],
    [['Ann', 'Bob', 'x'.repeat(129)], 'names of 1 to 128 characters'],
  ])('are refused before anything is made: %j', async (names, text) => {
    const cluster = await startCluster({ bare: true })
    onTestFinished(() => cluster.close())
    const body = { secret_shares: 3, secret_threshold: 2, secret_share_holders: names }
    const answer = await cluster.write('sys/init', body, { token: null })
    expect(answer.status).toBe(400)
    expect(answer.errors[0]).toContain(text)
    const shared = await start()
    const asked = await shared.post('sys/rekey/init', body)
    expect(asked.status).toBe(400)
    expect(asked.errors[0]).toContain(text)
  })
})

describe('a drill', () => {
  test('proves that the shares make the root key, notes who took part, and changes nothing', async () => {
    const shared = await start()
    const before = await shared.cluster.storage.get('core/root-key')
    const { give, nonce } = await startDrill(shared)
    const first = await give(shared.keys[2])
    expect(first.data).toMatchObject({ progress: 1, required: 2, holders: ['Cy'], started: true })
    expect((await shared.get(DRILL)).data).toMatchObject({ nonce, progress: 1, holders: ['Cy'] })
    const last = await give(shared.keys[0])
    expect(last.data).toMatchObject({ complete: true, passed: true, holders: ['Cy', 'Ann'] })
    const { data } = await shared.get('sys/shares')
    const drill = { passed: true, t: 2, n: 3, holders: ['Cy', 'Ann'] }
    expect(data['drills']).toMatchObject([drill])
    expect((await shared.get(DRILL)).data).toMatchObject({ nonce: '', started: false })
    expect((await shared.cluster.storage.get('core/root-key'))?.revision).toBe(before?.revision)
    expect((await shared.cluster.read('sys/seal-status')).json).toMatchObject({ sealed: false })
  })

  test('refuses a share that is not in force at once, and goes on', async () => {
    const shared = await start()
    const { give } = await startDrill(shared)
    await give(shared.keys[0])
    const refused = await give(FOREIGN_SHARE)
    expect(refused.status).toBe(400)
    expect(refused.errors[0]).toContain('none of the key shares in force')
    expect((await give(shared.keys[1])).data).toMatchObject({ passed: true })
  })

  test('is no way round the limit of looks', async () => {
    const shared = await start()
    const { give } = await startDrill(shared)
    const statuses: number[] = []
    for (let i = 0; i < 11; i++) statuses.push((await give(FOREIGN_SHARE)).status)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 400), 429])
  })

  test('does not count the same share twice', async () => {
    const shared = await start()
    const { give } = await startDrill(shared)
    await give(shared.keys[0])
    const again = await give(shared.keys[0])
    expect(again.status).toBe(400)
    expect((await shared.get(DRILL)).data).toMatchObject({ progress: 1 })
  })

  test('where nothing is known of the shares fails with a wrong one, and that is noted', async () => {
    const shared = await start()
    await forgetSet(shared)
    const { give } = await startDrill(shared)
    await give(shared.keys[0])
    expect((await give(FOREIGN_SHARE)).data).toMatchObject({ complete: true, passed: false })
    const again = await startDrill(shared)
    await again.give(shared.keys[0])
    expect((await again.give(shared.keys[1])).data).toMatchObject({ passed: true })
    const { data } = await shared.get('sys/shares')
    expect(data['drills']).toMatchObject([{ passed: true }, { passed: false }])
  })

  test('fails with shares of another server, though its root key lies in the storage by now', async () => {
    const [shared, other] = [await start(), await start()]
    const foreign = await other.cluster.storage.get('core/root-key')
    const put = new Map([['core/root-key', foreign?.value ?? Buffer.alloc(0)]])
    await shared.cluster.storage.commit({ expect: new Map(), put, delete: new Set() })
    const { give } = await startDrill(shared)
    await give(other.keys[0])
    expect((await give(other.keys[1])).data).toMatchObject({ complete: true, passed: false })
  })

  test.each([
    ['another nonce', { nonce: 'other' }, 'incorrect nonce supplied'],
    ['no share', { key: '' }, "'key' must be specified"],
  ])('refuses %s', async (_what, change, text) => {
    const shared = await start()
    const { nonce } = await startDrill(shared)
    const body = { key: shared.keys[0], nonce, ...change }
    const answer = await shared.post(`${DRILL}/update`, body)
    expect(answer.status).toBe(400)
    expect(answer.errors[0]).toContain(text)
  })

  test('runs one at a time, and can be ended', async () => {
    const shared = await start()
    const { give } = await startDrill(shared)
    expect((await shared.post(DRILL)).status).toBe(400)
    expect((await shared.remove(DRILL)).status).toBe(204)
    expect((await give(shared.keys[0])).errors[0]).toBe('no drill is in progress')
    expect((await shared.get('sys/shares')).data['drills']).toEqual([])
  })

  test('that nobody goes on with is over after a day, and its shares leave the storage', async () => {
    const shared = await start()
    const { give } = await startDrill(shared)
    await give(shared.keys[0])
    await shared.cluster.clock.advance('24h')
    expect((await give(shared.keys[1])).errors[0]).toBe('no drill is in progress')
    for (const node of shared.cluster.nodes) await node.runDuties()
    expect(await shared.cluster.storage.get('core/ceremony/drill')).toBeUndefined()
  })

  test('ends where the shares are replaced, and where the server is sealed', async () => {
    const shared = await start()
    await startDrill(shared)
    await rekey(shared)
    expect((await shared.get(DRILL)).data).toMatchObject({ started: false })
    await startDrill(shared)
    await shared.post('sys/seal')
    expect(await shared.cluster.storage.get('core/ceremony/drill')).toBeUndefined()
  })

  test('is begun and ended by sudo, while who only holds a share may give it', async () => {
    const shared = await start()
    const { cluster, token } = shared
    await cluster.write(
      'sys/policies/acl/holder',
      { policy: 'path "sys/shares/*" { capabilities = ["read", "update", "delete"] }' },
      { token },
    )
    const made = await cluster.write('auth/token/create', { policies: ['holder'] }, { token })
    const holder = { token: String(made.auth['client_token']) }
    expect((await cluster.write(DRILL, {}, holder)).status).toBe(403)
    const { nonce } = await startDrill(shared)
    expect((await cluster.remove(DRILL, holder)).status).toBe(403)
    const given = await cluster.write(`${DRILL}/update`, { key: shared.keys[0], nonce }, holder)
    expect(given.status).toBe(200)
  })

  test('of a single share of one passes as well', async () => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.close())
    const { data } = await cluster.write(DRILL)
    const body = { key: cluster.unsealKeys[0], nonce: data['nonce'] }
    expect((await cluster.write(`${DRILL}/update`, body)).data).toMatchObject({ passed: true })
  })
})

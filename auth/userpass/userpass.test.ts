import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { keysBelow } from '../../test/support/records.ts'

/** Of "correct horse", cost 4, by another program. */
const BCRYPT = await bcryptOf('correct horse')

async function bcryptOf(password: string): Promise<string> {
  const { hash } = await import('@node-rs/bcrypt')
  return hash(password, { cost: 4 })
}

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/auth/userpass', { type: 'userpass' })
  return cluster
}
const login = (cluster: Cluster, name: string, password: unknown) =>
  cluster.write(`auth/userpass/login/${name}`, { password }, { token: null })
const INVALID = ['invalid username or password']

test('a user logs in with the name in any case, and gets what was said', async () => {
  const cluster = await start()
  await cluster.write('auth/userpass/users/Ann', {
    password: 'pw-one',
    token_policies: ['dev'],
    token_ttl: '1h',
  })
  const answer = await login(cluster, 'ANN', 'pw-one')
  expect(answer.auth).toMatchObject({
    policies: ['default', 'dev'],
    metadata: { username: 'ann' },
    lease_duration: 3600,
    renewable: true,
  })
  const token = String(answer.auth['client_token'])
  const self = await cluster.read('auth/token/lookup-self', { token })
  expect(self.data).toMatchObject({ display_name: 'userpass-ann', path: 'auth/userpass/login/ann' })
  await cluster.write('auth/userpass/users/ann', { token_ttl: '2h' })
  const renewed = await cluster.write('auth/token/renew-self', { increment: '2h' }, { token })
  expect(renewed.auth['lease_duration']).toBe(7200)
  await cluster.remove('auth/userpass/users/ann')
  expect((await cluster.write('auth/token/renew-self', {}, { token })).status).toBe(400)
  expect((await login(cluster, 'ann', 'pw-one')).errors).toEqual(INVALID)
})

test('a user is shown without the password, and by old names where they were sent', async () => {
  const cluster = await start()
  await cluster.write('auth/userpass/users/ann', {
    password: 'p',
    policies: 'x',
    ttl: '10m',
    max_ttl: '20m',
    bound_cidrs: '127.0.0.1/8',
  })
  const { data, text } = await cluster.read('auth/userpass/users/ann')
  expect(data).toMatchObject({
    token_policies: ['x'],
    policies: ['x'],
    token_ttl: 600,
    ttl: 600,
    max_ttl: 1200,
    bound_cidrs: ['127.0.0.1/8'],
  })
  expect(text).not.toMatch(/password|argon2/)
  expect((await cluster.list('auth/userpass/users')).data).toEqual({ keys: ['ann'] })
})

test('a password and policies are changed by themselves', async () => {
  const cluster = await start()
  await cluster.write('auth/userpass/users/ann', { password: 'before' })
  await cluster.write('auth/userpass/users/ann/password', { password: 'after' })
  await cluster.write('auth/userpass/users/ann/policies', { token_policies: 'c' })
  expect((await login(cluster, 'ann', 'before')).errors).toEqual(INVALID)
  expect((await login(cluster, 'ann', 'after')).auth['policies']).toEqual(['c', 'default'])
  for (const part of ['password', 'policies']) {
    const { status, errors } = await cluster.write(`auth/userpass/users/none/${part}`, {
      password: 'x',
    })
    expect(status).toBe(400)
    expect(errors).toEqual(['1 error occurred:\n\t* username does not exist\n\n'])
  }
})

test('a hash of bcrypt is taken over, and becomes one of argon2id at the first login', async () => {
  const cluster = await start()
  const user = { password_hash: BCRYPT.replace('$2b$', '$2a$') }
  expect((await cluster.write('auth/userpass/users/ann', user)).status).toBe(204)
  expect((await login(cluster, 'ann', 'wrong horse')).errors).toEqual(INVALID)
  expect((await login(cluster, 'ann', 'correct horse')).status).toBe(200)
  expect((await login(cluster, 'ann', 'correct horse')).status).toBe(200)
  expect((await login(cluster, 'ann', 'wrong horse')).errors).toEqual(INVALID)
})

test.each([
  [{}, 'must provide either password or password_hash'],
  [{ password: 'a', password_hash: 'b' }, 'only one of password or password_hash may be provided'],
  [{ password_hash: '$2a$10$bad' }, 'password_hash is not a valid bcrypt hash'],
  [{ password: 'x'.repeat(1025) }, 'password has up to 1024 characters'],
  [{ password: 'a', token_policies: 'root' }, 'auth methods cannot create root tokens'],
])('a user of %j is refused', async (user, text) => {
  const cluster = await start()
  const { status, errors } = await cluster.write('auth/userpass/users/ann', user)
  expect(status).toBe(400)
  expect(errors).toEqual([text])
})

test('a login from elsewhere than the networks of the user is refused', async () => {
  const cluster = await start()
  await cluster.write('auth/userpass/users/ann', { password: 'p', token_bound_cidrs: '10.0.0.0/8' })
  expect((await login(cluster, 'ann', 'p')).status).toBe(403)
  expect((await login(cluster, 'ann', '')).errors).toEqual(['missing password'])
})

test('row 44 (CVE-2025-6011): a name that nobody has takes the work of one that somebody has', async () => {
  const cluster = await start()
  await cluster.write('sys/auth/userpass/tune', { user_lockout_config: { lockout_disable: true } })
  await cluster.write('auth/userpass/users/ann', { password: 'right' })
  const spans: Record<string, number[]> = { ann: [], nobody: [] }
  // In turn, so that whatever else the machine does falls on both. Without the work it would be a twentieth.
  for (let i = 0; i < 15; i++) {
    for (const [name, found] of Object.entries(spans)) {
      const startedMs = systemClock.monotonicMs()
      await login(cluster, name, 'wrong')
      found.push(systemClock.monotonicMs() - startedMs)
    }
  }
  const median = (found: number[] = []) => found.toSorted((a, b) => a - b)[7] ?? 0
  const ratio = median(spans['nobody']) / median(spans['ann'])
  expect(ratio).toBeGreaterThan(1 / 3)
  expect(ratio).toBeLessThan(3)
})

describe('who fails too often', () => {
  /** A count, and when it ends. */
  const counts = async (cluster: Cluster) =>
    (await keysBelow(cluster, 'mount/')).filter((key) => key.includes('/lockout'))
  const unlock = async (cluster: Cluster, name: string) => {
    const { data } = await cluster.read('sys/auth/userpass')
    return cluster.write(`sys/locked-users/${String(data['accessor'])}/unlock/${name}`)
  }

  test.each(['ann', 'nobody'])(
    'row 46 (CVE-2025-6004): is locked out, be it %s, however it is spelt, whatever the password',
    async (name) => {
      const cluster = await start()
      await cluster.write('auth/userpass/users/ann', { password: 'right' })
      for (const spelling of ['ann', 'ANN', 'Ann', 'aNN', 'anN']) {
        const failed = await login(cluster, name === 'ann' ? spelling : name, 'wrong')
        expect(failed).toMatchObject({ status: 400, errors: INVALID })
      }
      expect((await login(cluster, name, 'wrong')).status).toBe(403)
      expect((await login(cluster, name, 'right')).status).toBe(403)
      expect((await cluster.read('sys/locked-users')).data).toMatchObject({
        total: 1,
        by_namespace: [{ mount_accessors: [{ alias_identifiers: [name] }] }],
      })
    },
  )

  test('may log in again after a while, or when an operator says so', async () => {
    const cluster = await start()
    await cluster.write('auth/userpass/users/ann', { password: 'right' })
    const lock = async () => {
      for (let i = 0; i < 5; i++) await login(cluster, 'ann', 'wrong')
      expect((await login(cluster, 'ann', 'right')).status).toBe(403)
    }
    await lock()
    cluster.clock.advance('15m1s')
    expect((await login(cluster, 'ann', 'right')).status).toBe(200)
    await lock()
    expect((await unlock(cluster, 'ann')).status).toBe(204)
    expect((await login(cluster, 'ann', 'right')).status).toBe(200)
    expect((await cluster.read('sys/locked-users')).data).toMatchObject({ total: 0 })
    expect(await counts(cluster)).toEqual([])
  })

  test('begins anew after a login, and after a while', async () => {
    const cluster = await start()
    await cluster.write('auth/userpass/users/ann', { password: 'right' })
    for (let i = 0; i < 4; i++) await login(cluster, 'ann', 'wrong')
    expect((await login(cluster, 'ann', 'right')).status).toBe(200)
    for (let i = 0; i < 4; i++) await login(cluster, 'ann', 'wrong')
    cluster.clock.advance('16m')
    for (let i = 0; i < 4; i++) await login(cluster, 'ann', 'wrong')
    expect((await login(cluster, 'ann', 'right')).status).toBe(200)
  })

  test('is locked out however many guess at once', async () => {
    const cluster = await start()
    await cluster.write('auth/userpass/users/ann', { password: 'right' })
    await Promise.all(Array.from({ length: 20 }, () => login(cluster, 'ann', 'wrong')))
    expect((await login(cluster, 'ann', 'right')).status).toBe(403)
  })

  test('is locked out as the mount says, or not at all', async () => {
    const cluster = await start()
    await cluster.write('auth/userpass/users/ann', { password: 'right' })
    const user_lockout_config = { lockout_threshold: 2, lockout_duration: '1m' }
    await cluster.write('sys/auth/userpass/tune', { user_lockout_config })
    for (let i = 0; i < 2; i++) await login(cluster, 'ann', 'wrong')
    expect((await login(cluster, 'ann', 'right')).status).toBe(403)
    cluster.clock.advance('61s')
    expect((await login(cluster, 'ann', 'right')).status).toBe(200)
    await cluster.write('sys/auth/userpass/tune', {
      user_lockout_config: { lockout_disable: true },
    })
    for (let i = 0; i < 9; i++) await login(cluster, 'ann', 'wrong')
    expect((await login(cluster, 'ann', 'right')).status).toBe(200)
  })

  test('is forgotten when it is over', async () => {
    const cluster = await start()
    for (const name of ['a', 'b', 'c']) await login(cluster, name, 'wrong')
    expect(await counts(cluster)).toHaveLength(6)
    cluster.clock.advance('16m')
    for (const node of cluster.nodes) await node.runDuties()
    expect(await counts(cluster)).toEqual([])
  })
})

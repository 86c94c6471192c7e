/** Credentials that were good for longer, or for more, than they should have been. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { newMount } from '../../core/mounts/defaults.ts'
import { putMount } from '../../core/mounts/table.ts'
import { ROOT } from '../../core/namespaces.ts'
import { systemRandom } from '../../core/random.ts'
import { startCluster, type Cluster } from '../support/kit.ts'
import { inStorage, keysBelow } from '../support/records.ts'

const MOUNT_TTL_SECONDS = 5000

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await inStorage(cluster, (root) => {
    const config = { defaultTtlSeconds: MOUNT_TTL_SECONDS, maxTtlSeconds: MOUNT_TTL_SECONDS * 2 }
    const entry = newMount(
      { path: 'auth/approle/', kind: 'auth', type: 'approle', description: '', config },
      systemRandom,
    )
    putMount(root, ROOT.id, entry)
  })
  return cluster
}

async function roleOf(cluster: Cluster, settings: object = {}, secret: object = {}) {
  await cluster.write('auth/approle/role/r', settings)
  const { data } = await cluster.read('auth/approle/role/r/role-id')
  const made = await cluster.write('auth/approle/role/r/secret-id', secret)
  return { role_id: data['role_id'], secret_id: made.data['secret_id'] }
}

const login = (cluster: Cluster, body: object) =>
  cluster.write('auth/approle/login', body, { token: null })

describe('row 31 (CVE-2026-115362)', () => {
  test('a secret id is refused after its end though nothing was tidied', async () => {
    const cluster = await start()
    const credentials = await roleOf(cluster, {}, { ttl: '1s' })
    expect((await login(cluster, credentials)).status).toBe(200)
    cluster.clock.advance('2s')
    expect((await login(cluster, credentials)).status).toBe(400)
    const shown = await cluster.write('auth/approle/role/r/secret-id/lookup', credentials)
    expect(shown.data).toEqual({})
  })

  test('of 100 logins at once as many succeed as the secret id has uses', async () => {
    const cluster = await start()
    const credentials = await roleOf(cluster, {}, { num_uses: 3 })
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => login(cluster, credentials)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(97)
  })
})

test('row 52 (CVE-2026-46405): a thousand logins that fail leave nothing in the storage', async () => {
  const cluster = await start()
  const { role_id } = await roleOf(cluster, { token_bound_cidrs: ['10.0.0.0/8'] })
  const before = await keysBelow(cluster, '')
  for (let i = 0; i < 1000; i++) {
    const body =
      i % 2 === 0 ? { role_id, secret_id: `no ${i}` } : { role_id: `no ${i}`, secret_id: 'x' }
    expect((await login(cluster, body)).status).toBe(400)
  }
  expect(await keysBelow(cluster, '')).toEqual(before)
})

test.each([0, 1, 10, 100, 500, 999, 1000, 1001, 1400, 1500])(
  'row 77 (CVE-2021-32923): renewed %d ms before its maximum, a token ends no later, and 0 is never for ever',
  async (leftMs) => {
    const cluster = await start()
    const made = await cluster.write('auth/token/create', { ttl: '10s', explicit_max_ttl: '10s' })
    const token = String(made.auth['client_token'])
    cluster.clock.advance((10_000 - leftMs) / 1000)
    const renewed = await cluster.write('auth/token/renew-self', { increment: '1h' }, { token })
    expect(renewed.status).toBe(leftMs === 0 ? 403 : leftMs < 1000 ? 400 : 200)
    const looked = await cluster.read('auth/token/lookup-self', { token })
    if (leftMs > 0) {
      const end = new Date(String(looked.data['expire_time'])).getTime()
      expect(end).toBeLessThanOrEqual(cluster.clock.nowMs() + leftMs)
      expect(looked.data['ttl']).toBeGreaterThan(0)
    }
    cluster.clock.advance(leftMs / 1000)
    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(403)
  },
)

test('row 78 (CVE-2020-25816): nothing of a batch token outlives it', async () => {
  const cluster = await start()
  const body = { type: 'batch', ttl: '10s', policies: ['default'] }
  const token = String((await cluster.write('auth/token/create', body)).auth['client_token'])
  const wrapped = await cluster.write('auth/token/create', {}, { token })
  expect(wrapped.status).toBe(403)
  cluster.clock.advance('10s')
  expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(403)
  expect((await cluster.write('auth/token/renew', { token })).status).toBe(400)
})

describe('row 79 (CVE-2020-12757): the span of a token is what was configured nearest to it', () => {
  test.each([
    ['the mount’s', {}, MOUNT_TTL_SECONDS],
    ['the role’s', { token_ttl: 100 }, 100],
    ['the role’s, up to its maximum', { token_ttl: 100, token_max_ttl: 200 }, 100],
    ['the mount’s, up to the role’s maximum', { token_max_ttl: 50 }, 50],
    ['the role’s, up to the mount’s maximum', { token_ttl: 99_999 }, MOUNT_TTL_SECONDS * 2],
    ['the period', { token_ttl: 100, token_period: 70 }, 70],
    ['the role’s, up to its explicit maximum', { token_ttl: 100, token_explicit_max_ttl: 30 }, 30],
  ])('%s', async (_what, settings, seconds) => {
    const cluster = await start()
    const { auth } = await login(cluster, await roleOf(cluster, settings))
    expect(auth['lease_duration']).toBe(seconds)
  })

  test('a token’s own is what it asked for, else the system’s', async () => {
    const cluster = await start()
    const span = async (body: object) =>
      (await cluster.write('auth/token/create', body)).auth['lease_duration']
    expect(await span({ policies: ['default'] })).toBe(2_764_800)
    expect(await span({ policies: ['default'], ttl: '5m' })).toBe(300)
    expect(await span({ policies: ['default'], ttl: '9999h' })).toBe(2_764_800)
  })
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  startCluster,
  type Answer,
  type Cluster,
  type ClusterOptions,
  type RequestOptions,
} from '../../../test/support/kit.ts'
import { damage, keysBelow } from '../../../test/support/records.ts'

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster(options)
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/kv', { type: 'kv' })
  await cluster.write('kv/a', { v: 1 })
  return cluster
}

/** An administrator, who is not limited by what the test's client uses up. */
const ADMIN = { address: '10.9.9.9' }
const within = (namespace: string) => ({ headers: { 'x-vault-namespace': namespace } })

function limit(cluster: Cluster, name: string, body: object): Promise<Answer> {
  return cluster.write(`sys/quotas/rate-limit/${name}`, body, ADMIN)
}

/** Statuses of so many reads at one node. */
async function reads(
  cluster: Cluster,
  count: number,
  path = 'kv/a',
  more: RequestOptions = {},
): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) {
    statuses.push((await cluster.read(path, { node: 0, ...more })).status)
  }
  return statuses
}

test('a limit is written, shown, listed and removed', async () => {
  const cluster = await start()
  const made = await limit(cluster, 'q', {
    rate: 2.5,
    interval: '1m',
    block_interval: '5m',
    path: 'kv',
  })
  expect(made.status).toBe(204)
  expect((await cluster.read('sys/quotas/rate-limit/q')).data).toEqual({
    block_interval: 300,
    inheritable: false,
    interval: 60,
    name: 'q',
    path: 'kv/',
    rate: 2.5,
    role: '',
    type: 'rate-limit',
  })
  expect((await cluster.list('sys/quotas/rate-limit')).data).toEqual({ keys: ['q'] })
  await cluster.remove('sys/quotas/rate-limit/q')
  expect((await cluster.read('sys/quotas/rate-limit/q')).status).toBe(404)
  expect((await cluster.list('sys/quotas/rate-limit')).status).toBe(404)
})

describe('a client that passes the limit', () => {
  test('is refused from then on, with or without a token, until the interval is over', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 2, interval: '10s' })
    expect(await reads(cluster, 3)).toEqual([200, 200, 429])
    expect((await cluster.read('kv/a', { node: 0, token: null })).errors).toEqual([
      'request path "kv/a": rate limit quota exceeded',
    ])
    cluster.clock.advance('10s')
    expect(await reads(cluster, 1)).toEqual([200])
  })

  test('is refused at the very next request after the limit was made at another node', async () => {
    const cluster = await start()
    await reads(cluster, 1)
    await cluster.write(
      'sys/quotas/rate-limit/q',
      { rate: 1, interval: '1h' },
      { ...ADMIN, node: 1 },
    )
    expect(await reads(cluster, 2)).toEqual([200, 429])
  })

  test('is refused by each node for itself, and others are not', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 1, interval: '1h' })
    expect(await reads(cluster, 2)).toEqual([200, 429])
    expect(await reads(cluster, 2, 'kv/a', { node: 1 })).toEqual([200, 429])
    expect(await reads(cluster, 2, 'kv/a', { address: '10.0.0.2' })).toEqual([200, 429])
  })

  test('with tokens that are none uses it up just the same', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 2, interval: '1h' })
    const guesses = await reads(cluster, 3, 'kv/a', { token: 'hvs.guess' })
    expect(guesses).toEqual([403, 403, 429])
  })

  test('is blocked for longer where that is asked for', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 1, interval: '1s', block_interval: '1h' })
    expect(await reads(cluster, 2)).toEqual([200, 429])
    cluster.clock.advance('59m')
    expect(await reads(cluster, 1)).toEqual([429])
    cluster.clock.advance('1m')
    expect(await reads(cluster, 1)).toEqual([200])
  })

  test('changes nothing with what is refused', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 1, interval: '1h' })
    await reads(cluster, 1)
    expect((await cluster.write('kv/b', { v: 2 }, { node: 0 })).status).toBe(429)
    expect((await cluster.read('kv/b', ADMIN)).status).toBe(404)
  })

  test('is limited still after the node was opened anew', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 1, interval: '1h' })
    cluster.nodes[0]?.close()
    await cluster.write('sys/unseal', { key: cluster.unsealKeys[0] }, { node: 0, token: null })
    expect(await reads(cluster, 2)).toEqual([200, 429])
  })
})

describe('of the limits that fit, the most specific holds', () => {
  const HOUR = { interval: '1h' }

  test.each([
    ['kv/a/b', 1],
    ['kv/a/b/c', 2],
    ['kv/ax', 2],
    ['kv/other', 3],
    ['sys/mounts', 4],
    ['nowhere/at/all', 4],
  ])('%s', async (path, rate) => {
    const cluster = await start()
    await limit(cluster, 'path', { ...HOUR, rate: 1, path: 'kv/a/b' })
    await limit(cluster, 'glob', { ...HOUR, rate: 2, path: 'kv/a*' })
    await limit(cluster, 'shorter-glob', { ...HOUR, rate: 9, path: 'kv/*' })
    await limit(cluster, 'mount', { ...HOUR, rate: 8, path: 'kv/' })
    await cluster.remove('sys/quotas/rate-limit/shorter-glob', ADMIN)
    await limit(cluster, 'mount', { ...HOUR, rate: 3, path: 'kv/' })
    await limit(cluster, 'all', { ...HOUR, rate: 4 })
    const statuses = await reads(cluster, rate + 1, path)
    expect(statuses.slice(0, rate)).not.toContain(429)
    expect(statuses[rate]).toBe(429)
  })

  test('the longest beginning of a path before a shorter one', async () => {
    const cluster = await start()
    await limit(cluster, 'short', { ...HOUR, rate: 1, path: 'kv/*' })
    await limit(cluster, 'long', { ...HOUR, rate: 2, path: 'kv/a*' })
    expect(await reads(cluster, 3)).toEqual([200, 200, 429])
    expect(await reads(cluster, 2, 'kv/b')).toEqual([404, 429])
  })

  test('a namespace’s before those it inherits, and a mount’s before the namespace’s', async () => {
    const cluster = await start()
    for (const [name, parent] of [
      ['a', ''],
      ['b', 'a'],
      ['c', ''],
    ] as const) {
      await cluster.write(`sys/namespaces/${name}`, {}, within(parent))
    }
    await cluster.write('sys/mounts/kv', { type: 'kv' }, within('a'))
    await limit(cluster, 'a', { ...HOUR, rate: 2, path: 'a', inheritable: true })
    await limit(cluster, 'mount', { ...HOUR, rate: 3, path: 'a/kv' })
    await limit(cluster, 'c', { ...HOUR, rate: 4, path: 'c/' })
    await limit(cluster, 'all', { ...HOUR, rate: 1 })
    const until = async (path: string, namespace: string) => {
      const statuses = await reads(cluster, 6, path, within(namespace))
      return statuses.indexOf(429)
    }
    expect(await until('kv/x', 'a')).toBe(3)
    expect(await until('sys/mounts', 'a/b')).toBe(2)
    expect(await until('a/sys/mounts', '')).toBe(0)
    expect(await until('c/sys/mounts', '')).toBe(4)
    expect(await until('kv/a', '')).toBe(1)
    expect(await until('kv/a', 'none')).toBe(0)
  })

  test('what is not inheritable ends at the namespace', async () => {
    const cluster = await start()
    await cluster.write('sys/namespaces/a')
    await limit(cluster, 'all', { ...HOUR, rate: 1, inheritable: false })
    expect(await reads(cluster, 2, 'sys/mounts', within('a'))).toEqual([200, 200])
    expect(await reads(cluster, 2)).toEqual([200, 429])
  })

  test('a role’s, of whom it would log in, before all others', async () => {
    const cluster = await start()
    await cluster.write('sys/auth/approle', { type: 'approle' })
    const login = async (role: string) => {
      const at = `auth/approle/role/${role}`
      await cluster.write(at, {})
      const { data } = await cluster.read(`${at}/role-id`)
      return () =>
        cluster.write(
          'auth/approle/login',
          { role_id: data['role_id'], secret_id: 'wrong' },
          { token: null, node: 0 },
        )
    }
    const [slow, fast] = [await login('slow'), await login('fast')]
    const role = { ...HOUR, rate: 1, path: 'auth/approle', role: 'slow' }
    expect((await limit(cluster, 'slow', role)).status).toBe(204)
    expect((await cluster.read('sys/quotas/rate-limit/slow')).data).toMatchObject({
      path: 'auth/approle/',
      role: 'slow',
    })
    expect([(await slow()).status, (await slow()).status]).toEqual([400, 429])
    expect([(await fast()).status, (await fast()).status]).toEqual([400, 400])
    const broken = { text: '{', token: null, node: 0 }
    expect((await cluster.write('auth/approle/login', {}, broken)).status).toBe(400)
  })
})

test('no other spelling of a path gets round its limit', async () => {
  const cluster = await start()
  await cluster.write('sys/auth/approle', { type: 'approle' })
  await limit(cluster, 'q', { rate: 1, interval: '1h', path: 'sys/policies/acl/Admin' })
  const names = ['admin', 'ADMIN', 'Admin', 'admin/']
  const statuses: number[] = []
  for (const name of names) statuses.push(...(await reads(cluster, 1, `sys/policies/acl/${name}`)))
  expect(statuses.slice(1)).toEqual([429, 429, 429])
  expect(await reads(cluster, 1, 'sys/policies/acl/admin', within('root'))).toEqual([429])
})

describe('a limit that is refused', () => {
  test.each([
    [{}, "'rate' is invalid"],
    [{ rate: 0 }, "'rate' is invalid"],
    [{ rate: -1 }, "'rate' is invalid"],
    [{ rate: 1, path: 'none/' }, 'invalid mount path "none/"'],
    [
      { rate: 1, path: 'kv', role: 'r' },
      'Mount path "kv/" is not a valid auth method and therefore unsuitable for use with role-based quotas',
    ],
    [
      { rate: 1, path: 'auth/token', role: 'r' },
      'Mount path "auth/token/" does not support use with role-based quotas',
    ],
    [
      { rate: 1, path: 'auth/token/create', role: 'r' },
      'Quotas cannot contain both a path suffix and a role. If a role is provided, path must be a valid auth mount with a concept of roles',
    ],
    [
      { rate: 1, path: `kv/${'x'.repeat(257)}` },
      "'path' has at most 256 characters below the path of the mount",
    ],
  ])('%j', async (body, text) => {
    const cluster = await start()
    expect(await limit(cluster, 'q', body)).toMatchObject({ status: 400, errors: [text] })
    expect((await cluster.list('sys/quotas/rate-limit')).status).toBe(404)
  })

  test('is one that is about the same as another', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 1, path: 'kv' })
    expect(await limit(cluster, 'other', { rate: 2, path: '/kv/' })).toMatchObject({
      status: 400,
      errors: ['quota rule with similar properties exists under the name "q"'],
    })
    expect((await limit(cluster, 'q', { rate: 2, path: 'kv' })).status).toBe(204)
  })
})

test('the limit of a mount goes with it when it moves, and ends with it', async () => {
  const cluster = await start()
  await limit(cluster, 'q', { rate: 1, interval: '1h', path: 'kv/a' })
  await limit(cluster, 'other', { rate: 100 })
  await cluster.write('sys/remount', { from: 'kv', to: 'moved' }, ADMIN)
  expect((await cluster.read('sys/quotas/rate-limit/q')).data['path']).toBe('moved/a')
  expect(await reads(cluster, 2, 'moved/a')).toEqual([200, 429])
  await cluster.remove('sys/mounts/moved', ADMIN)
  expect((await cluster.list('sys/quotas/rate-limit')).data['keys']).toEqual(['other'])
})

test('the limits of a namespace end with it', async () => {
  const cluster = await start()
  await cluster.write('sys/namespaces/a')
  await limit(cluster, 'q', { rate: 1, path: 'a' })
  await limit(cluster, 'mount', { rate: 1, path: 'a/sys' })
  await cluster.remove('sys/namespaces/a')
  await cluster.nodes[0]?.runDuties()
  expect((await cluster.list('sys/quotas/rate-limit')).status).toBe(404)
})

describe('exempt paths', () => {
  test('are those of health checks, until others are set', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 1, interval: '1h' })
    const nobody = { token: null }
    for (const path of ['sys/health', 'sys/seal-status']) {
      expect(await reads(cluster, 3, path, nobody)).toEqual([200, 200, 200])
    }
    expect(await reads(cluster, 2, 'sys/leader', nobody)).toEqual([200, 429])
    await cluster.write('sys/quotas/config', { rate_limit_exempt_paths: ['sys/leader'] }, ADMIN)
    expect(await reads(cluster, 2, 'sys/health', nobody)).toEqual([429, 429])
    expect(await reads(cluster, 2, 'sys/leader', nobody)).toEqual([200, 200])
  })

  test('are exempt with what lies below them, and what only begins so with a star', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 1, interval: '1h' })
    const paths = ['/kv/free', 'kv/open*', 'sys/mounts/']
    await cluster.write('sys/quotas/config', { rate_limit_exempt_paths: paths }, ADMIN)
    await reads(cluster, 1)
    for (const [path, status] of [
      ['kv/free', 404],
      ['kv/free/deep', 404],
      ['kv/freedom', 429],
      ['kv/open', 404],
      ['kv/opened/deep', 404],
      ['sys/mounts', 200],
      ['sys/mountsx', 429],
    ] as const) {
      expect([path, await reads(cluster, 1, path)]).toEqual([path, [status]])
    }
  })

  test.each([
    ['an empty one', ['']],
    ['the root', ['/']],
    ['one too long', ['x'.repeat(513)]],
    ['too many', Array.from({ length: 257 }, (_, i) => `p${i}`)],
  ])('are not %s', async (_what, rate_limit_exempt_paths) => {
    const cluster = await start()
    const answer = await cluster.write('sys/quotas/config', { rate_limit_exempt_paths })
    expect(answer.status).toBe(400)
  })
})

describe('headers', () => {
  const NAMES = ['X-Ratelimit-Limit', 'X-Ratelimit-Remaining', 'X-Ratelimit-Reset', 'Retry-After']

  test('tell what is left, where that is asked for', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 2, interval: '10s' })
    await cluster.write('sys/quotas/config', { enable_rate_limit_response_headers: true }, ADMIN)
    const told: unknown[] = []
    for (const path of ['kv/a', 'kv/none', 'kv/a']) {
      const { headers } = await cluster.read(path, { node: 0 })
      told.push(NAMES.map((name) => headers[name]))
    }
    expect(told).toEqual([
      ['2', '1', '10', undefined],
      ['2', '0', '10', undefined],
      ['2', '0', '10', '10'],
    ])
  })

  test('say nothing of it else', async () => {
    const cluster = await start()
    await limit(cluster, 'q', { rate: 1, interval: '10s' })
    for (const path of ['kv/a', 'kv/a']) {
      const { headers } = await cluster.read(path, { node: 0 })
      expect(NAMES.map((name) => headers[name])).toEqual(NAMES.map(() => undefined))
    }
  })
})

describe('the audit log', () => {
  async function audited(enable_rate_limit_audit_logging: boolean) {
    const auditDirectory = mkdtempSync(join(tmpdir(), 'quotas-'))
    onTestFinished(() => rmSync(auditDirectory, { recursive: true }))
    const cluster = await start({ auditDirectory })
    const file_path = join(auditDirectory, 'audit.log')
    await limit(cluster, 'q', { rate: 1, interval: '1h' })
    await cluster.write('sys/quotas/config', { enable_rate_limit_audit_logging }, ADMIN)
    await cluster.write('sys/audit/file', { type: 'file', options: { file_path } }, ADMIN)
    await reads(cluster, 1)
    const secret = { password: 'kanarienvogel' }
    expect((await cluster.write('kv/b', secret, { node: 0, token: null })).status).toBe(429)
    const lines = readFileSync(file_path, 'utf8').trim().split('\n')
    return lines.filter((line) => line.includes('kv/b'))
  }

  test('is told of a refused request where that is asked for, but not what it held', async () => {
    const [line = '', ...more] = await audited(true)
    expect(more).toEqual([])
    expect(JSON.parse(line)).toMatchObject({
      type: 'request',
      error: 'request path "kv/b": rate limit quota exceeded',
      request: { operation: 'update', path: 'kv/b', remote_address: '127.0.0.1' },
    })
    expect(JSON.parse(line)).not.toHaveProperty('request.data')
  })

  test('is not told else', async () => {
    expect(await audited(false)).toEqual([])
  })
})

test('a damaged record of limits limits nothing, and the operator is told once', async () => {
  const cluster = await start()
  await limit(cluster, 'q', { rate: 1, interval: '1h' })
  expect(await keysBelow(cluster, 'core/')).toContain('core/quotas')
  await damage(cluster, 'core/quotas')
  expect(await reads(cluster, 3)).toEqual([200, 200, 200])
  expect(cluster.failures).toHaveLength(1)
})

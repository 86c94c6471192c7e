import { describe, expect, onTestFinished, test } from 'vitest'
import { newPolicy, policyKey, policyRecords } from '../../core/policies.ts'
import { Transaction } from '../../core/store/transaction.ts'
import { View } from '../../core/store/view.ts'
import { startCluster, type Answer, type Cluster } from '../../test/support/kit.ts'

async function start(policies: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await inStorage(cluster, (root) => {
    for (const [name, text] of Object.entries(policies)) {
      root.put(policyRecords, policyKey('root', name), newPolicy(name, text, 0))
    }
  })
  return cluster
}

async function inStorage(cluster: Cluster, change: (root: View) => void | Promise<void>) {
  const store = cluster.nodes[0]?.unsealed.store
  if (store === undefined) throw new Error('there is a node')
  store.cache.refresh()
  const transaction = new Transaction(store)
  await change(new View(transaction, ''))
  expect(await transaction.commit()).toBeUndefined()
}

/** A token made by the root token, or by `parent`. */
async function tokenOf(cluster: Cluster, body: object = {}, parent?: string, path = 'create') {
  const made = await cluster.write(
    `auth/token/${path}`,
    body,
    parent === undefined ? {} : { token: parent },
  )
  expect(made).toMatchObject({ status: 200 })
  return String(made.auth['client_token'])
}

const self = (cluster: Cluster, token: string, more: object = {}) =>
  cluster.read('auth/token/lookup-self', { token, ...more })

async function isAlive(cluster: Cluster, token: string): Promise<boolean> {
  const statuses = await Promise.all(
    [0, 1].map(async (node) => (await self(cluster, token, { node })).status),
  )
  expect(new Set(statuses).size).toBe(1)
  expect([200, 403]).toContain(statuses[0])
  return statuses[0] === 200
}

async function accessorOf(cluster: Cluster, token: string): Promise<string> {
  return String((await self(cluster, token)).data['accessor'])
}

const CREATE = 'path "auth/token/create" { capabilities = ["update"] }'
const CREATE_SUDO = 'path "auth/token/create" { capabilities = ["update", "sudo"] }'

describe('a token that is created', () => {
  test('is a child of its maker, with what was asked for', async () => {
    const cluster = await start()
    const made = await cluster.write('auth/token/create', {
      policies: ['B', 'a'],
      ttl: '1h',
      explicit_max_ttl: '2h',
      meta: { team: 'x' },
      display_name: 'my job/1',
      num_uses: 5,
      renewable: false,
    })
    expect(made.auth).toMatchObject({
      policies: ['a', 'b', 'default'],
      lease_duration: 3600,
      renewable: false,
      orphan: false,
      token_type: 'service',
      metadata: { team: 'x' },
      num_uses: 5,
    })
    const looked = await self(cluster, String(made.auth['client_token']))
    expect(looked.data).toMatchObject({
      display_name: 'token-my-job-1',
      explicit_max_ttl: 7200,
      num_uses: 4,
      path: 'auth/token/create',
      meta: { team: 'x' },
    })
  })

  test.each([
    [{ policies: ['root'] }, 400],
    [{ policies: ['other'] }, 400],
    [{ policies: ['default'] }, 200],
    [{}, 200],
    [{ no_parent: true }, 400],
    [{ period: '1h' }, 400],
    [{ id: 'mine' }, 400],
    [{ num_uses: -1 }, 400],
    [{ ttl: '-1h' }, 400],
    [{ ttl: 'soon' }, 400],
    [{ explicit_max_ttl: '-1' }, 400],
    [{ type: 'strange' }, 400],
    [{ entity_alias: 'x' }, 400],
    [{ role_name: 'admin', policies: ['other'] }, 400],
    [{ meta: 'a' }, 400],
    [{ ttl: '500ms' }, 200],
  ])('by somebody without sudo, with %j: %d', async (body, status) => {
    const cluster = await start({ maker: CREATE })
    await cluster.write('auth/token/roles/admin', { allowed_policies: 'other' })
    const token = await tokenOf(cluster, { policies: ['maker'] })
    const made = await cluster.write('auth/token/create', body, { token })
    expect(made.status).toBe(status)
    if (status === 200) expect(made.auth['lease_duration']).toBeGreaterThanOrEqual(1)
  })

  test.each(['ttl', 'lease', 'period', 'explicit_max_ttl'])(
    'with a span that is none, or below zero, is refused by the name of the field: %s',
    async (field) => {
      const cluster = await start()
      const refusal = async (value: unknown) =>
        (await cluster.write('auth/token/create', { [field]: value })).errors[0]

      for (const value of ['soon', '1y', 1.5])
        expect(await refusal(value)).toMatch(
          `error converting input for field "${field}": time: invalid duration; give seconds or`,
        )
      for (const value of ['-1h', -1, '-1ns'])
        expect(await refusal(value)).toBe(`${field} must be positive`)
    },
  )

  test.each([
    [{ policies: ['other'] }, 200],
    [{ policies: ['Root'] }, 400],
    [{ no_parent: true }, 200],
    [{ period: '1h' }, 200],
    [{ id: 'mine' }, 200],
    [{ id: 'hvs.mine' }, 400],
    [{ id: 's.mine' }, 400],
    [{ id: 'mi.ne' }, 400],
    [{ type: 'batch', period: '1h' }, 400],
    [{ type: 'batch', num_uses: 1 }, 400],
    [{ type: 'batch', explicit_max_ttl: '1h' }, 400],
    [{ type: 'batch', id: 'mine' }, 400],
    [{ type: 'batch' }, 200],
  ])('by somebody with sudo, with %j: %d', async (body, status) => {
    const cluster = await start({ maker: CREATE_SUDO })
    const token = await tokenOf(cluster, { policies: ['maker'] })
    const made = await cluster.write('auth/token/create', body, { token })
    expect([made.status, made.errors]).toEqual([status, status === 200 ? [] : expect.any(Array)])
  })

  test('by a token of limited uses is refused', async () => {
    const cluster = await start()
    for (const num_uses of [1, 2, 5]) {
      const token = await tokenOf(cluster, { policies: ['root'], num_uses, ttl: '1h' })
      const made = await cluster.write('auth/token/create', {}, { token })
      expect(made.errors).toEqual(['restricted use token cannot generate child tokens'])
    }
  })

  test('by a batch token is refused', async () => {
    const cluster = await start({ maker: CREATE })
    const token = await tokenOf(cluster, { policies: ['maker'], type: 'batch' })
    expect((await cluster.write('auth/token/create', {}, { token })).status).toBe(400)
  })

  test('of the user’s own text is made once', async () => {
    const cluster = await start()
    expect(await tokenOf(cluster, { id: 'mine', policies: ['default'], ttl: '1h' })).toBe('mine')
    expect(await isAlive(cluster, 'mine')).toBe(true)
    expect((await cluster.write('auth/token/create', { id: 'mine' })).status).toBe(400)
  })

  test('by an expiring root token is no root token without an end', async () => {
    const cluster = await start()
    const root = await tokenOf(cluster, { policies: ['root'], ttl: '1h' })
    expect((await cluster.write('auth/token/create', {}, { token: root })).status).toBe(400)
    const child = await cluster.write('auth/token/create', { ttl: '2h' }, { token: root })
    expect(child.auth).toMatchObject({ policies: ['root'], lease_duration: 7200 })
  })
})

describe('a role', () => {
  test('bounds what is created through its own path, and nothing else', async () => {
    const cluster = await start({
      maker: `${CREATE}\npath "auth/token/create/job" { capabilities = ["update"] }`,
    })
    await cluster.write('auth/token/roles/job', {
      allowed_policies: ['job'],
      orphan: true,
      renewable: false,
      token_period: '1h',
      token_num_uses: 7,
      path_suffix: 'suffix',
      token_bound_cidrs: ['127.0.0.1'],
    })
    const token = await tokenOf(cluster, { policies: ['maker'] })
    const child = await tokenOf(cluster, {}, token, 'create/job')
    expect((await self(cluster, child)).data).toMatchObject({
      policies: ['default', 'job'],
      orphan: true,
      renewable: false,
      period: 3600,
      num_uses: 6,
      path: 'auth/token/create/job/suffix',
      role: 'job',
      bound_cidrs: ['127.0.0.1'],
    })
    expect((await self(cluster, child, { address: '127.0.0.2' })).status).toBe(403)
    const plain = await cluster.write('auth/token/create', { role_name: 'job' }, { token })
    expect(plain.auth).toMatchObject({ policies: ['default', 'maker'], orphan: false })
    expect((await cluster.write('auth/token/create/none', {})).status).toBe(400)
  })

  test.each(['batch', 'default-batch'])(
    'that makes %s tokens counts no uses, in whichever order it is written',
    async (token_type) => {
      const cluster = await start()
      const write = async (body: object) =>
        (await cluster.write('auth/token/roles/job', body)).errors[0]
      const batch = { token_type, orphan: true, renewable: false }
      const refused =
        "error parsing role fields: 'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count"

      expect(await write({ ...batch, token_num_uses: 1 })).toBe(refused)
      expect(await write(batch)).toBeUndefined()
      expect(await write({ token_num_uses: 1 })).toBe(refused)
      expect(await write({ token_type: 'service', token_num_uses: 1 })).toBeUndefined()
      expect(await write(batch)).toBe(refused)
      expect(await write({ token_num_uses: -1 })).toBe(
        "error parsing role fields: 'token_num_uses' cannot be negative",
      )
    },
  )

  test('that counts uses makes no batch token for who asks for one', async () => {
    const cluster = await start()
    await cluster.write('auth/token/roles/job', { token_num_uses: 2 })
    const made = await cluster.write('auth/token/create/job', { type: 'batch', policies: ['p'] })
    expect([made.status, made.errors]).toEqual([400, ['batch tokens cannot have "num_uses" set']])
  })

  test('that makes batch tokens must be able to', async () => {
    const cluster = await start()
    const write = (body: object) =>
      cluster.write('auth/token/roles/b', {
        token_type: 'batch',
        orphan: true,
        renewable: false,
        ...body,
      })
    expect((await write({ orphan: false })).status).toBe(400)
    expect((await write({ renewable: true })).status).toBe(400)
    expect((await write({ token_period: '1h' })).status).toBe(400)
    expect((await write({ token_explicit_max_ttl: '1h' })).status).toBe(400)
    expect((await write({})).status).toBe(204)
    const made = await cluster.write('auth/token/create/b', { policies: ['a'] })
    expect(made.auth).toMatchObject({ token_type: 'batch', orphan: true, renewable: false })
  })

  test('that is gone ends the renewal of its tokens', async () => {
    const cluster = await start()
    await cluster.write('auth/token/roles/job', { allowed_policies: ['job'] })
    const token = await tokenOf(cluster, { ttl: '1h' }, undefined, 'create/job')
    expect((await cluster.write('auth/token/renew-self', {}, { token })).status).toBe(200)
    await cluster.remove('auth/token/roles/job')
    expect((await cluster.write('auth/token/renew-self', {}, { token })).status).toBe(400)
  })
})

test.each(['token_bound_cidrs', 'bound_cidrs'])(
  'a role that binds to one address and by %s to networks is refused, at once and one after the other',
  async (networks) => {
    const cluster = await start()
    const write = (body: object) => cluster.write('auth/token/roles/job', body)
    const text =
      "error parsing role fields: 'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one"
    const both = await write({ token_strictly_bind_ip: true, [networks]: '10.0.0.0/8' })
    expect(both).toMatchObject({ status: 400, errors: [text] })
    expect((await write({ token_strictly_bind_ip: true })).status).toBe(204)
    expect((await write({ [networks]: '10.0.0.0/8' })).status).toBe(400)
    const instead = { token_strictly_bind_ip: false, [networks]: '10.0.0.0/8' }
    expect((await write(instead)).status).toBe(204)
  },
)

test('a token is stored under its accessor, once, and its text is in no key', async () => {
  const cluster = await start()
  const before = new Set(await cluster.storage.list('ns/root/token/', { limit: 10 }))
  const { auth } = await cluster.write('auth/token/create', { ttl: '1h' })
  const stored = await cluster.storage.list('ns/root/token/', { limit: 10 })
  expect(stored.filter((name) => !before.has(name))).toEqual([auth['accessor']])
  expect(auth['accessor']).toMatch(/^[0-9A-Za-z]{24}$/)
  const text = String(auth['client_token']).slice('hvs.'.length)
  expect(String(auth['accessor'])).not.toContain(text.slice(0, 6))
})

describe('revocation', () => {
  test('takes all descendants with it, at once and on every node', async () => {
    const cluster = await start()
    const parent = await tokenOf(cluster, { ttl: '1h' })
    const child = await tokenOf(cluster, { ttl: '1h' }, parent)
    const grandchild = await tokenOf(cluster, { ttl: '1h' }, child)
    const batch = await tokenOf(cluster, { ttl: '1h', type: 'batch', policies: ['default'] }, child)
    const orphan = await tokenOf(cluster, { ttl: '1h' }, parent, 'create-orphan')
    expect((await cluster.write('auth/token/revoke', { token: parent })).status).toBe(204)
    for (const token of [parent, child, grandchild, batch])
      expect(await isAlive(cluster, token)).toBe(false)
    expect(await isAlive(cluster, orphan)).toBe(true)
  })

  test('of a token alone leaves its children as orphans, before and after the cleaning up', async () => {
    const cluster = await start()
    const parent = await tokenOf(cluster, { ttl: '1h' })
    const child = await tokenOf(cluster, { ttl: '1h' }, parent)
    const grandchild = await tokenOf(cluster, { ttl: '1h' }, child)
    expect((await cluster.write('auth/token/revoke-orphan', { token: parent })).status).toBe(204)
    expect(await isAlive(cluster, parent)).toBe(false)
    expect(await isAlive(cluster, child)).toBe(true)
    await runDuties(cluster)
    expect((await self(cluster, child)).data['orphan']).toBe(true)
    expect((await self(cluster, grandchild)).data['orphan']).toBe(false)
    await cluster.write('auth/token/revoke', { token: child })
    expect(await isAlive(cluster, grandchild)).toBe(false)
  })

  test('of a token alone needs sudo', async () => {
    const cluster = await start({
      r: 'path "auth/token/revoke-orphan" { capabilities = ["update"] }',
    })
    const token = await tokenOf(cluster, { policies: ['r'] })
    const victim = await tokenOf(cluster, { ttl: '1h' })
    const answer = await cluster.write('auth/token/revoke-orphan', { token: victim }, { token })
    expect(answer.status).toBe(400)
    expect(await isAlive(cluster, victim)).toBe(true)
  })

  test('of 5,000 descendants takes one request, and pages of the timed duties remove what is left', async () => {
    const cluster = await start()
    const top = await tokenOf(cluster, { ttl: '1h' })
    const middle: string[] = []
    for (let i = 0; i < 25; i++) middle.push(await tokenOf(cluster, { ttl: '1h' }, top))
    const leaves: string[] = []
    for (const parent of middle) {
      const made = Array.from({ length: 200 }, () =>
        tokenOf(cluster, { ttl: '1h', policies: ['default'] }, parent),
      )
      leaves.push(...(await Promise.all(made)))
    }
    for (let i = 0; i < 300; i++) {
      await cluster.write(`cubbyhole/f${i % 7}/s${i}`, { a: 1 }, { token: middle[0] ?? '' })
    }
    expect((await cluster.write('auth/token/revoke', { token: top })).status).toBe(204)
    for (const token of leaves.slice(-20)) expect(await isAlive(cluster, token)).toBe(false)

    for (let i = 0; i < 10; i++) await runDuties(cluster)

    for (const prefix of ['token-child/', 'revocation/', 'expiry/', 'cubbyhole/']) {
      expect([prefix, await cluster.storage.list(prefix, { limit: 10 })]).toEqual([prefix, []])
    }
    expect(await cluster.storage.list('ns/root/token/', { limit: 10 })).toHaveLength(1)
    expect(cluster.failures).toEqual([])
  }, 60_000)

  test('a damaged child is reported, and holds up nobody', async () => {
    const cluster = await start()
    const parent = await tokenOf(cluster, { ttl: '1h' })
    const damaged = await tokenOf(cluster, { ttl: '1h' }, parent)
    const child = await tokenOf(cluster, { ttl: '1h' }, parent)
    const tokens = await cluster.storage.list('ns/root/token/', { limit: 10 })
    const before = new Set(tokens)
    const broken = await tokenOf(cluster, { ttl: '1h' }, damaged)
    const [key] = (await cluster.storage.list('ns/root/token/', { limit: 10 })).filter(
      (one) => !before.has(one),
    )
    await damage(cluster, `ns/root/token/${key}`)
    expect((await self(cluster, broken)).status).toBe(500)
    await cluster.write('auth/token/revoke', { token: parent })
    await runDuties(cluster)
    expect(await isAlive(cluster, child)).toBe(false)
    expect(await cluster.storage.list('revocation/', { limit: 10 })).toEqual([])
    expect(cluster.failures.map(String)).toContainEqual(
      expect.stringContaining(`ns/root/token/${key}`),
    )
  })
})

describe('uses', () => {
  test('of 100 requests at once with a token of 9 uses exactly 9 succeed, the others are told no', async () => {
    const cluster = await start()
    const token = await tokenOf(cluster, { num_uses: 9, ttl: '1h', policies: ['default'] })
    const answers = await Promise.all(Array.from({ length: 100 }, () => self(cluster, token)))
    expect(countOf(answers)).toEqual({ 200: 9, 403: 91 })
    expect(cluster.failures).toEqual([])
  })

  test('are taken by requests that are refused, too', async () => {
    const cluster = await start()
    const token = await tokenOf(cluster, { num_uses: 3, ttl: '1h', policies: ['default'] })
    expect((await cluster.read('sys/mounts', { token })).status).toBe(403)
    expect((await cluster.read('auth/token/nonsense', { token })).status).toBe(403)
    expect((await self(cluster, token)).status).toBe(200)
    expect((await self(cluster, token)).status).toBe(403)
  })

  test('the last one still reads itself, and then nothing of the token is left', async () => {
    const cluster = await start()
    const before = await cluster.storage.list('ns/root/token/', { limit: 10 })
    const token = await tokenOf(cluster, { num_uses: 1, ttl: '1h', policies: ['default'] })
    expect((await self(cluster, token)).status).toBe(200)
    expect(await isAlive(cluster, token)).toBe(false)
    expect(await cluster.storage.list('ns/root/token/', { limit: 10 })).toEqual(before)
  })

  test('the last one may renew or revoke itself without a trace', async () => {
    const cluster = await start()
    for (const path of ['renew-self', 'revoke-self']) {
      const token = await tokenOf(cluster, { num_uses: 1, ttl: '1h', policies: ['default'] })
      expect((await cluster.write(`auth/token/${path}`, {}, { token })).status).toBeLessThan(300)
      expect(await isAlive(cluster, token)).toBe(false)
    }
    cluster.clock.advance('2h')
    await runDuties(cluster)
    expect(await cluster.storage.list('expiry/', { limit: 10 })).toEqual([])
  })

  test('an invalid request takes none', async () => {
    const cluster = await start()
    const token = await tokenOf(cluster, { num_uses: 1, ttl: '1h', policies: ['default'] })
    const broken = await cluster.write('auth/token/lookup-self', undefined, { token, text: '{' })
    expect(broken.status).toBe(400)
    expect((await self(cluster, token)).status).toBe(200)
  })
})

describe('time', () => {
  test('a token is dead from the instant of its end, whether or not it was removed yet', async () => {
    const cluster = await start()
    const token = await tokenOf(cluster, { ttl: '10s' })
    const child = await tokenOf(cluster, { ttl: '1h' }, token)
    cluster.clock.advance(9.999)
    expect(await isAlive(cluster, token)).toBe(true)
    cluster.clock.advance(0.001)
    expect(await isAlive(cluster, token)).toBe(false)
    expect(await isAlive(cluster, child)).toBe(false)
    await runDuties(cluster)
    expect(await cluster.storage.list('expiry/', { limit: 10 })).toEqual([])
  })

  test('a clock that steps back lets a token live no longer than its span from then, and never past its removal', async () => {
    const cluster = await start()
    const token = await tokenOf(cluster, { ttl: '1h' })
    cluster.clock.advance(-600)
    expect(await isAlive(cluster, token)).toBe(true)
    const renewed = await cluster.write('auth/token/renew-self', { increment: '1h' }, { token })
    expect(renewed.auth['lease_duration']).toBe(3600)
    cluster.clock.advance('1h')
    expect(await isAlive(cluster, token)).toBe(false)
    await runDuties(cluster)
    cluster.clock.advance(-1800)
    expect(await isAlive(cluster, token)).toBe(false)
  })

  test('renewal moves the end, up to the explicit maximum and not beyond', async () => {
    const cluster = await start()
    const token = await tokenOf(cluster, { ttl: '1h', explicit_max_ttl: '3h' })
    const renew = () => cluster.write('auth/token/renew-self', { increment: '2h' }, { token })
    expect((await renew()).auth['lease_duration']).toBe(7200)
    cluster.clock.advance('1h30m')
    const capped = await renew()
    expect(capped.auth['lease_duration']).toBe(5400)
    expect(capped.json['warnings']).toHaveLength(1)
    cluster.clock.advance('1h29m59s')
    expect((await renew()).auth['lease_duration']).toBe(1)
    cluster.clock.advance('1s')
    expect(await isAlive(cluster, token)).toBe(false)
  })

  test('a periodic token gets its period with each renewal', async () => {
    const cluster = await start()
    const token = await tokenOf(cluster, { period: '1h' })
    for (let i = 0; i < 5; i++) {
      cluster.clock.advance('59m')
      const renewed = await cluster.write('auth/token/renew', { token, increment: '10h' })
      expect(renewed.auth['lease_duration']).toBe(3600)
    }
    cluster.clock.advance('1h')
    expect(await isAlive(cluster, token)).toBe(false)
  })

  test('what has no end, may not be renewed or is no service token, is not', async () => {
    const cluster = await start()
    const fixed = await tokenOf(cluster, { ttl: '1h', renewable: false })
    const batch = await tokenOf(cluster, { ttl: '1h', type: 'batch', policies: ['default'] })
    const renew = (token: string) => cluster.write('auth/token/renew', { token })
    for (const token of [cluster.rootToken, fixed, batch, 'none', ''])
      expect((await renew(token)).status).toBe(400)
  })

  test('a batch token ends with its span, and with its maker', async () => {
    const cluster = await start()
    const parent = await tokenOf(cluster, { ttl: '1h' })
    const child = await tokenOf(
      cluster,
      { ttl: '10m', type: 'batch', policies: ['default'] },
      parent,
    )
    const orphan = await tokenOf(cluster, {
      ttl: '10m',
      type: 'batch',
      no_parent: true,
      policies: ['default'],
    })
    expect([await isAlive(cluster, child), await isAlive(cluster, orphan)]).toEqual([true, true])
    await cluster.write('auth/token/revoke', { token: parent })
    expect([await isAlive(cluster, child), await isAlive(cluster, orphan)]).toEqual([false, true])
    cluster.clock.advance('10m')
    expect(await isAlive(cluster, orphan)).toBe(false)
  })
})

test('a batch token that was altered is none', async () => {
  const cluster = await start()
  const token = await tokenOf(cluster, { ttl: '1h', type: 'batch', policies: ['default'] })
  const at = [5, 10, 20, 40, token.length - 3]
  const altered = at.map(
    (i) => token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1),
  )
  for (const one of [...altered, token.slice(0, -1), token.slice(0, 20), 'hvb.', `${token}AAAA`]) {
    expect(await self(cluster, one)).toMatchObject({ status: 403, errors: ['permission denied'] })
  }
  expect(await isAlive(cluster, token)).toBe(true)
})

describe('an accessor', () => {
  test('shows, renews and revokes the token, and never tells it', async () => {
    const cluster = await start()
    const token = await tokenOf(cluster, { ttl: '1h' })
    const accessor = await accessorOf(cluster, token)
    const shown = await cluster.write('auth/token/lookup-accessor', { accessor })
    expect(shown.data).toMatchObject({ id: '', accessor, ttl: 3600 })
    const renewed = await cluster.write('auth/token/renew-accessor', { accessor })
    expect(renewed.auth).toMatchObject({ client_token: '', lease_duration: 3600 })
    expect(`${shown.text}${renewed.text}`).not.toContain(token)
    expect((await cluster.write('auth/token/revoke-accessor', { accessor })).status).toBe(204)
    expect(await isAlive(cluster, token)).toBe(false)
    expect((await cluster.write('auth/token/lookup-accessor', { accessor })).status).toBe(400)
  })

  test('is listed to those with sudo', async () => {
    const cluster = await start({ l: 'path "auth/token/accessors" { capabilities = ["list"] }' })
    const token = await tokenOf(cluster, { policies: ['l'], ttl: '1h' })
    expect((await cluster.list('auth/token/accessors')).data['keys']).toContain(
      await accessorOf(cluster, token),
    )
    expect((await cluster.list('auth/token/accessors', { token })).status).toBe(403)
  })
})

test.each([
  'x',
  '',
  'hvs.',
  'hvs.x',
  's.x',
  'hvb.x',
  'hvs.x.y.z',
  'hvs.x.root',
  'hvs.x.../../token',
  `hvs.${'x'.repeat(9000)}`,
  `hvs.x.${'y'.repeat(2000)}`,
  'hvs.x.\u0000',
  'hvs.\ud800',
  'a.b/c',
  '\u2028',
  '..',
  'ey.ey.ey',
])('the text %j is no token, and no fault of the server', async (text) => {
  const cluster = await start()
  const looked = await cluster.write('auth/token/lookup', { token: text || ' ' })
  expect(looked).toMatchObject({ status: 403, errors: ['bad token'] })
  expect((await cluster.write('auth/token/revoke', { token: text || ' ' })).status).toBe(204)
  expect((await cluster.write('auth/token/renew', { token: text })).status).toBe(400)
  expect((await self(cluster, text || ' ')).status).toBe(403)
  for (const path of ['lookup-accessor', 'renew-accessor']) {
    expect((await cluster.write(`auth/token/${path}`, { accessor: text })).status).toBe(400)
  }
  expect(cluster.failures).toEqual([])
})

async function runDuties(cluster: Cluster): Promise<void> {
  for (const node of cluster.nodes) await node.runDuties()
}

function countOf(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

async function damage(cluster: Cluster, key: string): Promise<void> {
  const stored = await cluster.storage.get(key)
  const value = Buffer.from(stored?.value ?? '')
  value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
  await cluster.storage.commit({
    expect: new Map(),
    put: new Map([[key, value]]),
    delete: new Set(),
  })
}

test('a role lets tokens be made for the entities of some aliases, and of no others', async () => {
  const cluster = await start()
  await cluster.write('auth/token/roles/for-apps', { allowed_entity_aliases: 'app-*' })
  const make = (entity_alias: string, role = 'create/for-apps') =>
    cluster.write(`auth/token/${role}`, { entity_alias })

  const [first, again] = [await make('app-One'), await make('app-one')]
  expect(first.auth['entity_id']).toMatch(/^[0-9a-f-]{36}$/)
  expect(again.auth['entity_id']).toBe(first.auth['entity_id'])
  expect((await make('other')).errors).toEqual(["invalid 'entity_alias' value"])
  expect((await make('app-one', 'create')).errors).toEqual([
    "'entity_alias' is only allowed in combination with token role",
  ])
})

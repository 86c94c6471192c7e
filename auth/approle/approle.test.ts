import { describe, expect, test, onTestFinished } from 'vitest'
import { startCluster, type Answer, type Cluster } from '../../test/support/kit.ts'

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/auth/approle', { type: 'approle' })
  return cluster
}

/** A role, and its role id. */
async function roleWith(cluster: Cluster, settings: object, name = 'web'): Promise<string> {
  expect((await cluster.write(`auth/approle/role/${name}`, settings)).status).toBeLessThan(300)
  return String((await cluster.read(`auth/approle/role/${name}/role-id`)).data['role_id'])
}

async function secretOf(cluster: Cluster, body: object = {}, name = 'web'): Promise<string> {
  const made = await cluster.write(`auth/approle/role/${name}/secret-id`, body)
  expect(made.status).toBe(200)
  return String(made.data['secret_id'])
}

function login(cluster: Cluster, body: object, more: object = {}): Promise<Answer> {
  return cluster.write('auth/approle/login', body, { token: null, ...more })
}

const INVALID = ['invalid role or secret ID']

test('a role id and a secret id make a token that has the policies of the role', async () => {
  const cluster = await start()
  const role_id = await roleWith(cluster, { token_policies: ['Web', 'app'], token_ttl: '20m' })
  const secret_id = await secretOf(cluster, { metadata: '{"host":"a"}' })

  const { status, auth } = await login(cluster, { role_id, secret_id })

  expect(status).toBe(200)
  expect(auth).toMatchObject({
    policies: ['app', 'default', 'web'],
    lease_duration: 1200,
    token_type: 'service',
    orphan: true,
    metadata: { role_name: 'web', host: 'a' },
  })
  const token = String(auth['client_token'])
  const self = await cluster.read('auth/token/lookup-self', { token })
  expect(self.data).toMatchObject({ path: 'auth/approle/login', display_name: 'approle' })
})

test('whatever does not fit gets one and the same answer', async () => {
  const cluster = await start()
  const role_id = await roleWith(cluster, { secret_id_num_uses: 1 })
  const secret_id = await secretOf(cluster)
  const other = await secretOf(cluster)
  await login(cluster, { role_id, secret_id })
  await cluster.write('auth/approle/role/web/secret-id/destroy', { secret_id: other })
  for (const body of [
    { role_id: 'none', secret_id },
    { role_id, secret_id: 'none' },
    { role_id, secret_id },
    { role_id, secret_id: other },
    { role_id: `${role_id} `, secret_id },
  ]) {
    expect(await login(cluster, body)).toMatchObject({ status: 400, errors: INVALID })
  }
})

describe('uses', () => {
  test('of 60 logins at once with a secret id of 7 uses exactly 7 succeed', async () => {
    const cluster = await start()
    const role_id = await roleWith(cluster, { secret_id_num_uses: 7 })
    const secret_id = await secretOf(cluster)
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => login(cluster, { role_id, secret_id })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7)
    const losers = answers.filter(({ status }) => status !== 200)
    expect(new Set(losers.map(({ status, errors }) => `${status} ${errors.join()}`))).toEqual(
      new Set([`400 ${INVALID.join()}`]),
    )
    expect(cluster.failures).toEqual([])
  })

  test('a login that is refused takes no use', async () => {
    const cluster = await start()
    const role_id = await roleWith(cluster, { token_bound_cidrs: ['10.0.0.0/8'] })
    const secret_id = await secretOf(cluster, { num_uses: 1 })
    expect((await login(cluster, { role_id, secret_id }, { address: '11.0.0.1' })).status).toBe(400)
    expect((await login(cluster, { role_id, secret_id }, { address: '10.0.0.1' })).status).toBe(200)
    expect((await login(cluster, { role_id, secret_id }, { address: '10.0.0.1' })).status).toBe(400)
  })
})

describe('time', () => {
  test('a secret id is refused from the instant of its end, tidied or not', async () => {
    const cluster = await start()
    const role_id = await roleWith(cluster, { secret_id_ttl: '10s' })
    const secret_id = await secretOf(cluster)
    cluster.clock.advance(9.999)
    expect((await login(cluster, { role_id, secret_id })).status).toBe(200)
    cluster.clock.advance(0.001)
    expect(await login(cluster, { role_id, secret_id })).toMatchObject({
      status: 400,
      errors: INVALID,
    })
  })

  test('a secret id of the user’s choice that is made anew outlives the end of the former', async () => {
    const cluster = await start()
    const role_id = await roleWith(cluster, {})
    const make = (ttl: string) =>
      cluster.write('auth/approle/role/web/custom-secret-id', { secret_id: 'mine', ttl })
    const first = await make('10s')
    cluster.clock.advance('11s')
    expect((await make('1h')).status).toBe(200)
    expect((await cluster.write('auth/approle/tidy/secret-id')).status).toBe(202)
    expect((await login(cluster, { role_id, secret_id: 'mine' })).status).toBe(200)
    const former = await cluster.write('auth/approle/role/web/secret-id-accessor/lookup', {
      secret_id_accessor: first.data['secret_id_accessor'],
    })
    expect(former.status).toBe(404)
  })

  test('a role made anew under its name takes none of the former’s secret ids', async () => {
    const cluster = await start()
    await roleWith(cluster, {})
    const secret_id = await secretOf(cluster)
    await cluster.remove('auth/approle/role/web')
    const role_id = await roleWith(cluster, {})
    expect((await login(cluster, { role_id, secret_id })).errors).toEqual(INVALID)
  })

  test('the timed duties remove what is over, and what a deleted role leaves behind', async () => {
    const cluster = await start()
    await roleWith(cluster, {})
    await secretOf(cluster, { ttl: '10s' })
    await roleWith(cluster, {}, 'gone')
    for (let i = 0; i < 3; i++) await secretOf(cluster, {}, 'gone')
    await cluster.remove('auth/approle/role/gone')
    cluster.clock.advance('2m')
    await Promise.all(cluster.nodes.map((node) => node.runDuties()))
    expect(await keysBelow(cluster, 'mount/')).not.toContainEqual(
      expect.stringMatching(/\/(secret-id|accessor|expiry|deletion)\//),
    )
  })
})

describe('networks', () => {
  test.each([
    ['secret_id_bound_cidrs of the role', { secret_id_bound_cidrs: ['10.0.0.0/8'] }, {}],
    ['token_bound_cidrs of the role', { token_bound_cidrs: ['10.0.0.0/8'] }, {}],
    ['cidr_list of the secret id', {}, { cidr_list: ['10.0.0.0/8'] }],
  ])('%s bounds where a login may come from', async (_what, settings, secret) => {
    const cluster = await start()
    const role_id = await roleWith(cluster, settings)
    const secret_id = await secretOf(cluster, secret)
    const from = (address: string) => login(cluster, { role_id, secret_id }, { address })
    expect((await from('10.1.2.3')).status).toBe(200)
    expect((await from('::ffff:10.1.2.3')).status).toBe(200)
    for (const address of ['11.1.2.3', '::1', '::ffff:11.1.2.3', '']) {
      expect(await from(address)).toMatchObject({ status: 400, auth: {} })
    }
  })

  test('a role without secret ids is bound by its networks', async () => {
    const cluster = await start()
    const role_id = await roleWith(cluster, {
      bind_secret_id: false,
      secret_id_bound_cidrs: ['10.0.0.0/8'],
    })
    expect((await login(cluster, { role_id }, { address: '10.0.0.1' })).status).toBe(200)
    expect((await login(cluster, { role_id }, { address: '11.0.0.1' })).status).toBe(400)
  })

  test('a secret id cannot widen its role’s networks', async () => {
    const cluster = await start()
    await roleWith(cluster, { secret_id_bound_cidrs: ['10.1.0.0/16'] })
    for (const [cidr, status] of [
      ['10.1.2.0/24', 200],
      ['10.1.0.0/16', 200],
      ['10.0.0.0/8', 400],
      ['11.0.0.0/24', 400],
      ['0.0.0.0/0', 400],
      ['::/0', 400],
    ] as const) {
      const made = await cluster.write('auth/approle/role/web/secret-id', { cidr_list: [cidr] })
      expect([cidr, made.status]).toEqual([cidr, status])
    }
  })

  test('token_bound_cidrs of the secret id bind its tokens', async () => {
    const cluster = await start()
    const role_id = await roleWith(cluster, {})
    const secret_id = await secretOf(cluster, { token_bound_cidrs: ['10.0.0.1'] })
    const { auth } = await login(cluster, { role_id, secret_id })
    const self = (address: string) =>
      cluster.read('auth/token/lookup-self', { token: String(auth['client_token']), address })
    expect((await self('10.0.0.1')).status).toBe(200)
    expect((await self('10.0.0.2')).status).toBe(403)
  })
})

test('a role that binds to one address and to networks is refused', async () => {
  const cluster = await start()
  const write = (body: object) => cluster.write('auth/approle/role/web', body)
  const refused = await write({ token_strictly_bind_ip: true, token_bound_cidrs: '10.0.0.0/8' })
  expect(refused.status).toBe(400)
  expect(refused.errors[0]).toContain("'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'")
  expect((await write({ token_strictly_bind_ip: true })).status).toBe(204)
  expect((await write({ token_bound_cidrs: '10.0.0.0/8' })).status).toBe(400)
})

test('a secret id may not have more uses, or more time, than its role gives', async () => {
  const cluster = await start()
  await roleWith(cluster, { secret_id_num_uses: 5, secret_id_ttl: '1h' })
  for (const body of [
    { num_uses: 6 },
    { num_uses: 0 },
    { ttl: '2h' },
    { ttl: 0 },
    { num_uses: -1 },
  ]) {
    expect((await cluster.write('auth/approle/role/web/secret-id', body)).status).toBe(400)
  }
  const made = await cluster.write('auth/approle/role/web/secret-id', { num_uses: 4, ttl: '1m' })
  expect(made.data).toMatchObject({ secret_id_num_uses: 4, secret_id_ttl: 60 })
})

describe('uses of a token cannot be counted where it is a batch token', () => {
  const LIMITED =
    "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count"

  test.each(['batch', 'default-batch'])('as the role says: %s', async (token_type) => {
    const cluster = await start()
    const write = async (body: object) =>
      (await cluster.write('auth/approle/role/web', body)).errors[0]

    expect(await write({ token_type, token_num_uses: 1 })).toBe(LIMITED)
    expect(await write({ token_type })).toBeUndefined()
    expect(await write({ token_num_uses: 1 })).toBe(LIMITED)
    const one = await cluster.write('auth/approle/role/web/token-num-uses', { token_num_uses: 1 })
    expect(one.errors).toEqual([LIMITED])
    expect(await write({ token_type: 'service', token_num_uses: 1 })).toBeUndefined()
    expect(await write({ token_type })).toBe(LIMITED)
  })

  test.each(['batch', 'default-batch'])('as the mount says: %s', async (token_type) => {
    const cluster = await start()
    await cluster.write('sys/auth/approle/tune', { token_type })
    const refused = await cluster.write('auth/approle/role/web', { token_num_uses: 1 })
    expect(refused.status).toBe(400)
    expect(refused.errors[0]).toContain("'token_num_uses' cannot be set where the mount makes")
    const service = { token_type: 'service', token_num_uses: 1 }
    const written = await cluster.write('auth/approle/role/web', service)
    expect(written.status).toBe(token_type === 'batch' ? 400 : 204)
  })

  test('also where the mount was tuned after the role was written', async () => {
    const cluster = await start()
    const role_id = await roleWith(cluster, { token_num_uses: 1 })
    const secret_id = await secretOf(cluster)
    await cluster.write('sys/auth/approle/tune', { token_type: 'default-batch' })
    const refused = await login(cluster, { role_id, secret_id })
    expect(refused).toMatchObject({ status: 400, auth: {} })
    expect(refused.errors[0]).toContain('token_num_uses')
    await cluster.write('sys/auth/approle/tune', { token_type: 'default-service' })
    expect((await login(cluster, { role_id, secret_id })).auth).toMatchObject({
      token_type: 'service',
      num_uses: 1,
    })
  })
})

test('a GET makes no token', async () => {
  const cluster = await start()
  const role_id = await roleWith(cluster, {})
  const secret_id = await secretOf(cluster)
  const path = `auth/approle/login?role_id=${role_id}&secret_id=${secret_id}`
  expect(await cluster.read(path, { token: null })).toMatchObject({ status: 400, auth: {} })
  expect((await login(cluster, { role_id, secret_id })).status).toBe(200)
})

test('two roles cannot have the same role id', async () => {
  const cluster = await start()
  await roleWith(cluster, { role_id: 'one' })
  expect((await cluster.write('auth/approle/role/other', { role_id: 'one' })).status).toBe(400)
  expect((await cluster.write('auth/approle/role/web/role-id', { role_id: 'two' })).status).toBe(
    204,
  )
  expect((await cluster.write('auth/approle/role/other', { role_id: 'one' })).status).toBe(204)
})

test('renewal asks the role again, and fails where it is gone', async () => {
  const cluster = await start()
  const role_id = await roleWith(cluster, { token_ttl: '1h', token_max_ttl: '10h' })
  const { auth } = await login(cluster, { role_id, secret_id: await secretOf(cluster) })
  const token = String(auth['client_token'])
  await cluster.write('auth/approle/role/web', { token_ttl: '2h' })
  const renew = () => cluster.write('auth/token/renew-self', {}, { token })
  expect((await renew()).auth['lease_duration']).toBe(7200)
  await cluster.remove('auth/approle/role/web')
  expect((await renew()).status).toBe(400)
})

async function keysBelow(cluster: Cluster, prefix: string): Promise<string[]> {
  const found: string[] = []
  for (const name of await cluster.storage.list(prefix, { limit: 10_000 })) {
    if (name.endsWith('/')) found.push(...(await keysBelow(cluster, prefix + name)))
    else found.push(prefix + name)
  }
  return found
}

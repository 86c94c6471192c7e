import { expect, onTestFinished, test } from 'vitest'
import type { Commit } from '../../../storage/contract.ts'
import { MemoryStorage } from '../../../storage/memory.ts'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  return cluster
}

test('what is mounted through one node is there on the other, and gone on both when it is removed', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/app', { type: 'kv' }, { node: 0 })
  await cluster.write('app/a', { v: '1' }, { node: 1 })
  expect((await cluster.read('app/a', { node: 0 })).data).toEqual({ v: '1' })

  await cluster.remove('sys/mounts/app', { node: 1 })

  expect(await cluster.read('app/a', { node: 0 })).toMatchObject({ status: 404 })
  expect((await cluster.read('sys/mounts', { node: 0 })).data).not.toHaveProperty('app/')
})

test('a mount that is made again at the same path holds nothing of the one before', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/app', { type: 'kv' })
  await cluster.write('app/a', { v: '1' })
  await cluster.remove('sys/mounts/app')
  await cluster.write('sys/mounts/app', { type: 'kv' })

  expect(await cluster.read('app/a')).toMatchObject({ status: 404 })
})

test('of two nodes that mount at one path at once, one is refused', async () => {
  const cluster = await start()

  const answers = await Promise.all([
    cluster.write('sys/mounts/app', { type: 'kv' }, { node: 0 }),
    cluster.write('sys/mounts/app', { type: 'kv' }, { node: 1 }),
  ])

  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 400])
})

test('of two nodes that mount one path over the other at once, one is refused', async () => {
  const cluster = await start()

  const answers = await Promise.all(
    ['team', 'team/app'].map((at, node) =>
      cluster.write(`sys/mounts/${at}`, { type: 'kv' }, { node }),
    ),
  )

  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 400])
  const team = Object.keys((await cluster.read('sys/mounts')).data).filter((at) =>
    at.startsWith('team'),
  )
  expect(team).toHaveLength(1)
})

test('a mount is written in as many bytes beside a hundred others as beside none', async () => {
  const sizes: number[] = []
  class Measured extends MemoryStorage {
    override commit(change: Commit) {
      sizes.push([...change.put.values()].reduce((sum, value) => sum + value.length, 0))
      return super.commit(change)
    }
  }
  const cluster = await startCluster({ storage: new Measured() })
  onTestFinished(() => cluster.close())
  const written = async (at: string) => {
    await cluster.write(`sys/mounts/${at}`, { type: 'kv' })
    return sizes.at(-1) ?? 0
  }

  const first = await written('m000')
  for (let i = 1; i < 100; i++) await written(`m${String(i).padStart(3, '0')}`)
  const last = await written('m100')

  expect(first).toBeGreaterThan(0)
  expect(last - first).toBeLessThanOrEqual(2)
})

test('neither below nor above a mount is there room for another', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/team/app', { type: 'kv' })

  for (const at of ['team', 'team/app', 'team/app/inner']) {
    expect((await cluster.write(`sys/mounts/${at}`, { type: 'kv' })).errors).toEqual([
      'path is already in use at team/app/',
    ])
  }
  expect((await cluster.write('sys/mounts/team/apples', { type: 'kv' })).status).toBe(204)
})

const LONG = 'x'.repeat(257)
test.each([
  [{ description: 'x'.repeat(4097) }, "'description' is too long: it has at most 4096 bytes"],
  [
    { options: { a: 'x'.repeat(4097) } },
    "'options' is too long: the value of an option has at most 4096 bytes",
  ],
  [
    { options: { [LONG]: '' } },
    "'options' is too long: the name of an option has at most 256 bytes",
  ],
  [
    { options: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`o${i}`, ''])) },
    "'options' has too many entries: at most 64",
  ],
  [{ plugin_version: LONG }, "'plugin_version' is too long: it has at most 256 bytes"],
  [
    { passthrough_request_headers: [LONG] },
    "'passthrough_request_headers' is too long: a name has at most 256 bytes",
  ],
  [
    { audit_non_hmac_request_keys: 'a,'.repeat(257) },
    "'audit_non_hmac_request_keys' has too many names: at most 256",
  ],
])(
  'what is too long for a mount is refused by name, also when it is tuned: %#',
  async (more, text) => {
    const cluster = await start()
    await cluster.write('sys/mounts/app', { type: 'kv' })

    const made = await cluster.write('sys/mounts/new', { type: 'kv', config: more, ...more })
    const tuned = await cluster.write('sys/mounts/app/tune', more)

    expect([made.status, made.errors]).toEqual([400, [text]])
    expect([tuned.status, tuned.errors]).toEqual([400, [text]])
  },
)

test('a type that is too long is refused, and not repeated', async () => {
  const cluster = await start()
  for (const body of [{ type: LONG }, { plugin_name: LONG }]) {
    const [name = ''] = Object.keys(body)
    expect((await cluster.write('sys/mounts/new', body)).errors).toEqual([
      `'${name}' is too long: it has at most 256 bytes`,
    ])
  }
})

test('a description may have 4096 bytes, a path 256', async () => {
  const cluster = await start()
  const at = 'p'.repeat(255)
  const description = 'd'.repeat(4096)
  expect((await cluster.write(`sys/mounts/${at}`, { type: 'kv', description })).status).toBe(204)
  expect((await cluster.read(`sys/mounts/${at}`)).data).toMatchObject({ description })
})

const TOO_LONG =
  'is too long: the path of a mount has at most 256 bytes in 16 segments, "auth/" included'
test.each(['p'.repeat(256), 'é'.repeat(128), 'p/'.repeat(17)])(
  'a path that is too long is refused: %#',
  async (at) => {
    const cluster = await start()
    await cluster.write('sys/mounts/app', { type: 'kv' })
    const refused = async (path: string, body: object) =>
      (await cluster.write(path, body)).errors[0]

    const path = encodeURI(at).replace(/\/$/, '')
    expect(await refused(`sys/mounts/${path}`, { type: 'kv' })).toBe(`'path' ${TOO_LONG}`)
    expect(await refused(`sys/auth/${path}`, { type: 'approle' })).toBe(`'path' ${TOO_LONG}`)
    expect(await refused('sys/remount', { from: 'app', to: at })).toBe(`'to' ${TOO_LONG}`)
    expect(await refused('sys/remount', { from: at, to: 'app' })).toBe(`'from' ${TOO_LONG}`)
    expect(await cluster.read(`sys/mounts/${path}`)).toMatchObject({ status: 400 })
    expect((await cluster.read('sys/mounts/app')).status).toBe(200)
  },
)

test('a slash at the end makes no second name of a mount: a policy on the name holds', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/prod', { type: 'kv' })
  const token = await cluster.tokenWith(
    'path "sys/mounts/*" { capabilities = ["read", "update", "delete"] } path "sys/mounts/prod" { capabilities = ["deny"] }',
  )

  for (const at of ['sys/mounts/prod', 'sys/mounts/prod/']) {
    expect(await cluster.remove(at, { token }), at).toMatchObject({ status: 403 })
    expect(await cluster.read(at, { token }), at).toMatchObject({ status: 403 })
  }
  expect((await cluster.read('sys/mounts/prod/')).data).toMatchObject({ type: 'kv' })
})

test('an auth method is removed through sys/auth alone, which needs sudo', async () => {
  const cluster = await start()
  await cluster.write('sys/auth/approle', { type: 'approle' })
  const token = await cluster.tokenWith(
    'path "sys/mounts/*" { capabilities = ["delete"] } path "sys/auth/*" { capabilities = ["delete"] }',
  )

  await cluster.remove('sys/mounts/auth/approle', { token })
  expect((await cluster.read('sys/auth')).data).toHaveProperty('approle/')

  expect(await cluster.remove('sys/auth/approle', { token })).toMatchObject({ status: 403 })
  expect(await cluster.remove('sys/auth/approle')).toMatchObject({ status: 204 })
  expect((await cluster.read('sys/auth')).data).not.toHaveProperty('approle/')
})

test.each(['service', 'batch'])(
  'a %s token ends with the method that granted it, and its children with it',
  async (type) => {
    const cluster = await start()
    const token = await login(cluster, type)
    expect(await cluster.read('auth/token/lookup-self', { token })).toMatchObject({ status: 200 })
    const child =
      type === 'batch'
        ? token
        : String(
            (await cluster.write('auth/token/create', {}, { token })).auth['client_token'] ?? '',
          )
    expect(await cluster.read('auth/token/lookup-self', { token: child })).toMatchObject({
      status: 200,
    })

    await cluster.remove('sys/auth/approle')

    for (const one of [token, child]) {
      for (const node of [0, 1]) {
        expect(await cluster.read('auth/token/lookup-self', { token: one, node })).toMatchObject({
          status: 403,
        })
      }
    }
    await cluster.write('sys/auth/approle', { type: 'approle' })
    expect(await cluster.read('auth/token/lookup-self', { token })).toMatchObject({ status: 403 })
  },
)

/** A token of approle, which is mounted for it. */
async function login(cluster: Cluster, type: string): Promise<string> {
  await cluster.write('sys/auth/approle', { type: 'approle' })
  const policy = 'path "auth/token/create" { capabilities = ["update"] }'
  await cluster.write('sys/policies/acl/maker', { policy })
  await cluster.write('auth/approle/role/r', { token_type: type, token_policies: 'maker' })
  const { data: role } = await cluster.read('auth/approle/role/r/role-id')
  const { data: secret } = await cluster.write('auth/approle/role/r/secret-id')
  const { role_id } = role
  const { auth } = await cluster.write('auth/approle/login', {
    role_id,
    secret_id: secret['secret_id'],
  })
  return String(auth['client_token'])
}

test('a token of a method that is moved stays alive', async () => {
  const cluster = await start()
  const token = await login(cluster, 'service')

  const moved = await cluster.write('sys/remount', { from: 'auth/approle', to: 'auth/other' })

  const id = String(moved.data['migration_id'])
  expect((await cluster.read(`sys/remount/status/${id}`)).data).toMatchObject({
    migration_info: {
      source_mount: 'auth/approle/',
      target_mount: 'auth/other/',
      status: 'success',
    },
  })
  expect(await cluster.read('auth/token/lookup-self', { token })).toMatchObject({ status: 200 })
  expect(await cluster.read('auth/other/role/r')).toMatchObject({ status: 200 })
})

test.each([
  [{ default_lease_ttl: '2h', max_lease_ttl: '1h' }, 'greater than'],
  [{ default_lease_ttl: 'soon' }, 'default TTL'],
  [{ max_lease_ttl: [] }, 'max TTL'],
  [{ listing_visibility: 'hvs.oops' }, 'listing_visibility'],
])('a wrong setting is refused, named, and not repeated: %j', async (config, text) => {
  const cluster = await start()

  const { status, errors } = await cluster.write('sys/auth/a', { type: 'approle', config })

  expect(status).toBe(400)
  expect(errors[0]).toContain(text)
  expect(errors[0]).not.toMatch(/soon|hvs\./)
  expect((await cluster.read('sys/auth')).data).not.toHaveProperty('a/')
})

test('tuning changes what is named and keeps the rest', async () => {
  const cluster = await start()
  const config = { max_lease_ttl: '10h', listing_visibility: 'unauth' }
  await cluster.write('sys/mounts/app', { type: 'kv', description: 'first', config })

  await cluster.write('sys/mounts/app/tune', { default_lease_ttl: '1h' })

  expect((await cluster.read('sys/mounts/app/tune')).data).toMatchObject({
    default_lease_ttl: 3600,
    max_lease_ttl: 36_000,
    description: 'first',
    listing_visibility: 'unauth',
  })
})

test('of the mounts that are part of the server only what the audit log shows can be tuned', async () => {
  const cluster = await start()

  for (const name of ['sys', 'cubbyhole', 'identity']) {
    const refused = await cluster.write(`sys/mounts/${name}/tune`, { max_lease_ttl: '1h' })
    expect(refused.errors).toEqual([`cannot tune parameter max_lease_ttl of ${name}/`])
    const keys = { audit_non_hmac_request_keys: ['x'] }
    expect(await cluster.write(`sys/mounts/${name}/tune`, keys)).toMatchObject({ status: 204 })
  }
})

test('no tuning sets what only the making of a mount can set', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/app', { type: 'kv', config: { force_no_cache: true } })

  await cluster.write('sys/mounts/app/tune', { force_no_cache: false })
  await cluster.write('sys/mounts/sys/tune', { force_no_cache: true })

  expect((await cluster.read('sys/mounts/app/tune')).data).toMatchObject({ force_no_cache: true })
  expect((await cluster.read('sys/mounts/sys/tune')).data).toMatchObject({ force_no_cache: false })
})

test("a limit of less than a second is one second, and not the system's limit", async () => {
  const cluster = await start()
  const config = { default_lease_ttl: '1ms', max_lease_ttl: '500ms' }

  await cluster.write('sys/mounts/app', { type: 'kv', config })

  expect((await cluster.read('sys/mounts/app/tune')).data).toMatchObject({
    default_lease_ttl: 1,
    max_lease_ttl: 1,
  })
})

test.each([
  [{ lockout_disable: 'hvs.oops' }, 'lockout_disable must be true or false'],
  [{ lockout_duration: 'hvs.oops' }, 'unable to parse lockout_duration'],
  [{ lockout_threshold: 'hvs.oops' }, 'unable to parse user lockout threshold'],
])(
  'a wrong setting of the lock-out is refused, named, and not repeated: %j',
  async (wrong, text) => {
    const cluster = await start()
    await cluster.write('sys/auth/app', { type: 'approle' })
    const right = { lockout_disable: 'true', lockout_duration: '10m', lockout_threshold: '3' }
    await cluster.write('sys/auth/app/tune', { user_lockout_config: right })

    const refused = await cluster.write('sys/auth/app/tune', { user_lockout_config: wrong })

    expect(refused.status).toBe(400)
    expect(refused.errors[0]).toContain(text)
    expect(refused.errors[0]).not.toContain('hvs.')
    expect((await cluster.read('sys/auth/app/tune')).data).toMatchObject({
      user_lockout_disable: true,
      user_lockout_duration: 600,
      user_lockout_threshold: 3,
    })
  },
)

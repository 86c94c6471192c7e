import { describe, expect, onTestFinished, test } from 'vitest'
import { MemoryStorage } from '../../storage/memory.ts'
import type { Storage } from '../../storage/contract.ts'
import { startCluster, type Answer, type Cluster } from '../../test/support/kit.ts'
import { inStorage, namespaceRoot, putNamespaces, putPolicy } from '../../test/support/records.ts'
import { issueToken } from '../../core/tokens/issue.ts'
import { systemRandom } from '../../core/random.ts'
import { tokenKey } from '../../core/tokens/record.ts'

async function start(storage: Storage = new MemoryStorage()): Promise<Cluster> {
  const cluster = await startCluster({ storage })
  onTestFinished(() => cluster.close())
  return cluster
}

interface Made {
  readonly token: string
  readonly accessor: string
}

async function make(cluster: Cluster, body: object, path = 'create', more = {}): Promise<Made> {
  const { auth, errors } = await cluster.write(`auth/token/${path}`, body, more)
  expect(errors).toEqual([])
  return { token: String(auth['client_token']), accessor: String(auth['accessor']) }
}

/** AppRole with a role, whose secret id is not needed. @returns logs in */
async function appRole(cluster: Cluster, settings: object = {}, mount = 'approle') {
  await cluster.write(`sys/auth/${mount}`, { type: 'approle' })
  const role = { bind_secret_id: false, token_bound_cidrs: '127.0.0.1', ...settings }
  expect((await cluster.write(`auth/${mount}/role/web`, role)).errors).toEqual([])
  const { data } = await cluster.read(`auth/${mount}/role/web/role-id`)
  return async (): Promise<Made> => {
    const body = { role_id: data['role_id'] }
    const { auth } = await cluster.write(`auth/${mount}/login`, body, { token: null })
    return { token: String(auth['client_token']), accessor: String(auth['accessor']) }
  }
}

const keysOf = ({ data }: Answer) => (Array.isArray(data['keys']) ? data['keys'].map(String) : [])

const inventory = (cluster: Cluster, query: string, more = {}) =>
  cluster.list(`auth/token/inventory?${query}`, more)

async function found(cluster: Cluster, query: string, more = {}): Promise<string[]> {
  const answer = await inventory(cluster, query, more)
  expect(answer.status).toBe(200)
  return keysOf(answer).toSorted()
}

async function isAlive(cluster: Cluster, token: string): Promise<boolean> {
  const statuses = await Promise.all(
    [0, 1].map(async (node) => {
      return (await cluster.read('auth/token/lookup-self', { token, node })).status
    }),
  )
  expect(new Set(statuses).size).toBe(1)
  return statuses[0] === 200
}

const revoke = (cluster: Cluster, body: object, more = {}) =>
  cluster.write('auth/token/inventory/revoke', body, more)

async function runDuties(cluster: Cluster): Promise<void> {
  for (const node of cluster.nodes) await node.runDuties()
  expect(cluster.failures).toEqual([])
}

async function tokensStored(cluster: Cluster): Promise<number> {
  return inStorage(cluster, async (root) => (await root.list('ns/root/token/')).length)
}

describe('the inventory', () => {
  test('shows accessors and facts, and no token', async () => {
    const cluster = await start()
    const { token, accessor } = await make(cluster, { policies: ['app'], meta: { team: 'x' } })
    const answer = await inventory(cluster, 'policies=app')
    expect(keysOf(answer)).toEqual([accessor])
    expect(answer.data['tokens']).toMatchObject([
      { accessor, policies: ['app', 'default'], meta: { team: 'x' }, path: 'auth/token/create' },
    ])
    expect(answer.text).not.toContain(token)
    expect(answer.data['tokens']).not.toHaveProperty('0.id')
  })

  test('finds by each condition what meets it, and nothing else', async () => {
    const cluster = await start()
    const login = await appRole(cluster)
    await cluster.write('auth/token/roles/deploy', { allowed_policies: 'deploy' })
    const web = await login()
    const deploy = await make(cluster, {}, 'create/deploy')
    const orphan = await make(cluster, { policies: ['app'], ttl: '1h' }, 'create-orphan')
    const root = await make(cluster, { policies: ['root'] })
    const all = await found(cluster, '')
    expect(all).toHaveLength(5)
    expect(await found(cluster, 'role=web')).toEqual([web.accessor])
    expect(await found(cluster, 'role=deploy')).toEqual([deploy.accessor])
    expect(await found(cluster, 'policies=deploy,app')).toEqual(
      [deploy.accessor, orphan.accessor].toSorted(),
    )
    expect(await found(cluster, 'mount=auth/approle/')).toEqual([web.accessor])
    expect(await found(cluster, 'mount=approle')).toEqual([web.accessor])
    expect(await found(cluster, 'path=auth/token/create/*')).toEqual([deploy.accessor])
    expect(await found(cluster, 'orphan=false')).toEqual(
      [deploy.accessor, root.accessor].toSorted(),
    )
    expect(await found(cluster, 'expires_before=2h')).toEqual([orphan.accessor])
    expect(await found(cluster, 'expires_after=2h')).toEqual(
      [deploy.accessor, web.accessor].toSorted(),
    )
    expect(await found(cluster, 'never_expires=true')).toHaveLength(2)
    expect(await found(cluster, 'never_expires=true&orphan=false')).toEqual([root.accessor])
    expect(await found(cluster, 'policies=app&role=deploy')).toEqual([])
    expect(await found(cluster, 'entity_id=someone')).toEqual([])
    await cluster.clock.advance('2s')
    const later = await make(cluster, {})
    expect(await found(cluster, 'created_after=1s')).toEqual([later.accessor])
    expect(await found(cluster, 'created_before=1s')).toEqual(all)
  })

  test('is not led astray by a role that somebody wrote into the metadata of a token', async () => {
    const cluster = await start()
    await make(cluster, { meta: { role_name: 'web', role: 'web' } })
    expect(await found(cluster, 'role=web')).toEqual([])
  })

  test('leaves out what does not work any more', async () => {
    const cluster = await start()
    const parent = await make(cluster, { policies: ['app', 'root'] })
    await make(cluster, { policies: ['child'] }, 'create', { token: parent.token })
    await make(cluster, { policies: ['app'], ttl: '1s' })
    await cluster.clock.advance('2s')
    await cluster.write('auth/token/revoke', { token: parent.token })
    expect(await found(cluster, 'policies=app,child')).toEqual([])
  })

  test.each(['', 'expires_after=1s'])(
    'comes in pages that hold each token once: %j',
    async (by) => {
      const cluster = await start()
      const made: string[] = []
      for (let i = 0; i < 7; i++) made.push((await make(cluster, { ttl: '1h' })).accessor)
      const seen: string[] = []
      let after = ''
      for (let page = 0; page < 10; page++) {
        const answer = await inventory(cluster, `${by}&policies=root&limit=3&after=${after}`)
        expect(answer.status).toBe(200)
        expect(keysOf(answer).length).toBeLessThanOrEqual(3)
        seen.push(...keysOf(answer))
        after = String(answer.data['next'] ?? '')
        if (after === '') break
      }
      expect(seen).toEqual([...new Set(seen)])
      expect(seen).toEqual(expect.arrayContaining(made))
    },
  )

  test('looks at the tokens that end then and at no others, where that is asked for', async () => {
    const cluster = await start()
    for (let i = 0; i < 5; i++) await make(cluster, { ttl: '1h' })
    const { accessor } = await make(cluster, { ttl: '5h' })
    const answer = await inventory(cluster, 'expires_after=4h&expires_before=6h')
    expect(keysOf(answer)).toEqual([accessor])
    expect(answer.data['examined']).toBe(1)
  })

  test('looks at so many records and no more, and says where to go on', async () => {
    const cluster = await start()
    await manyTokens(cluster, 2500)
    const first = await inventory(cluster, 'policies=nobody')
    expect(first.data).toMatchObject({ keys: [], examined: 2000 })
    const rest = await inventory(cluster, `policies=nobody&after=${String(first.data['next'])}`)
    expect(rest.data['next']).toBeUndefined()
    expect(Number(rest.data['examined'])).toBeGreaterThan(500)
  })

  test('shows the tokens of the namespace, and with recursive of those below', async () => {
    const { cluster, inA, inDeep, inB, ofA } = await startTenants()
    const own = { headers: { 'x-vault-namespace': 'a' } }
    expect(await found(cluster, 'policies=app', own)).toEqual([inA.accessor])
    expect(await found(cluster, 'policies=app&recursive=true', own)).toEqual(
      [inA.accessor, inDeep.accessor].toSorted(),
    )
    const ending = await found(cluster, 'policies=app&recursive=true&expires_before=2h', own)
    expect(ending).toEqual([inA.accessor, inDeep.accessor].toSorted())
    expect(await found(cluster, 'policies=app&recursive=true')).toContain(inB.accessor)
    expect(await found(cluster, 'policies=app')).toEqual([])
    const { status } = await inventory(cluster, 'recursive=true', { token: ofA.token })
    expect(status).toBe(403)
  })

  test('below a namespace takes the same rights in all of those', async () => {
    const { cluster } = await startTenants()
    const rules = (paths: readonly string[]) =>
      paths.map((path) => `path "${path}" { capabilities = ["list", "update", "sudo"] }`).join('\n')
    const asked = { headers: { 'x-vault-namespace': 'a' } }
    const tokenOf = async (name: string, paths: readonly string[]) => {
      await putPolicy(cluster, name, rules(paths), 'aaaaaa')
      const root = await namespaceRoot(cluster, { id: 'aaaaaa', path: 'a/' })
      return (await make(cluster, { policies: [name] }, 'create', { ...asked, token: root })).token
    }
    const own = 'auth/token/inventory*'
    for (const [name, paths, status] of [
      ['above', [own], 403],
      ['both', [own, `deep/${own}`], 200],
    ] as const) {
      const more = { ...asked, token: await tokenOf(name, paths) }
      const listed = await inventory(cluster, 'recursive=true', more)
      expect(listed.status).toBe(status)
      if (status === 403) expect(listed.errors[0]).toContain('missing in a/deep/')
      const body = { policies: ['nobody'], recursive: true }
      expect((await revoke(cluster, { ...body, dry_run: true }, more)).status).toBe(status)
      expect((await revoke(cluster, body, more)).status).toBe(status)
      expect((await inventory(cluster, '', more)).status).toBe(200)
    }
  })

  test('takes sudo', async () => {
    const cluster = await start()
    const rule = (more: string) =>
      `path "auth/token/inventory*" { capabilities = ["list", "update"${more}] }`
    const without = await cluster.tokenWith(rule(''))
    const withSudo = await cluster.tokenWith(rule(', "sudo"'))
    for (const [token, status] of [[without, 403] as const, [withSudo, 200] as const]) {
      expect((await inventory(cluster, '', { token })).status).toBe(status)
      expect((await revoke(cluster, { dry_run: true, all: true }, { token })).status).toBe(status)
      expect((await cluster.list('auth/token/inventory/revocations', { token })).status).toBe(
        status,
      )
    }
  })

  test('passes over a damaged record and says so', async () => {
    const cluster = await start()
    const bad = await make(cluster, { policies: ['app'] })
    const good = await make(cluster, { policies: ['app'] })
    const key = tokenKey('root', bad.accessor)
    const put = new Map([[key, Buffer.from('not a record of ours, in any way at all')]])
    await cluster.storage.commit({ expect: new Map(), put, delete: new Set() })
    const answer = await inventory(cluster, 'policies=app')
    expect(keysOf(answer)).toEqual([good.accessor])
    expect(String(answer.json['warnings'])).toContain(key)
  })

  test.each([
    ['expires_before=soon', "'expires_before' must be a time"],
    ['created_after=-1h', "'created_after' must be a time"],
    ['mount=nowhere', "'mount' is the path of no auth method"],
    ['never_expires=true&expires_after=1h', "'never_expires' and a time of expiry"],
    ['after=nonsense', "'after' is not from an earlier answer"],
    ['expires_after=1h&after=root/abc', "'after' is not from an earlier answer"],
    ['policies=%2E%2E', 'invalid policy name'],
    ['type=other', 'it must be one of service, batch'],
  ])('refuses %s', async (query, text) => {
    const cluster = await start()
    const answer = await inventory(cluster, query)
    expect(answer.status).toBe(400)
    expect(answer.errors[0]).toContain(text)
  })
})

describe('revoking by conditions', () => {
  test('ends all tokens that meet them with the answer, on every node, and no others', async () => {
    const cluster = await start()
    const login = await appRole(cluster)
    const leaked = [await login(), await login()]
    const other = await make(cluster, {})
    const answer = await revoke(cluster, { role: 'web' })
    expect(answer).toMatchObject({ status: 200, data: { id: expect.any(String) } })
    for (const { token } of leaked) expect(await isAlive(cluster, token)).toBe(false)
    expect(await isAlive(cluster, other.token)).toBe(true)
    expect(await found(cluster, 'role=web')).toEqual([])
  })

  test('ends their children with them', async () => {
    const cluster = await start()
    const parent = await make(cluster, { policies: ['root', 'leaked'] })
    const role = { allowed_policies: 'leaked,other' }
    await cluster.write('auth/token/roles/leaked', role)
    const top = await make(cluster, { policies: ['leaked'] }, 'create/leaked')
    const child = await make(cluster, {}, 'create', { token: parent.token })
    await revoke(cluster, { policies: ['root'] })
    expect(await isAlive(cluster, child.token)).toBe(false)
    expect(await isAlive(cluster, top.token)).toBe(true)
    await runDuties(cluster)
    expect(await found(cluster, '')).toHaveLength(2)
  })

  test('leaves those alone that are granted after it, though no time has passed', async () => {
    const cluster = await start()
    const login = await appRole(cluster)
    const before = await login()
    await revoke(cluster, { role: 'web' })
    const after = await login()
    expect(await isAlive(cluster, before.token)).toBe(false)
    expect(await isAlive(cluster, after.token)).toBe(true)
    await runDuties(cluster)
    expect(await isAlive(cluster, after.token)).toBe(true)
    expect(await isAlive(cluster, before.token)).toBe(false)
  })

  test('ends batch tokens too, which nothing else can, until the last of them has ended', async () => {
    const cluster = await start()
    const login = await appRole(cluster, { token_type: 'batch', token_ttl: '48h' })
    const { token } = await login()
    expect(await isAlive(cluster, token)).toBe(true)
    await revoke(cluster, { role: 'web' })
    await runDuties(cluster)
    expect(await isAlive(cluster, token)).toBe(false)
    await cluster.clock.advance('47h')
    await runDuties(cluster)
    expect(await isAlive(cluster, token)).toBe(false)
    const shown = await cluster.list('auth/token/inventory/revocations')
    expect(keysOf(shown)).toHaveLength(1)
    await cluster.clock.advance('48h')
    await runDuties(cluster)
    expect(keysOf(await cluster.list('auth/token/inventory/revocations'))).toEqual([])
  })

  test('means what met the conditions when it was removed: a stored token that comes to meet them later lives', async () => {
    const cluster = await start()
    await make(cluster, { type: 'batch', policies: ['app'], ttl: '48h' })
    const short = await make(cluster, { policies: ['app'], ttl: '1h' })
    const long = await make(cluster, { policies: ['app'], ttl: '24h' })
    await revoke(cluster, { policies: ['app'], expires_after: '2h' })
    await runDuties(cluster)
    const renewed = await cluster.write('auth/token/renew', {
      token: short.token,
      increment: '20h',
    })
    expect(renewed.auth).toMatchObject({ lease_duration: 72_000 })
    expect(await isAlive(cluster, short.token)).toBe(true)
    expect(await isAlive(cluster, long.token)).toBe(false)
  })

  test('removes what is stored of them in the steps of the timed work', async () => {
    const cluster = await start()
    await manyTokens(cluster, 1200)
    const { data } = await revoke(cluster, { policies: ['many'] })
    const before = await tokensStored(cluster)
    await runDuties(cluster)
    expect(before - (await tokensStored(cluster))).toBe(1200)
    const shown = await cluster.list('auth/token/inventory/revocations')
    expect(shown.data['key_info']).toMatchObject({
      [String(data['id'])]: { state: 'done', revoked: 1200, conditions: { policies: ['many'] } },
    })
    await cluster.clock.advance('25h')
    await runDuties(cluster)
    expect(keysOf(await cluster.list('auth/token/inventory/revocations'))).toEqual([])
  })

  test('goes on after a crash, and no token works meanwhile', async () => {
    const storage = new MemoryStorage()
    const cluster = await start(storage)
    const tokens = await manyTokens(cluster, 700)
    await revoke(cluster, { policies: ['many'] })
    for (const node of cluster.nodes) node.close()
    for (let node = 0; node < 2; node++) {
      await cluster.write('sys/unseal', { key: cluster.unsealKeys[0] }, { token: null, node })
    }
    expect(await isAlive(cluster, tokens[0] ?? '')).toBe(false)
    expect(await isAlive(cluster, tokens.at(-1) ?? '')).toBe(false)
    await runDuties(cluster)
    expect(await tokensStored(cluster)).toBe(1)
  })

  test('spares the token that asks for it, and says so', async () => {
    const cluster = await start()
    const answer = await revoke(cluster, { all: true })
    expect(String(answer.json['warnings'])).toContain('spared')
    await runDuties(cluster)
    expect(await isAlive(cluster, cluster.rootToken)).toBe(true)
  })

  test('counts on a dry run and revokes nothing', async () => {
    const cluster = await start()
    const login = await appRole(cluster)
    const { token } = await login()
    const answer = await revoke(cluster, { role: 'web', dry_run: true })
    expect(answer.data).toMatchObject({ matched: 1 })
    expect(await isAlive(cluster, token)).toBe(true)
    expect(keysOf(await cluster.list('auth/token/inventory/revocations'))).toEqual([])
  })

  test('goes no further than the namespace, or with recursive than those below it', async () => {
    const { cluster, inA, inDeep, inB } = await startTenants()
    const own = { headers: { 'x-vault-namespace': 'a' } }
    const alive = async () =>
      Promise.all([inA, inDeep, inB].map(({ token }) => isAlive(cluster, token)))
    await revoke(cluster, { policies: ['app'] })
    await runDuties(cluster)
    expect(await alive()).toEqual([true, true, true])
    await revoke(cluster, { policies: ['app'] }, own)
    expect(await alive()).toEqual([false, true, true])
    await revoke(cluster, { policies: ['app'], recursive: true }, own)
    expect(await alive()).toEqual([false, false, true])
    await runDuties(cluster)
    expect(await alive()).toEqual([false, false, true])
    const seen = await cluster.list('auth/token/inventory/revocations', own)
    expect(keysOf(seen)).toHaveLength(2)
    expect(keysOf(await cluster.list('auth/token/inventory/revocations'))).toHaveLength(1)
  })

  test.each([
    [{}, "set 'all' to true"],
    [{ policies: [] }, "set 'all' to true"],
    [{ role: '' }, "set 'all' to true"],
    [{ all: true, role: 'web' }, "'all' goes with no condition"],
  ])('refuses %j', async (body, text) => {
    const cluster = await start()
    const answer = await revoke(cluster, body)
    expect(answer.status).toBe(400)
    expect(answer.errors[0]).toContain(text)
  })

  test('of the same conditions again takes no more room than once', async () => {
    const cluster = await start()
    await appRole(cluster, { token_type: 'batch' })
    for (let i = 0; i < 70; i++) {
      expect((await revoke(cluster, { type: 'batch', role: 'web' })).status).toBe(200)
    }
  })

  test('is refused where too many are in force', async () => {
    const cluster = await start()
    for (let i = 0; i < 64; i++) await revoke(cluster, { role: `role-${i}` })
    const answer = await revoke(cluster, { role: 'one-more' })
    expect(answer.status).toBe(429)
    await runDuties(cluster)
    expect((await revoke(cluster, { role: 'one-more' })).status).toBe(200)
  })

  test('and a login that runs at the same time: the token is granted after it, or dead', async () => {
    const cluster = await start()
    const login = await appRole(cluster)
    const [made] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, login)),
      revoke(cluster, { role: 'web' }),
    ])
    const before = await Promise.all(made.map(({ token }) => isAlive(cluster, token)))
    await runDuties(cluster)
    const after = await Promise.all(made.map(({ token }) => isAlive(cluster, token)))
    expect(after).toEqual(before)
  })
})

/** Service tokens with the policy `many`, written straight to the storage. */
async function manyTokens(cluster: Cluster, count: number): Promise<string[]> {
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  const { batch } = node.unsealed
  const mount = { uuid: '', defaultTtlSeconds: 3600, maxTtlSeconds: 3600 }
  const tokens: string[] = []
  for (let done = 0; done < count; done += 300) {
    await inStorage(cluster, async (root) => {
      for (let i = done; i < Math.min(done + 300, count); i++) {
        const context = { root, nowMs: cluster.clock.nowMs(), random: systemRandom, batch }
        const { token } = await issueToken(context, { ...MANY, mount })
        tokens.push(token)
      }
    })
  }
  return tokens
}

const MANY = {
  type: 'service',
  namespace: { id: 'root', path: '' },
  policies: ['many'],
  path: 'auth/token/create',
  displayName: 'token',
  meta: null,
  parent: undefined,
  entityId: '',
  boundCidrs: [],
  numUses: 0,
  ttlSeconds: 3600,
  maxTtlSeconds: 0,
  explicitMaxTtlSeconds: 0,
  periodSeconds: 0,
  renewable: false,
  noDefaultPolicy: false,
  internal: {},
} as const

/** Namespaces a, a/deep and b, and in each a token with the policy `app`. */
async function startTenants() {
  const cluster = await start()
  await putNamespaces(cluster, [
    { id: 'aaaaaa', path: 'a/' },
    { id: 'dddddd', path: 'a/deep/' },
    { id: 'bbbbbb', path: 'b/' },
  ])
  const tokenIn = async (id: string, path: string) => {
    const token = await namespaceRoot(cluster, { id, path })
    const headers = { 'x-vault-namespace': path }
    return make(cluster, { policies: ['app'], ttl: '1h' }, 'create', { token, headers })
  }
  const inA = await tokenIn('aaaaaa', 'a/')
  const inDeep = await tokenIn('dddddd', 'a/deep/')
  const inB = await tokenIn('bbbbbb', 'b/')
  return { cluster, inA, inDeep, inB, ofA: inA }
}

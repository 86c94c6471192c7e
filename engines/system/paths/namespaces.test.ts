import { describe, expect, onTestFinished, test } from 'vitest'
import { MemoryStorage } from '../../../storage/memory.ts'
import { startCluster, type Answer, type Cluster } from '../../../test/support/kit.ts'
import { memberOf } from '../../../test/support/json.ts'
import { damage, keysBelow, putPolicy } from '../../../test/support/records.ts'

async function start(...namespaces: string[]): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  for (const path of namespaces) await make(cluster, path)
  return cluster
}

const within = (namespace: string) => ({ headers: { 'x-vault-namespace': namespace } })

/** @param path `a`, or `a/b`: made below the one that it names first */
function make(cluster: Cluster, path: string, body: object = {}): Promise<Answer> {
  const slash = path.lastIndexOf('/')
  const parent = slash < 0 ? '' : path.slice(0, slash)
  return cluster.write(`sys/namespaces/${path.slice(slash + 1)}`, body, within(parent))
}

async function tokenOf(cluster: Cluster, namespace: string, body: object = {}): Promise<string> {
  const made = await cluster.write('auth/token/create', body, within(namespace))
  return String(made.auth['client_token'])
}

const OBJECT = {
  custom_metadata: {},
  id: expect.stringMatching(/^[0-9A-Za-z]{6}$/),
  locked: false,
  path: 'a/',
  tainted: false,
  uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
}

describe('making one', () => {
  test('answers what it is, and the same again', async () => {
    const cluster = await start()
    const made = await make(cluster, 'a')
    expect(made.data).toEqual(OBJECT)
    expect((await make(cluster, 'a')).data).toEqual(made.data)
    expect((await cluster.read('sys/namespaces/a')).data).toEqual(made.data)
  })

  test('gives it its own mounts and its own default policy', async () => {
    const cluster = await start('a')
    const types = async (at: string) => {
      const { data } = await cluster.read(at, within('a'))
      return Object.entries(data).map(([path, mount]) => [path, memberOf(mount, 'type')])
    }
    expect(await types('sys/mounts')).toEqual([
      ['cubbyhole/', 'ns_cubbyhole'],
      ['identity/', 'ns_identity'],
      ['sys/', 'ns_system'],
    ])
    expect(await types('sys/auth')).toEqual([['token/', 'ns_token']])
    expect((await cluster.list('sys/policies/acl', within('a'))).data).toEqual({
      keys: ['default'],
    })
  })

  test('of two at once that have the same name, there is one', async () => {
    const cluster = await start()
    const made = await Promise.all(['a', 'a', 'b', 'a'].map((name) => make(cluster, name)))
    expect(made.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(new Set(made.map(({ data }) => data['id'])).size).toBe(2)
    expect((await cluster.list('sys/namespaces')).data['keys']).toEqual(['a/', 'b/'])
  })

  test.each([
    ['a%20b', '"a b" contains space characters that cannot be used in a namespace name'],
    ['a+b', `"a+b" contains wildcard characters that cannot be used in a namespace name: '+'`],
    ['a*', `"a*" contains wildcard characters that cannot be used in a namespace name: '*'`],
    ['a%E2%80%8Bb', 'a namespace name must be of characters that can be seen'],
    ['x'.repeat(129), 'a namespace name has at most 128 bytes'],
    ['é'.repeat(65), 'a namespace name has at most 128 bytes'],
    ['sys', '"sys/" is a reserved path and cannot be used as a namespace name'],
    ['root', '"root/" is a reserved path and cannot be used as a namespace name'],
    ['auth', '"auth/" is a reserved path and cannot be used as a namespace name'],
    ['a/b', 'namespace name cannot contain /'],
  ])('of the name %s is refused', async (name, text) => {
    const cluster = await start('a')
    const answer = await cluster.write(`sys/namespaces/${name}`, {})
    expect(answer).toMatchObject({ status: 400, errors: [text] })
    expect((await cluster.list('sys/namespaces')).data['keys']).toEqual(['a/'])
  })

  test('is refused seventeen deep, and works sixteen deep', async () => {
    const cluster = await start()
    const paths = Array.from({ length: 17 }, (_, i) => 'n/'.repeat(i + 1).slice(0, -1))
    const made: number[] = []
    for (const path of paths) made.push((await make(cluster, path)).status)
    expect(made).toEqual([...Array.from({ length: 16 }, () => 200), 400])
    expect((await cluster.read('sys/mounts', within(paths[15] ?? ''))).status).toBe(200)
  })

  test('with a seal of its own is refused, and nothing is made', async () => {
    const cluster = await start()
    const answer = await make(cluster, 'a', { seal: 'seal "shamir" { shares = 3 }' })
    expect(answer.status).toBe(400)
    expect((await cluster.list('sys/namespaces')).status).toBe(404)
  })

  test('and a mount do not take each other’s path', async () => {
    const cluster = await start('a')
    await cluster.write('sys/mounts/kv', { type: 'kv' })
    await cluster.write('sys/mounts/deep/kv', { type: 'kv' })
    for (const [name, mount] of [
      ['kv', 'kv/'],
      ['deep', 'deep/kv/'],
    ] as const) {
      expect(await make(cluster, name)).toMatchObject({
        status: 400,
        errors: [`new namespace conflicts with existing mount: ${mount}`],
      })
    }
    for (const path of ['a', 'a/x']) {
      expect(await cluster.write(`sys/mounts/${path}`, { type: 'kv' })).toMatchObject({
        status: 400,
        errors: ['path is already in use at a/'],
      })
      expect(await cluster.write('sys/remount', { from: 'kv', to: path })).toMatchObject({
        status: 400,
        errors: ['path already in use at "a/"'],
      })
    }
    expect((await make(cluster, 'a/kv')).status).toBe(200)
  })
})

describe('custom metadata', () => {
  test('is set, merged by a patch, and removed by null', async () => {
    const cluster = await start()
    await make(cluster, 'a', { custom_metadata: { team: 'x', cost: '1' } })
    const patch = (body: object) => cluster.request('PATCH', 'sys/namespaces/a', { body })
    const shown = async () => (await cluster.read('sys/namespaces/a')).data['custom_metadata']
    await patch({ custom_metadata: { team: null, more: 'y' } })
    expect(await shown()).toEqual({ cost: '1', more: 'y' })
    await patch({})
    expect(await shown()).toEqual({ cost: '1', more: 'y' })
    await make(cluster, 'a')
    expect(await shown()).toEqual({ cost: '1', more: 'y' })
    await make(cluster, 'a', { custom_metadata: { only: 'z' } })
    expect(await shown()).toEqual({ only: 'z' })
    await patch({ custom_metadata: null })
    expect(await shown()).toEqual({})
  })

  test.each([
    [{ n: 1 }],
    [{ n: { a: 'b' } }],
    [{ ['k'.repeat(129)]: 'v' }],
    [{ k: 'v'.repeat(513) }],
    [Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'v']))],
    ['x'],
  ])('%j is refused, whole and as a patch', async (custom_metadata) => {
    const cluster = await start('a')
    expect((await make(cluster, 'b', { custom_metadata })).status).toBe(400)
    const body = { custom_metadata }
    expect((await cluster.request('PATCH', 'sys/namespaces/a', { body })).status).toBe(400)
    expect((await cluster.list('sys/namespaces')).data['keys']).toEqual(['a/'])
    expect((await cluster.read('sys/namespaces/a')).data['custom_metadata']).toEqual({})
  })

  test('of what is not there cannot be patched', async () => {
    const cluster = await start()
    const body = { custom_metadata: { a: 'b' } }
    expect(await cluster.request('PATCH', 'sys/namespaces/a', { body })).toMatchObject({
      status: 400,
      errors: ['namespace not found'],
    })
  })
})

test('a list shows those right below, a scan all, each with what is known of it', async () => {
  const cluster = await start('a', 'a/b', 'a/b/c', 'a/d', 'z')
  const scan = (namespace: string) => cluster.request('SCAN', 'sys/namespaces', within(namespace))
  expect((await cluster.list('sys/namespaces')).data['keys']).toEqual(['a/', 'z/'])
  expect((await cluster.list('sys/namespaces', within('a'))).data['keys']).toEqual(['b/', 'd/'])
  expect((await scan('')).data['keys']).toEqual(['a/', 'a/b/', 'a/b/c/', 'a/d/', 'z/'])
  const below = await scan('a')
  expect(below.data['keys']).toEqual(['b/', 'b/c/', 'd/'])
  expect(below.data['key_info']).toMatchObject({ 'b/c/': { ...OBJECT, path: 'a/b/c/' } })
  expect((await cluster.list('sys/namespaces', within('z'))).status).toBe(404)
  expect((await scan('z')).data).toEqual({})
})

describe('locking', () => {
  async function locked(...namespaces: string[]) {
    const cluster = await start(...namespaces)
    const answer = await cluster.write('sys/namespaces/api-lock/lock/a')
    return { cluster, key: String(answer.data['unlock_key']) }
  }
  const LOCKED =
    'API access to this namespace has been locked by an administrator - "a/" must be unlocked to gain access.'

  test('closes the namespace and those below it to everybody, whichever way they are named', async () => {
    const { cluster } = await locked('a', 'a/b', 'c')
    for (const [path, namespace] of [
      ['sys/mounts', 'a'],
      ['sys/mounts', 'a/b'],
      ['a/sys/mounts', ''],
      ['b/sys/mounts', 'a'],
      ['nowhere', 'a'],
      ['sys/mounts?help=1', 'a'],
      ['sys/namespaces/api-lock/lock', 'a'],
    ] as const) {
      for (const token of [cluster.rootToken, null]) {
        const answer = await cluster.read(path, { token, ...within(namespace) })
        expect(answer).toMatchObject({ status: 503, errors: [LOCKED] })
      }
    }
    expect((await cluster.read('sys/mounts', within('c'))).status).toBe(200)
    expect((await cluster.read('sys/namespaces/a')).data['locked']).toBe(true)
  })

  test('closes it for its own tokens elsewhere too', async () => {
    const cluster = await start('a')
    const token = await tokenOf(cluster, 'a', { policies: ['default'] })
    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(200)
    await cluster.write('sys/namespaces/api-lock/lock/a')
    expect(await cluster.read('auth/token/lookup-self', { token })).toMatchObject({
      status: 503,
      errors: [LOCKED],
    })
  })

  test('is undone by the key, from outside or from inside, and by no other', async () => {
    const { cluster, key } = await locked('a')
    const unlock = (unlock_key: string, path: string, namespace: string) =>
      cluster.write(`sys/namespaces/api-lock/unlock${path}`, { unlock_key }, within(namespace))
    for (const [path, namespace] of [
      ['/a', ''],
      ['', 'a'],
    ] as const) {
      expect(await unlock('wrong', path, namespace)).toMatchObject({
        status: 400,
        errors: ['incorrect unlock key'],
      })
    }
    expect((await unlock(key, '', 'a')).status).toBe(204)
    expect((await cluster.read('sys/mounts', within('a'))).status).toBe(200)
    expect(await unlock(key, '/a', '')).toMatchObject({
      status: 400,
      errors: ['namespace "a/" is not locked'],
    })
  })

  test('is undone without the key by who has sudo on that path, and nobody else', async () => {
    const { cluster, key } = await locked('a')
    const path = 'sys/namespaces/api-lock/unlock/a'
    const rule = (capabilities: string) =>
      cluster.tokenWith(`path "${path}" { capabilities = [${capabilities}] }`)
    const plain = await rule('"update"')
    expect((await cluster.write(path, {}, { token: plain })).errors).toEqual(['provided empty key'])
    const sudo = await rule('"update", "sudo"')
    const answer = await cluster.write(path, {}, { token: sudo })
    expect(answer.json['warnings']).toEqual(['Namespace unlocked using sudo capabilities'])
    await cluster.write('sys/namespaces/api-lock/lock/a')
    expect((await cluster.write(path, { unlock_key: key }, { token: plain })).errors).toEqual([
      'incorrect unlock key',
    ])
  })

  test('of one within another is refused, in either order', async () => {
    const { cluster, key } = await locked('a', 'a/b')
    const write = (path: string, body = {}) =>
      cluster.write(`sys/namespaces/api-lock/${path}`, body)
    expect((await write('lock/a')).errors).toEqual([
      'cannot lock namespace "a/": is already locked',
    ])
    expect((await write('lock/a/b')).errors).toEqual([
      'cannot lock namespace "a/b/": ancestor namespace "a/" is already locked',
    ])
    await write('unlock/a', { unlock_key: key })
    const inner = String((await write('lock/a/b')).data['unlock_key'])
    await write('lock/a')
    expect((await write('unlock/a/b', { unlock_key: inner })).errors).toEqual([
      'cannot unlock "a/b/" with namespace "a/" being locked',
    ])
    await write('unlock/a')
    expect((await cluster.read('sys/mounts', within('a'))).status).toBe(200)
    expect((await cluster.read('sys/mounts', within('a/b'))).status).toBe(503)
  })

  test('needs a namespace, which the root one is not', async () => {
    const cluster = await start()
    for (const verb of ['lock', 'unlock']) {
      const at = `sys/namespaces/api-lock/${verb}`
      expect((await cluster.write(at)).errors).toEqual(['root namespace cannot be locked/unlocked'])
      expect((await cluster.write(`${at}/none`)).errors).toEqual([
        'requested namespace does not exist',
      ])
    }
  })

  test('stores no key', async () => {
    const { cluster, key } = await locked('a')
    const id = String((await cluster.read('sys/namespaces/a')).data['id'])
    const { store } = cluster.nodes[0]?.unsealed ?? {}
    const text = JSON.stringify(await store?.list('namespace/', { after: '', limit: 10 }))
    expect(text).toContain(id)
    expect(text).not.toContain(key)
  })
})

describe('deleting', () => {
  const del = (cluster: Cluster, path: string) => {
    const slash = path.lastIndexOf('/')
    return cluster.remove(
      `sys/namespaces/${path.slice(slash + 1)}`,
      within(slash < 0 ? '' : path.slice(0, slash)),
    )
  }

  test('closes the namespace at once, on every node', async () => {
    const cluster = await start('a')
    const token = await tokenOf(cluster, 'a', { policies: ['default'] })
    const batch = await tokenOf(cluster, 'a', { policies: ['default'], type: 'batch' })
    const accessor = String(
      (await cluster.read('auth/token/lookup-self', { token })).data['accessor'],
    )
    expect((await del(cluster, 'a')).data).toEqual({ status: 'in-progress' })
    for (const node of [0, 1]) {
      for (const [path, namespace] of [
        ['sys/mounts', 'a'],
        ['a/sys/mounts', ''],
      ] as const) {
        const answer = await cluster.read(path, { node, ...within(namespace) })
        expect(answer).toMatchObject({
          status: 404,
          errors: [
            'no handler for route "sys/mounts" on namespace "a/". route entry or namespace is tainted.',
          ],
        })
      }
      for (const dead of [token, batch]) {
        expect((await cluster.read('auth/token/lookup-self', { node, token: dead })).status).toBe(
          403,
        )
        expect((await cluster.write('auth/token/lookup', { token: dead }, { node })).status).toBe(
          403,
        )
      }
      expect(
        (await cluster.write('auth/token/lookup-accessor', { accessor }, { node })).status,
      ).toBe(400)
      expect((await cluster.read('sys/namespaces/a', { node })).data).toMatchObject({
        tainted: true,
      })
    }
    expect((await make(cluster, 'a')).errors).toEqual([
      'namespace with that name exists and is currently tainted',
    ])
    expect((await del(cluster, 'a')).data).toEqual({ status: 'in-progress' })
  })

  test('removes all that it held, and the name is free again', async () => {
    const cluster = await start('b')
    await cluster.nodes[0]?.runDuties()
    const before = await keysBelow(cluster, '')
    const { id } = (await make(cluster, 'a')).data
    for (let i = 0; i < 300; i++) {
      await cluster.write(`sys/policies/acl/folder/p${i}`, { policy: POLICY }, within('a'))
    }
    await cluster.write('sys/policies/acl/ends', { policy: POLICY, ttl: '5h' }, within('a'))
    await cluster.write('sys/policies/password/p', { policy: PASSWORD_POLICY }, within('a'))
    await cluster.write('auth/token/roles/r', {}, within('a'))
    await cluster.write('sys/mounts/kv', { type: 'kv-v2' }, within('a'))
    await cluster.write('sys/auth/approle', { type: 'approle' }, within('a'))
    await cluster.write('sys/remount', { from: 'kv', to: 'kv2' }, within('a'))
    await cluster.write('auth/approle/role/r', { token_policies: ['p'] }, within('a'))
    await cluster.write('kv2/data/x', { data: { a: 1 } }, within('a'))
    const token = await tokenOf(cluster, 'a', { policies: ['default'] })
    for (let i = 0; i < 3; i++) {
      await cluster.write('auth/token/create', {}, { token, ...within('a') })
    }
    await cluster.write('cubbyhole/x', { a: 1 }, { token, ...within('a') })

    await del(cluster, 'a')
    await cluster.nodes[0]?.runDuties()

    const left = (await keysBelow(cluster, '')).filter((key) => !before.includes(key))
    expect(left).toEqual([])
    expect((await cluster.read('sys/namespaces/a')).status).toBe(404)
    expect((await cluster.list('sys/namespaces')).data['keys']).toEqual(['b/'])
    const again = await make(cluster, 'a')
    expect(again.status).toBe(200)
    expect(again.data['id']).not.toBe(id)
    expect(cluster.failures).toEqual([])
  })

  test('is not held up by records that are damaged, and the operator is told', async () => {
    const cluster = await start('b', 'a')
    const id = String((await cluster.read('sys/namespaces/a')).data['id'])
    await cluster.write('sys/mounts/kv', { type: 'kv' }, within('a'))
    await cluster.write('kv/x', { a: 1 }, within('a'))
    const token = await tokenOf(cluster, 'a', { policies: ['default'], no_parent: true })
    await cluster.write('cubbyhole/x', { a: 1 }, { token, ...within('a') })
    const kv = (await keysBelow(cluster, 'mount/'))[0]?.split('/')[1] ?? ''
    const [stored = ''] = await keysBelow(cluster, `ns/${id}/token/`)
    for (const key of [`ns/${id}/mount/${kv}`, stored, `ns/${id}/policy/default`]) {
      await damage(cluster, key)
    }

    await del(cluster, 'a')
    await cluster.nodes[0]?.runDuties()

    const names = (await keysBelow(cluster, '')).filter((key) => key.includes(id))
    expect(names).toEqual([expect.stringMatching(/^expiry\//)])
    expect(await keysBelow(cluster, 'mount/')).toEqual([])
    expect(await keysBelow(cluster, 'cubbyhole/')).toEqual([])
    expect(cluster.failures.map(String)).toHaveLength(2)
    await cluster.clock.advance('800h')
    await cluster.nodes[0]?.runDuties()
    expect(await keysBelow(cluster, 'expiry/')).toEqual([])
  })

  test('is not held up by another one whose own record is damaged', async () => {
    const cluster = await start('a', 'b')
    await del(cluster, 'a')
    await del(cluster, 'b')
    const ids = (await keysBelow(cluster, 'namespace-deletion/')).map((key) => key.split('/')[1])
    await damage(cluster, `namespace/${ids[0] ?? ''}`)
    await cluster.nodes[0]?.runDuties()
    expect(await keysBelow(cluster, 'namespace-deletion/')).toEqual([
      `namespace-deletion/${ids[0] ?? ''}`,
    ])
    expect(await keysBelow(cluster, `ns/${ids[1] ?? ''}/`)).toEqual([])
  })

  test('is refused while there are namespaces below it', async () => {
    const cluster = await start('a', 'a/b')
    expect(await del(cluster, 'a')).toMatchObject({
      status: 400,
      errors: ['unable to delete namespace containing child namespaces'],
    })
    await del(cluster, 'a/b')
    await cluster.nodes[0]?.runDuties()
    expect((await del(cluster, 'a')).status).toBe(200)
  })

  test('and making one below it at once do not both happen', async () => {
    const cluster = await start('a')
    const [made, deleted] = await Promise.all([make(cluster, 'a/b'), del(cluster, 'a')])
    expect([
      [200, 400],
      [404, 200],
    ]).toContainEqual([made.status, deleted.status])
  })

  test('sees one that was made below it after it had looked', async () => {
    const storage = new (class extends MemoryStorage {
      afterList: (prefix: string) => Promise<unknown> = async () => undefined
      override async list(...what: Parameters<MemoryStorage['list']>) {
        const found = await super.list(...what)
        await this.afterList(what[0])
        return found
      }
    })()
    const cluster = await startCluster({ storage })
    onTestFinished(() => cluster.close())
    await make(cluster, 'a')
    storage.afterList = async (prefix) => {
      if (!prefix.startsWith('namespace-link/')) return
      storage.afterList = async () => undefined
      const made = await cluster.write('sys/namespaces/b', {}, { node: 1, ...within('a') })
      expect(made.status).toBe(200)
    }
    const deleted = await cluster.remove('sys/namespaces/a', { node: 0 })
    expect(deleted.errors).toEqual(['unable to delete namespace containing child namespaces'])
    expect((await cluster.read('sys/mounts', within('a/b'))).status).toBe(200)
  })

  test('of what is not there is a warning', async () => {
    const cluster = await start()
    expect((await del(cluster, 'a')).json['warnings']).toEqual([
      'requested namespace does not exist',
    ])
  })
})

const POLICY = 'path "kv2/*" { capabilities = ["read"] }'
const PASSWORD_POLICY = 'length = 20\nrule "charset" { charset = "abcdefghij" }'

test('a token is made from above by who has sudo there, and gets what is asked for, not what its maker has', async () => {
  const cluster = await start('a')
  const maker = async (name: string, capabilities: string) => {
    const rule = `path "a/auth/token/create" { capabilities = [${capabilities}] }`
    await putPolicy(cluster, name, rule)
    const made = await cluster.write('auth/token/create', { policies: [name] })
    const token = String(made.auth['client_token'])
    return (body: object) => cluster.write('auth/token/create', body, { token, ...within('a') })
  }
  const plain = await maker('plain', '"update"')
  for (const body of [{}, { policies: ['plain'] }, { policies: ['default'] }]) {
    expect(await plain(body)).toMatchObject({
      status: 400,
      errors: [
        'root or sudo privileges required to directly generate a token in a child namespace',
      ],
    })
  }
  const admin = await maker('admin', '"update", "sudo"')
  expect((await admin({})).auth['policies']).toEqual(['default'])
  expect((await admin({ policies: ['other'] })).auth['policies']).toEqual(['default', 'other'])
  expect((await admin({ policies: ['root'] })).status).toBe(400)
})

test('a mount of a namespace is moved by who asks there, and not from above', async () => {
  const cluster = await start('a', 'b')
  for (const name of ['a', 'b']) {
    await cluster.write('sys/mounts/kv', { type: 'kv' }, within(name))
  }
  for (const [from, to] of [
    ['a/kv', 'a/moved'],
    ['a/kv', 'moved'],
    ['a/kv', 'b/moved'],
  ] as const) {
    expect((await cluster.write('sys/remount', { from, to })).status).toBe(400)
  }
  const moved = await cluster.write('sys/remount', { from: 'kv', to: 'moved' }, within('a'))
  const at = `sys/remount/status/${String(moved.data['migration_id'])}`
  expect((await cluster.read(at, within('a'))).data['migration_info']).toMatchObject({
    source_mount: 'a/kv/',
    target_mount: 'a/moved/',
  })
})

test('a namespace is made with rights on its path, and by nobody without', async () => {
  const cluster = await start('a')
  const policy = 'path "a/sys/namespaces/b" { capabilities = ["update", "read"] }'
  const token = await cluster.tokenWith(policy)
  const write = (name: string, namespace: string) =>
    cluster.write(`sys/namespaces/${name}`, {}, { token, ...within(namespace) })
  expect((await write('b', 'a')).status).toBe(200)
  for (const [name, namespace] of [
    ['b', ''],
    ['c', 'a'],
    ['b', 'a/b'],
  ] as const) {
    expect((await write(name, namespace)).status).toBe(403)
  }
})

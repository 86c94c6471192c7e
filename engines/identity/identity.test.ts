import { beforeAll, afterAll, describe, expect, test } from 'vitest'
import { list, string } from '../../core/plugin/fields.ts'
import { path } from '../../core/plugin/path.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { grantOf, NO_TOKEN_SETTINGS } from '../../core/plugin/token-settings.ts'
import { startCluster, type Answer, type Cluster } from '../../test/support/kit.ts'

/** Logs in whoever the request says, in the groups that it says; at renewal those that the test says. */
let groupsNow: readonly string[] = []
const directory: PluginType = {
  type: 'directory',
  kind: 'auth',
  help: 'A directory of people.',
  create: () => ({
    paths: [
      path('login', {
        summary: 'Logs in',
        unauthenticated: true,
        fields: { name: string('Who.').default(''), groups: list('In which groups.').default([]) },
        operations: {
          update: ({ data, mount, client }) => ({
            auth: {
              ...grantOf(NO_TOKEN_SETTINGS, mount, client.address),
              displayName: data.name,
              alias: { name: data.name, metadata: { seen: String(data.groups.length) } },
              groupAliases: data.groups,
            },
          }),
        },
      }),
    ],
    renew: async () => ({
      ttlSeconds: 0,
      maxTtlSeconds: 0,
      periodSeconds: 0,
      groupAliases: groupsNow,
    }),
  }),
}

let cluster: Cluster
/** Accessors of two approle mounts. */
let first: string
let second: string
beforeAll(async () => {
  cluster = await startCluster({ plugins: [directory] })
  await cluster.write('sys/mounts/secret', { type: 'kv', options: { version: '2' } })
  first = await mountApprole('auth/first')
  second = await mountApprole('auth/second')
})
afterAll(() => cluster.close())

async function mountApprole(path: string): Promise<string> {
  await cluster.write(`sys/${path}`, { type: 'approle' })
  return String((await cluster.read(`sys/${path}`)).data['accessor'])
}

/** A role whose holders need nothing but its id. */
async function roleId(name: string, settings: object = {}, mount = 'auth/first'): Promise<string> {
  const role = { bind_secret_id: false, secret_id_bound_cidrs: ['0.0.0.0/0'], ...settings }
  expect((await cluster.write(`${mount}/role/${name}`, role)).status).toBe(204)
  return String((await cluster.read(`${mount}/role/${name}/role-id`)).data['role_id'])
}

const login = (role_id: string, mount = 'auth/first'): Promise<Answer> =>
  cluster.write(`${mount}/login`, { role_id }, { token: null })

async function entity(body: object): Promise<string> {
  const made = await cluster.write('identity/entity', body)
  expect(made.status).toBe(200)
  return String(made.data['id'])
}

async function group(body: object): Promise<string> {
  const made = await cluster.write('identity/group', body)
  expect(made.status).toBe(200)
  return String(made.data['id'])
}

const shown = async (path: string) => (await cluster.read(`identity/${path}`)).data

describe('a login', () => {
  test('makes an entity with an alias the first time, and finds it from then on', async () => {
    const id = await roleId('once')

    const before = await login(id)
    const after = await login(id)

    expect(before.auth['entity_id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(after.auth['entity_id']).toBe(before.auth['entity_id'])
    const { aliases, name } = await shown(`entity/id/${String(before.auth['entity_id'])}`)
    expect(name).toMatch(/^entity_[0-9a-f]{8}\.root$/)
    expect(aliases).toMatchObject([
      { name: id, mount_accessor: first, mount_path: 'auth/first/', mount_type: 'approle' },
    ])
  })

  test('of an alias that was made before is a login of its entity, on whichever mount', async () => {
    const id = await roleId('known')
    const other = await roleId('known', {}, 'auth/second')
    const canonical_id = await entity({ name: 'known' })
    for (const [name, mount_accessor] of [
      [id, first],
      [other, second],
    ]) {
      await cluster.write('identity/entity-alias', { name, mount_accessor, canonical_id })
    }

    const answers = [await login(id), await login(other, 'auth/second')]

    expect(answers.map(({ auth }) => auth['entity_id'])).toEqual([canonical_id, canonical_id])
  })

  test('many first logins at once make one entity', async () => {
    const id = await roleId('crowd')
    const answers = await Promise.all(Array.from({ length: 8 }, () => login(id)))
    expect(new Set(answers.map(({ auth }) => auth['entity_id'])).size).toBe(1)
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })

  test('of a disabled entity is refused, and so are its tokens; enabled again, they are good', async () => {
    const id = await roleId('disabled')
    const { auth } = await login(id)
    const token = String(auth['client_token'])
    const path = `identity/entity/id/${String(auth['entity_id'])}`

    await cluster.write(path, { disabled: true })
    expect((await login(id)).status).toBe(403)
    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(403)
    await cluster.write(path, { disabled: false })
    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(200)
  })

  test('leaves tokens that are good for nothing once the entity is removed, and an administrator can look them up', async () => {
    const { auth } = await login(await roleId('removed'))
    const token = String(auth['client_token'])

    await cluster.remove(`identity/entity/id/${String(auth['entity_id'])}`)

    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(403)
    expect((await cluster.write('auth/token/lookup', { token })).status).toBe(200)
  })
})

describe('policies', () => {
  test('of the entity and of its groups, also of those above, are the token’s at once', async () => {
    await cluster.write('sys/policies/acl/reads-a', {
      policy: 'path "secret/data/a" { capabilities = ["read"] }',
    })
    await cluster.write('secret/data/a', { data: { x: 1 } })
    const { auth } = await login(await roleId('grouped'))
    const token = String(auth['client_token'])
    const read = async () => (await cluster.read('secret/data/a', { token })).status
    expect(await read()).toBe(403)

    const inner = await group({ name: 'inner', member_entity_ids: [auth['entity_id']] })
    expect(await read()).toBe(403)
    const outer = await group({ name: 'outer', policies: ['reads-a'], member_group_ids: [inner] })
    expect(await read()).toBe(200)
    const self = await cluster.read('auth/token/lookup-self', { token })
    expect(self.data).toMatchObject({
      policies: ['default'],
      identity_policies: ['reads-a'],
      external_namespace_policies: {},
    })
    expect(await shown(`entity/id/${String(auth['entity_id'])}`)).toMatchObject({
      direct_group_ids: [inner],
      inherited_group_ids: [outer],
    })

    await cluster.write(`identity/group/id/${outer}`, { member_group_ids: [] })
    expect(await read()).toBe(403)
    await cluster.write(`identity/entity/id/${String(auth['entity_id'])}`, { policies: 'reads-a' })
    expect(await read()).toBe(200)
  })

  test('are listed at login: all, the token’s own, and those of identity', async () => {
    const id = await roleId('listed', { token_policies: ['own'] })
    const { auth } = await login(id)
    await cluster.write(`identity/entity/id/${String(auth['entity_id'])}`, { policies: ['more'] })
    expect((await login(id)).auth).toMatchObject({
      policies: ['default', 'more', 'own'],
      token_policies: ['default', 'own'],
      identity_policies: ['more'],
    })
  })

  test.each(['root', ' ROOT ', 'Root'])('cannot be %j', async (policy) => {
    for (const path of ['identity/entity', 'identity/group']) {
      const { status, json } = await cluster.write(path, { policies: [policy] })
      expect([status, json['errors']]).toEqual([400, ['policies cannot contain root']])
    }
  })

  test('with templates speak of the entity, its alias and its groups', async () => {
    await cluster.write('sys/policies/acl/templated', {
      policy: `
        path "secret/data/{{identity.entity.metadata.team}}/*" { capabilities = ["create", "update"] }
        path "secret/data/{{identity.entity.aliases.${first}.name}}" { capabilities = ["update", "create"] }
        path "secret/data/{{identity.groups.names.crew.metadata.ship}}" { capabilities = ["update", "create"] }`,
    })
    const id = await roleId('templated', { token_policies: ['templated'] })
    const { auth } = await login(id)
    const token = String(auth['client_token'])
    const write = async (path: string) =>
      (await cluster.write(`secret/data/${path}`, { data: {} }, { token })).status
    expect([await write('blue/x'), await write(id), await write('argo')]).toEqual([403, 200, 403])

    await cluster.write(`identity/entity/id/${String(auth['entity_id'])}`, {
      metadata: { team: 'blue' },
    })
    await group({
      name: 'crew',
      metadata: { ship: 'argo' },
      member_entity_ids: [auth['entity_id']],
    })
    expect([await write('blue/x'), await write('red/x'), await write('argo')]).toEqual([
      200, 403, 200,
    ])
  })

  test('the default policy lets a token read its own entity and no other', async () => {
    const { auth } = await login(await roleId('own'))
    const token = String(auth['client_token'])
    const other = await entity({})
    const own = await cluster.read(`identity/entity/id/${String(auth['entity_id'])}`, { token })
    expect(own.status).toBe(200)
    expect((await cluster.read(`identity/entity/id/${other}`, { token })).status).toBe(403)
  })

  test('a child token has the entity of its parent, an orphan has none', async () => {
    const { auth } = await login(await roleId('parent', { token_policies: ['maker'] }))
    await cluster.write('sys/policies/acl/maker', {
      policy: 'path "auth/token/create*" { capabilities = ["update", "sudo"] }',
    })
    const token = String(auth['client_token'])
    const child = await cluster.write('auth/token/create', {}, { token })
    const orphan = await cluster.write('auth/token/create-orphan', {}, { token })
    expect(child.auth['entity_id']).toBe(auth['entity_id'])
    expect(orphan.auth['entity_id']).toBe('')
  })
})

describe('entities', () => {
  test('have names that are the same whatever their capitals', async () => {
    const id = await entity({ name: 'Ann' })
    expect((await cluster.write('identity/entity', { name: 'ANN' })).status).toBe(204)
    expect(await shown('entity/name/ann')).toMatchObject({ id, name: 'Ann' })
    const other = await entity({ name: 'ben' })
    const taken = await cluster.write(`identity/entity/id/${other}`, { name: 'ANN' })
    expect([taken.status, taken.json['errors']]).toEqual([400, ['entity name is already in use']])
  })

  test('renamed and removed, leave nothing under the old name', async () => {
    const id = await entity({ name: 'old/name' })
    await cluster.write(`identity/entity/id/${id}`, { name: 'new%2Fname' })
    expect((await cluster.read('identity/entity/name/old/name')).status).toBe(404)
    await cluster.remove(`identity/entity/id/${id}`)
    expect((await cluster.write('identity/lookup/entity', { name: 'new%2Fname' })).status).toBe(204)
  })

  test('are listed in pages, with their aliases', async () => {
    const id = await entity({ name: 'zz-listed' })
    await cluster.write('identity/entity-alias', {
      name: 'zz',
      mount_accessor: second,
      canonical_id: id,
    })
    const { keys, key_info: info } = (await cluster.list('identity/entity/id')).data
    expect(keys).toContain(id)
    expect(info).toMatchObject({
      [id]: { name: 'zz-listed', aliases: [{ name: 'zz', mount_path: 'auth/second/' }] },
    })
    const page = await cluster.list('identity/entity/name?after=zz-liste&limit=1')
    expect(page.data['keys']).toEqual(['zz-listed'])
  })

  test('merged, are one: with the aliases and groups of both, but not the policies', async () => {
    const to = await entity({ name: 'to', policies: ['p'] })
    const from = await entity({ name: 'from', policies: ['q'] })
    const alias = { mount_accessor: second, canonical_id: from, name: 'moves' }
    await cluster.write('identity/entity-alias', alias)
    const team = await group({ member_entity_ids: [from] })

    const merged = await cluster.write('identity/entity/merge', {
      from_entity_ids: [from],
      to_entity_id: to,
    })

    expect(merged.status).toBe(204)
    expect(await shown(`entity/id/${to}`)).toMatchObject({
      policies: ['p'],
      aliases: [{ name: 'moves', canonical_id: to, merged_from_canonical_ids: [from] }],
      direct_group_ids: [team],
      merged_entity_ids: [from],
    })
    expect((await cluster.read(`identity/entity/id/${from}`)).status).toBe(404)
    expect((await shown(`group/id/${team}`))['member_entity_ids']).toEqual([to])
  })

  test('with aliases of one mount are merged only by saying which alias stays', async () => {
    const ids = [await entity({}), await entity({})]
    const aliases: string[] = []
    for (const canonical_id of ids) {
      const body = { mount_accessor: second, canonical_id, name: `of ${canonical_id}` }
      aliases.push(String((await cluster.write('identity/entity-alias', body)).data['id']))
    }
    const body = { from_entity_ids: [ids[1]], to_entity_id: ids[0] }
    const refused = await cluster.write('identity/entity/merge', body)
    expect(refused.status).toBe(400)
    expect(refused.json['data']).toMatchObject([{ entity_id: ids[0] }, { entity_id: ids[1] }])

    const chosen = { ...body, conflicting_alias_ids_to_keep: [aliases[1]] }
    expect((await cluster.write('identity/entity/merge', chosen)).status).toBe(204)
    const { aliases: kept } = await shown(`entity/id/${String(ids[0])}`)
    expect(kept).toMatchObject([{ id: aliases[1] }])
    expect((await cluster.read(`identity/entity-alias/id/${String(aliases[0])}`)).status).toBe(404)
  })
})

describe('aliases', () => {
  test('move to another entity, and the next login is its', async () => {
    const id = await roleId('moving')
    const { auth } = await login(id)
    const { data } = await cluster.write('identity/lookup/entity', {
      alias_name: id,
      alias_mount_accessor: first,
    })
    expect(data['id']).toBe(auth['entity_id'])
    const other = await entity({})
    const { keys = [], key_info: info } = (await cluster.list('identity/entity-alias/id')).data
    expect(keys).toHaveLength(Object.keys(info ?? {}).length)
    const move = { name: id, mount_accessor: first, canonical_id: other }
    expect((await cluster.write('identity/entity-alias', move)).data['canonical_id']).toBe(other)
    expect((await login(id)).auth['entity_id']).toBe(other)
  })

  test.each([
    [{ name: 'x' }, "'id' or 'mount_accessor' and 'name' must be provided"],
    [{ name: 'x', mount_accessor: 'none' }, 'invalid mount accessor "none"'],
    [{ id: 'none', name: 'x' }, 'invalid alias ID provided'],
  ])('%j is refused: %s', async (body, text) => {
    const { status, json } = await cluster.write('identity/entity-alias', body)
    expect([status, json['errors']]).toEqual([400, [text]])
  })
})

describe('groups', () => {
  test('do not contain themselves, however deep', async () => {
    const a = await group({ name: 'ring-a' })
    const b = await group({ name: 'ring-b', member_group_ids: [a] })
    const c = await group({ name: 'ring-c', member_group_ids: [b] })
    for (const id of [a, b, c]) {
      const { status, json } = await cluster.write(`identity/group/id/${a}`, {
        member_group_ids: [id],
      })
      expect([status, json['errors']]).toEqual([
        400,
        [`cyclic relationship detected for member group ID "${id}"`],
      ])
    }
  })

  test('removed, are in nothing and nothing is in them', async () => {
    const member = await entity({})
    const inner = await group({ name: 'gone-inner', member_entity_ids: [member] })
    const middle = await group({ name: 'gone', member_group_ids: [inner] })
    const outer = await group({ name: 'gone-outer', member_group_ids: [middle] })
    await cluster.remove(`identity/group/id/${middle}`)
    expect((await shown(`group/id/${outer}`))['member_group_ids']).toBe(null)
    expect((await shown(`group/id/${inner}`))['parent_group_ids']).toBe(null)
    await cluster.remove('identity/group/name/gone-inner')
    expect((await shown(`entity/id/${member}`))['group_ids']).toEqual([])
  })

  test('of a namespace below take in entities of those above, and their policies hold there', async () => {
    await cluster.write('sys/namespaces/below', {})
    const inBelow = { headers: { 'x-vault-namespace': 'below' } }
    await cluster.write('sys/mounts/kv', { type: 'kv' }, inBelow)
    await cluster.write('kv/a', { x: 1 }, inBelow)
    await cluster.write(
      'sys/policies/acl/reads',
      { policy: 'path "kv/*" { capabilities = ["read"] }' },
      inBelow,
    )
    const { auth } = await login(await roleId('across'))
    const token = String(auth['client_token'])
    const read = async () => (await cluster.read('kv/a', { token, ...inBelow })).status
    expect(await read()).toBe(403)
    const body = { policies: ['reads'], member_entity_ids: [auth['entity_id']] }
    expect((await cluster.write('identity/group', body, inBelow)).status).toBe(200)
    expect(await read()).toBe(200)
    expect((await cluster.read('kv/a', { token })).status).not.toBe(200)
  })
})

describe('external groups', () => {
  test('have whoever the method says, at each login and renewal; those of other methods stay', async () => {
    await cluster.write('sys/auth/dir', { type: 'directory' })
    const mount_accessor = String((await cluster.read('sys/auth/dir')).data['accessor'])
    const named = new Map<string, string>()
    for (const name of ['ops', 'dev']) {
      const id = await group({ name: `external-${name}`, type: 'external', policies: [name] })
      named.set(name, id)
      const alias = { name, mount_accessor, canonical_id: id }
      expect((await cluster.write('identity/group-alias', alias)).status).toBe(200)
    }
    const enter = (groups: string[]) =>
      cluster.write('auth/dir/login', { name: 'mia', groups }, { token: null })

    const { auth } = await enter(['ops', 'unheard-of'])
    expect(auth['identity_policies']).toEqual(['ops'])
    const own = await group({ policies: ['own'], member_entity_ids: [auth['entity_id']] })
    expect((await enter(['dev'])).auth['identity_policies']).toEqual(['dev', 'own'])
    groupsNow = ['ops', 'dev']
    const token = String(auth['client_token'])
    const renewed = await cluster.write('auth/token/renew-self', {}, { token })
    expect(renewed.auth['identity_policies']).toEqual(['dev', 'ops', 'own'])
    expect((await shown(`entity/id/${String(auth['entity_id'])}`))['direct_group_ids']).toEqual(
      expect.arrayContaining([own, named.get('ops'), named.get('dev')]),
    )
  })

  test('take no members by hand, and an internal one takes no alias', async () => {
    const id = await group({ name: 'by-method', type: 'external' })
    const inside = await group({ name: 'by-hand' })
    const refused = async (at: string, body: object) =>
      (await cluster.write(`identity/${at}`, body)).errors
    expect(await refused(`group/id/${id}`, { member_entity_ids: ['x'] })).toEqual([
      "member entities can't be set manually for external groups",
    ])
    expect(await refused(`group/id/${id}`, { type: 'internal' })).toEqual([
      'group type cannot be changed',
    ])
    const alias = { name: 'x', mount_accessor: first, canonical_id: inside }
    expect(await refused('group-alias', alias)).toEqual(["alias can't be set on an internal group"])
  })

  test('give their alias to another group, and to no two', async () => {
    const [a, b] = [await group({ type: 'external' }), await group({ type: 'external' })]
    const alias = { name: 'wanders', mount_accessor: first }
    const made = await cluster.write('identity/group-alias', { ...alias, canonical_id: a })
    const id = String(made.data['id'])
    const moved = await cluster.write(`identity/group-alias/id/${id}`, {
      ...alias,
      canonical_id: b,
    })
    expect(moved.data).toEqual({ id, canonical_id: b })
    expect((await shown(`group/id/${a}`))['alias']).toEqual({})
    expect((await shown(`group-alias/id/${id}`))['canonical_id']).toBe(b)
    const other = { name: 'else', mount_accessor: first, canonical_id: a }
    const second = await cluster.write('identity/group-alias', other)
    const taken = await cluster.write(`identity/group-alias/id/${String(second.data['id'])}`, alias)
    expect(taken.errors).toEqual([
      'alias with combination of mount accessor and name already exists',
    ])
  })
})

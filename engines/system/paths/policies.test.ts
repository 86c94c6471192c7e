import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'
import { damage, keysBelow } from '../../../test/support/records.ts'

const POLICY = 'path "secret/*" { capabilities = ["read"] }'
const OTHER = 'path "other/*" { capabilities = ["list"] }'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const acl = (name: string) => `sys/policies/acl/${name}`
const patch = (name: string, body: unknown) => cluster.request('PATCH', acl(name), { body })
/** What the policies give the path, asked with a token that has them. */
async function capabilities(policies: readonly string[], path: string): Promise<unknown> {
  const { auth } = await cluster.write('auth/token/create', { policies })
  const token = String(auth['client_token'])
  const answer = await cluster.write('sys/capabilities-self', { paths: [path] }, { token })
  return answer.data['capabilities']
}

describe('a policy', () => {
  test('is read as it was written, with its name and its text alone', async () => {
    expect((await cluster.write(acl('app'), { policy: POLICY })).status).toBe(204)
    expect((await cluster.read(acl('app'))).data).toEqual({ name: 'app', policy: POLICY })
    expect((await cluster.read('sys/policy/app')).data).toEqual({ name: 'app', rules: POLICY })
  })

  test('may come in base64, broken into lines as the program base64 does', async () => {
    const text = POLICY.repeat(3)
    const lines = Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\n')
    expect(lines).toContain('\n')
    await cluster.write(acl('app'), { policy: lines })
    expect((await cluster.read(acl('app'))).data['policy']).toBe(text)
  })

  test('has one name in whatever case it is written, and the client is told', async () => {
    const written = await cluster.write(acl('TeamA/Read'), { policy: POLICY })
    expect(written.json['warnings']).toEqual(['policy name was converted to teama/read'])
    expect((await cluster.read(acl('TEAMA/read'))).data['name']).toBe('teama/read')
    expect(await capabilities(['TeamA/READ'], 'secret/a')).toEqual(['read'])
    await cluster.remove(acl('teamA/Read'))
    expect((await cluster.read(acl('teama/read'))).status).toBe(404)
  })

  test('is judged by the lower-case name, so that capitals are no way around a rule', async () => {
    const token = await cluster.tokenWith(
      'path "sys/policies/acl/*" { capabilities = ["update"] } path "sys/policies/acl/admin" { capabilities = ["deny"] }',
    )
    expect((await cluster.write(acl('other'), { policy: POLICY }, { token })).status).toBe(204)
    for (const name of ['admin', 'Admin', 'ADMIN']) {
      expect((await cluster.write(acl(name), { policy: POLICY }, { token })).status).toBe(403)
    }
  })

  test('may be called as a property of every object is', async () => {
    await cluster.write(acl('__proto__'), { policy: POLICY })
    const { data } = await cluster.list('sys/policies/detailed/acl')
    expect(data['keys']).toContain('__proto__')
    expect(Object.keys(data['key_info'] ?? {})).toContain('__proto__')
  })

  test.each(['root', 'ROOT', 'response-wrapping'])('%s is the server’s own', async (name) => {
    const own = `"${name.toLowerCase()}" policy`
    expect((await cluster.write(acl(name), { policy: POLICY })).errors).toEqual([
      `cannot update ${own}`,
    ])
    expect((await patch(name, { policy: POLICY })).errors).toEqual([`cannot update ${own}`])
    expect((await cluster.remove(acl(name))).errors).toEqual([`cannot delete ${own}`])
  })

  test('default may be written, but is never missing', async () => {
    expect((await cluster.write(acl('default'), { policy: POLICY })).status).toBe(204)
    expect((await cluster.remove(acl('default'))).errors).toEqual(['cannot delete default policy'])
  })

  test.each([
    ['', "'policy' parameter not supplied or empty"],
    ['nonsense', 'failed to parse policy: At 1:1: illegal char'],
    [
      'path "x" { capabilities = ["fly"] }',
      'failed to parse policy: path "x": invalid capability "fly"',
    ],
  ])('with the text %j is refused, and what was there stays', async (policy, text) => {
    await cluster.write(acl('app'), { policy: POLICY })
    const refused = await cluster.write(acl('app'), { policy })
    expect([refused.status, refused.errors]).toEqual([400, [text]])
    expect((await cluster.read(acl('app'))).data['policy']).toBe(POLICY)
  })

  test('whose record is damaged can be deleted', async () => {
    await cluster.write(acl('app'), { policy: POLICY, ttl: '1h' })
    await damage(cluster, 'ns/root/policy/app')
    expect((await cluster.read(acl('app'))).status).toBe(500)
    expect((await cluster.remove(acl('app'))).status).toBe(204)
    expect((await cluster.read(acl('app'))).status).toBe(404)
  })

  test('that is deleted gives its tokens nothing from then on', async () => {
    const token = await cluster.tokenWith('path "sys/policy" { capabilities = ["read"] }')
    expect((await cluster.read('sys/policy', { token })).status).toBe(200)
    await cluster.remove(acl('test-1'))
    expect((await cluster.read('sys/policy', { token })).status).toBe(403)
  })
})

describe('lists', () => {
  test('hold the names at the top, then those in folders, then root', async () => {
    for (const name of ['team/b', 'app', 'team/a/x']) {
      await cluster.write(acl(name), { policy: POLICY })
    }
    const keys = ['app', 'default', 'team/a/x', 'team/b', 'root']
    expect((await cluster.list('sys/policies/acl')).data).toEqual({ keys })
    expect((await cluster.list('sys/policy')).data).toEqual({ keys, policies: keys })
    expect((await cluster.read('sys/policy')).data).toEqual({ keys, policies: keys })
    expect((await cluster.list(acl('team/'))).data).toEqual({ keys: ['team/a/x', 'team/b'] })
    expect((await cluster.list(acl('tea'))).status).toBe(404)
  })
})

describe('the older form', () => {
  test('takes the text as `rules` too, and says that this is old', async () => {
    const written = await cluster.write('sys/policy/old', { rules: POLICY })
    expect(written.json['warnings']).toEqual(["'rules' is deprecated, please use 'policy' instead"])
    expect((await cluster.read(acl('old'))).data['policy']).toBe(POLICY)
  })

  test('alone takes it so', async () => {
    expect((await cluster.write(acl('new'), { rules: POLICY })).errors).toEqual([
      "'policy' parameter not supplied or empty",
    ])
  })
})

describe('the version that a writer gives', () => {
  test('must be the present one; -1 and 0 are good for none', async () => {
    const write = async (cas: number) =>
      (await cluster.write(acl('app'), { policy: POLICY, cas })).errors[0]
    const mismatch = 'check-and-set parameter did not match the current version'
    expect(await write(1)).toBe(mismatch)
    expect(await write(-1)).toBeUndefined()
    expect(await write(-1)).toBe('check-and-set parameter set to -1 on existing entry')
    expect(await write(0)).toBe(mismatch)
    expect(await write(1)).toBeUndefined()
    expect(await write(1)).toBe(mismatch)
    await cluster.remove(acl('app'))
    expect(await write(0)).toBeUndefined()
  })

  test('is demanded once it was asked for, until it is no more', async () => {
    const write = async (more: object) =>
      (await cluster.write(acl('app'), { policy: POLICY, ...more })).errors[0]
    const missing = 'check-and-set parameter required for this call'
    expect(await write({ cas_required: true })).toBe(missing)
    expect(await write({ cas_required: true, cas: -1 })).toBeUndefined()
    expect((await cluster.read(acl('app'))).data).toMatchObject({ version: 1, cas_required: true })
    expect(await write({})).toBe(missing)
    expect(await write({ cas_required: false })).toBe(missing)
    expect(await write({ cas: 1 })).toBeUndefined()
    expect((await cluster.read(acl('app'))).data).toEqual({ name: 'app', policy: POLICY })
    expect(await write({})).toBeUndefined()
  })
})

describe('a policy that ends', () => {
  test('ends for who used it just before, too', async () => {
    const policy = 'path "sys/policy" { capabilities = ["read"] }'
    await cluster.write(acl('brief'), { policy, ttl: '1h' })
    const { auth } = await cluster.write('auth/token/create', { policies: ['brief'], ttl: '3h' })
    const token = String(auth['client_token'])
    const lists = async () => (await cluster.read('sys/policy', { token, node: 0 })).status
    cluster.clock.advance('59m59.999s')
    expect([await lists(), await lists()]).toEqual([200, 200])
    cluster.clock.advance('1ms')
    expect([await lists(), await lists()]).toEqual([403, 403])
  })

  test('is in no list, and soon in no storage', async () => {
    for (const name of ['brief', 'team/brief']) {
      await cluster.write(acl(name), { policy: POLICY, ttl: '1h' })
    }
    await cluster.write(acl('longer'), { policy: POLICY, ttl: '1h' })
    await cluster.write(acl('longer'), { policy: POLICY, ttl: '2h' })
    await cluster.write(acl('kept'), { policy: POLICY, ttl: '1h' })
    await cluster.write(acl('kept'), { policy: POLICY })
    await cluster.write(acl('gone'), { policy: POLICY, ttl: '1h' })
    await cluster.remove(acl('gone'))
    cluster.clock.advance('1h')

    const keys = ['default', 'kept', 'longer', 'root']
    expect((await cluster.list('sys/policy')).data).toEqual({ keys, policies: keys })
    expect((await cluster.list('sys/policies/acl')).data).toEqual({ keys })
    expect((await cluster.list('sys/policies/detailed/acl')).data['keys']).toEqual(keys)
    expect((await cluster.list(acl('team/'))).status).toBe(404)

    for (const node of cluster.nodes) await node.runDuties()
    expect(await keysBelow(cluster, 'ns/root/policy/')).toEqual(
      ['default', 'kept', 'longer'].map((name) => `ns/root/policy/${name}`),
    )
    expect(await keysBelow(cluster, 'policy-end/')).toEqual([
      expect.stringMatching(/\.root\.longer$/),
    ])
  })

  test('is none that a token can be given', async () => {
    await cluster.write(acl('brief'), { policy: POLICY, ttl: '1h' })
    cluster.clock.advance('1h')
    const made = await cluster.write('auth/token/create', { policies: ['brief'] })
    expect(made.json['warnings']).toEqual(['Policy "brief" does not exist'])
  })

  test.each([{ ttl: '1h' }, { ttl: 3600 }, { expiration: '2026-01-01T02:00:00+01:00' }])(
    'by %j grants nothing from then on, and is not there',
    async (end) => {
      await cluster.write(acl('brief'), { policy: POLICY, ...end })
      expect((await cluster.read(acl('brief'))).data['expiration']).toBe('2026-01-01T01:00:00Z')
      cluster.clock.advance('59m59s')
      expect(await capabilities(['brief'], 'secret/a')).toEqual(['read'])
      cluster.clock.advance('1s')
      expect(await capabilities(['brief'], 'secret/a')).toEqual(['deny'])
      expect((await cluster.read(acl('brief'))).status).toBe(404)
    },
  )

  test('still does after a patch that says nothing of its end', async () => {
    await cluster.write(acl('brief'), { policy: POLICY, ttl: '1h' })
    expect((await patch('brief', { policy: OTHER })).status).toBe(200)
    expect((await cluster.read(acl('brief'))).data).toMatchObject({
      policy: OTHER,
      expiration: '2026-01-01T01:00:00Z',
    })
    cluster.clock.advance('1h')
    expect(await capabilities(['brief'], 'other/a')).toEqual(['deny'])
  })

  test('has no end after a full write without one', async () => {
    await cluster.write(acl('brief'), { policy: POLICY, ttl: '1h' })
    await cluster.write(acl('brief'), { policy: POLICY })
    expect((await cluster.read(acl('brief'))).data).toEqual({ name: 'brief', policy: POLICY })
  })

  const ELAPSED = 'refusing to update policy as expiration time has already elapsed'
  const NO_TIME = "'expiration' must be a time such as 2030-01-31T12:00:00Z"
  test.each([
    [{ ttl: '0' }, ELAPSED],
    [{ ttl: '-5m' }, ELAPSED],
    [
      { ttl: 'soon' },
      'error converting input for field "ttl": time: invalid duration; give seconds or a number with a unit, such as "90s" or "1h30m"',
    ],
    [{ expiration: '2026-01-01T00:00:00Z' }, ELAPSED],
    [{ expiration: '2030' }, NO_TIME],
    [{ expiration: 'Jan 1 2030' }, NO_TIME],
    [{ expiration: '2030-13-01T00:00:00Z' }, NO_TIME],
    [
      { ttl: '1h', expiration: '2030-01-01T00:00:00Z' },
      "cannot supply both 'expiration' and 'ttl' for policies",
    ],
  ])('is not made by %j', async (end, text) => {
    const refused = await cluster.write(acl('brief'), { policy: POLICY, ...end })
    expect([refused.status, refused.errors]).toEqual([400, [text]])
    expect((await cluster.read(acl('brief'))).status).toBe(404)
  })

  test('in the year 10000 or later is refused: such a time has no text', async () => {
    const refused = await cluster.write(acl('late'), { policy: POLICY, ttl: '70000000h' })
    expect(refused.status).toBe(400)
  })
})

describe('a patch', () => {
  test('changes what it names and keeps the rest', async () => {
    await cluster.write(acl('app'), {
      policy: POLICY,
      allow_slashes_in_identity_templates: true,
      cas_required: true,
      cas: -1,
    })
    const patched = await patch('App', { allow_wildcards_in_identity_templates: true })
    expect(patched.json['warnings']).toEqual(['policy name was converted to app'])
    expect((await cluster.read(acl('app'))).data).toMatchObject({
      policy: POLICY,
      version: 2,
      cas_required: true,
      allow_slashes_in_identity_templates: true,
      allow_wildcards_in_identity_templates: true,
    })
    expect((await patch('app', { policy: OTHER, cas: 1 })).errors).toEqual([
      'check-and-set parameter did not match the current version',
    ])
  })

  test('needs no version where a full write does, but takes none that is wrong', async () => {
    await cluster.write(acl('app'), { policy: POLICY, cas_required: true, cas: -1 })
    expect((await cluster.write(acl('app'), { policy: OTHER })).status).toBe(400)
    expect((await patch('app', { policy: OTHER })).status).toBe(200)
    expect((await patch('app', { cas_required: true })).status).toBe(200)
    expect((await cluster.read(acl('app'))).data).toMatchObject({ policy: OTHER, version: 3 })
    for (const cas of [-1, 0, 2])
      expect((await patch('app', { policy: POLICY, cas })).status).toBe(400)
    expect((await patch('app', { policy: POLICY, cas: 3 })).status).toBe(200)
  })

  test('at the same time as another changes what each of them names', async () => {
    await cluster.write(acl('app'), { policy: POLICY, cas_required: true, cas: -1 })
    await Promise.all([
      patch('app', { allow_slashes_in_identity_templates: true }),
      patch('app', { allow_wildcards_in_identity_templates: true }),
      patch('app', { policy: OTHER }),
    ])
    expect((await cluster.read(acl('app'))).data).toMatchObject({
      policy: OTHER,
      version: 4,
      allow_slashes_in_identity_templates: true,
      allow_wildcards_in_identity_templates: true,
    })
  })

  test('with an empty text is refused', async () => {
    await cluster.write(acl('app'), { policy: POLICY })
    expect((await patch('app', { policy: '' })).errors).toEqual([
      "'policy' parameter not supplied or empty",
    ])
  })

  test('needs a policy to change', async () => {
    expect((await patch('none', { policy: POLICY })).errors).toEqual(['policy not found'])
  })
})

test('a full write leaves no permission of the policy before', async () => {
  await cluster.write(acl('app'), {
    policy: POLICY,
    allow_wildcards_in_identity_templates: true,
    allow_slashes_in_identity_templates: true,
  })
  await cluster.write(acl('app'), { policy: POLICY })
  expect((await cluster.read(acl('app'))).data).toEqual({ name: 'app', policy: POLICY })
})

test('two writers with the same version at the same time: one of them wins', async () => {
  await cluster.write(acl('app'), { policy: POLICY })
  const answers = await Promise.all(
    [0, 1, 0, 1].map((node) => cluster.write(acl('app'), { policy: OTHER, cas: 1 }, { node })),
  )
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 400, 400, 400])
})

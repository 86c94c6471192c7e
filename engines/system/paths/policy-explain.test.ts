import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startCluster, type Cluster, type RequestOptions } from '../../../test/support/kit.ts'
import { putNamespaces, putPolicy } from '../../../test/support/records.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const explain = (body: object, options: RequestOptions = {}) =>
  cluster.write('sys/policies/explain', body, options)

const POLICY = `# kv
path "secret/*" {
  capabilities = ["create", "read", "update", "list"]
}
path "secret/plan" { capabilities = ["deny"] }
path "sys/audit" { capabilities = ["read"] }
path "sys/policies/acl/*" {
  capabilities = ["update"]
  required_parameters = ["policy"]
  denied_parameters = { cas = [] }
}`

describe('an explanation', () => {
  test('names rule, policy, line, what was looked at, and what is missing', async () => {
    const token = await cluster.tokenWith(POLICY)
    const { data } = await explain({ token, operation: 'delete', path: 'secret/a' })
    expect(data).toEqual({
      allowed: false,
      by: 'rule',
      operation: 'delete',
      path: 'secret/a',
      namespace_path: '',
      needs_sudo: false,
      rule: {
        path: 'secret/*',
        capabilities: ['create', 'list', 'read', 'update'],
        policies: [
          {
            name: 'test-1',
            namespace_id: 'root',
            namespace_path: '',
            path: 'secret/*',
            line: 2,
            capabilities: ['create', 'list', 'read', 'update'],
          },
        ],
      },
      overruled: [],
      missing: [
        {
          kind: 'capability',
          capability: 'delete',
          text: 'the rule for path "secret/*" needs capability "delete"',
        },
      ],
      policies: [
        { name: 'default', namespace_path: '', found: true },
        { name: 'test-1', namespace_path: '', found: true },
      ],
    })
  })

  test.each<[string, object, string[]]>([
    ['sudo', { operation: 'read', path: 'sys/audit' }, ['sudo']],
    ['no deny', { operation: 'read', path: 'secret/plan' }, ['no_deny']],
    ['nothing, of a listing', { operation: 'list', path: 'secret/folder' }, []],
    ['a rule', { operation: 'scan', path: 'other' }, ['capability']],
    [
      'parameters',
      { operation: 'update', path: 'sys/policies/acl/x', data: { cas: 0 } },
      ['parameter', 'parameter'],
    ],
    ['nothing where everybody may', { operation: 'read', path: 'sys/health' }, []],
  ])('names as missing %s', async (_what, body, kinds) => {
    const token = await cluster.tokenWith(POLICY)
    const { data } = await explain({ token, ...body })
    expect(data).toMatchObject({
      allowed: kinds.length === 0,
      missing: kinds.map((kind) => ({ kind })),
    })
  })

  test('is of the calling token where none is named, and the same by token and by accessor', async () => {
    expect((await explain({ operation: 'read', path: 'any' })).data).toMatchObject({
      allowed: true,
      by: 'root',
      policies: [{ name: 'root', found: true }],
    })
    const token = await cluster.tokenWith(POLICY)
    const { data: about } = await cluster.write('auth/token/lookup', { token })
    const asked = { operation: 'read', path: 'secret/a' }
    const byAccessor = await explain({ accessor: about['accessor'], ...asked })
    expect(byAccessor.data).toEqual((await explain({ token, ...asked })).data)
  })

  test('marks a policy of the token that is not there', async () => {
    const token = await cluster.tokenWith(POLICY)
    await cluster.remove('sys/policies/acl/test-1')
    const { data } = await explain({ token, operation: 'read', path: 'secret/a' })
    expect(data).toMatchObject({
      allowed: false,
      rule: null,
      policies: [
        { name: 'default', found: true },
        { name: 'test-1', found: false },
      ],
    })
  })

  test('judges a write as the path does: `create` counts only where it is told from an update', async () => {
    const token = await cluster.tokenWith('path "sys/policies/acl/a" { capabilities = ["create"] }')
    const asked = { token, operation: 'create', path: 'sys/policies/acl/a' }
    expect((await explain(asked)).data).toMatchObject({ allowed: false, operation: 'update' })
  })
})

/** What is sent, what explains it, both of one token. */
const REQUESTS = [
  ['GET', 'secret/a', undefined, 'read'],
  ['LIST', 'secret/', undefined, 'list'],
  ['GET', 'secret/plan', undefined, 'read'],
  ['DELETE', 'secret/a', undefined, 'delete'],
  ['POST', 'secret/b', { a: 1 }, 'create'],
  ['GET', 'sys/audit', undefined, 'read'],
  ['GET', 'sys/mounts', undefined, 'read'],
  ['GET', 'sys/seal-status', undefined, 'read'],
  ['GET', 'auth/token/lookup-self', undefined, 'read'],
  ['POST', 'sys/policies/acl/x', { policy: 'path "a" { policy = "read" }' }, 'update'],
  ['POST', 'sys/policies/acl/x', { policy: 'path "a" { policy = "read" }', cas: 1 }, 'update'],
  ['POST', 'sys/policies/ACL/x', {}, 'update'],
  ['GET', 'nowhere/at/all', undefined, 'read'],
] as const

test('an explanation and the answer to the request itself agree', async () => {
  await cluster.write('sys/mounts/secret', { type: 'kv' })
  const token = await cluster.tokenWith(POLICY)
  for (const [method, path, body, operation] of REQUESTS) {
    const { data } = await explain({ token, path, operation, ...(body && { data: body }) })
    const answer = await cluster.request(method, path, { token, body })
    expect([path, data['allowed']]).toEqual([path, answer.status !== 403])
  }
})

describe('is refused', () => {
  test.each<[object, string]>([
    [{ operation: 'read' }, 'path must be supplied'],
    [
      { operation: 'read', path: 'a//b' },
      'path must have no empty segment, and none that is "." or ".."',
    ],
    [{ path: 'a' }, 'Field validation failed: missing required field "operation"'],
    [
      { operation: 'read', path: 'a', token: 'x', accessor: 'y' },
      'give token or accessor, not both',
    ],
    [
      { operation: 'read', path: 'a', token: 'hvs.none' },
      '1 error occurred:\n\t* invalid token\n\n',
    ],
    [
      { operation: 'read', path: 'a', accessor: 'none' },
      '1 error occurred:\n\t* invalid accessor\n\n',
    ],
  ])('%j', async (body, text) => {
    const refused = await explain(body)
    expect([refused.status, refused.errors]).toEqual([400, [text]])
  })

  test('to whom has no sudo on the path, even about the own token', async () => {
    const without = 'path "sys/policies/explain" { capabilities = ["update"] }'
    const asked = { operation: 'read', path: 'secret/a' }
    const refused = await explain(asked, { token: await cluster.tokenWith(without) })
    expect(refused.status).toBe(403)
    expect(refused.text).not.toContain('secret')
    const rights = without.replace('"update"', '"update", "sudo"')
    const answered = await explain(asked, { token: await cluster.tokenWith(rights) })
    expect(answered.data).toMatchObject({ allowed: false })
  })
})

describe('in a namespace', () => {
  const NAMESPACES = [
    { id: 'aaaaaa', path: 'a/' },
    { id: 'bbbbbb', path: 'b/' },
  ]
  const within = (namespace: string) => ({ headers: { 'x-vault-namespace': namespace } })

  async function start(): Promise<Cluster> {
    const own = await startCluster()
    onTestFinished(() => own.close())
    await putNamespaces(own, NAMESPACES)
    for (const { id } of NAMESPACES) {
      await putPolicy(own, 'admin', 'path "*" { policy = "sudo" }', id)
    }
    return own
  }

  async function adminOf(own: Cluster, namespace: string) {
    const body = { policies: ['admin'], no_parent: true, ttl: '1h' }
    const { auth } = await own.write('auth/token/create', body, within(namespace))
    return { token: String(auth['client_token']), accessor: String(auth['accessor']) }
  }

  test('tokens of it are explained, and those of others are unknown, whoever holds one', async () => {
    const own = await start()
    const a = await adminOf(own, 'a')
    const b = await adminOf(own, 'b')
    const ask = (body: object, token: string, namespace: string) =>
      own.write(
        'sys/policies/explain',
        { operation: 'read', path: 'secret/x', ...body },
        { token, ...within(namespace) },
      )
    const answered = await ask({ accessor: a.accessor }, a.token, 'a')
    expect(answered.data).toMatchObject({
      allowed: true,
      namespace_path: 'a/',
      rule: { policies: [{ name: 'admin', namespace_path: 'a/', line: 1 }] },
    })
    for (const named of [{ token: b.token }, { accessor: b.accessor }, { token: own.rootToken }]) {
      expect((await ask(named, a.token, 'a')).status).toBe(400)
    }
  })

  test('the policies of a token say nothing of a namespace above or beside it', async () => {
    const own = await start()
    const { token } = await adminOf(own, 'a')
    const body = { token, operation: 'read', path: 'b/secret/x' }
    const { data } = await own.write('sys/policies/explain', body)
    expect(data).toMatchObject({
      allowed: false,
      namespace_path: 'b/',
      missing: [{ kind: 'namespace' }],
    })
  })
})

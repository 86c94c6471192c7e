import { expect, onTestFinished, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'
import { putNamespaces } from '../../../test/support/records.ts'

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  const open = { listing_visibility: 'unauth' }
  await cluster.write('sys/mounts/open', { type: 'kv', config: open, description: 'for all' })
  await cluster.write('sys/mounts/shut', { type: 'kv' })
  return cluster
}

const secretsOf = (data: Readonly<Record<string, unknown>>) => Object.keys(data['secret'] ?? {})

test('without a token just the mounts that are shown to all are listed, and little of them', async () => {
  const cluster = await start()

  const { data } = await cluster.read('sys/internal/ui/mounts', { token: null })

  expect(data).toEqual({
    auth: {},
    secret: { 'open/': { type: 'kv', description: 'for all', options: {} } },
  })
})

test('with a token those are listed that it can reach, and a bad token is refused', async () => {
  const cluster = await start()
  const token = await cluster.tokenWith('path "shut/a/+/b" { capabilities = ["read"] }')

  const { data } = await cluster.read('sys/internal/ui/mounts', { token })
  expect(secretsOf(data)).toEqual(expect.arrayContaining(['cubbyhole/', 'open/', 'shut/']))

  const weak = await cluster.tokenWith('path "elsewhere/*" { capabilities = ["read"] }')
  const less = await cluster.read('sys/internal/ui/mounts', { token: weak })
  expect(secretsOf(less.data)).not.toContain('shut/')

  const bad = await cluster.read('sys/internal/ui/mounts', { token: 'hvs.none' })
  expect(bad).toMatchObject({ status: 403 })
})

test('a token that is bound to addresses shows nothing to others', async () => {
  const cluster = await start()
  const policy = 'path "shut/*" { capabilities = ["read"] }'
  await cluster.write('sys/policies/acl/p', { policy })
  const role = { allowed_policies: ['p'], token_bound_cidrs: ['10.0.0.0/8'] }
  await cluster.write('auth/token/roles/bound', role)
  const made = await cluster.write('auth/token/create/bound', { policies: ['p'] })
  const token = String(made.auth['client_token'])

  for (const at of ['internal/ui/mounts', 'internal/ui/mounts/shut/x', 'internal/specs/openapi']) {
    const near = await cluster.read(`sys/${at}`, { token, address: '10.1.2.3' })
    expect(near.text, at).toContain('shut/')
    expect(await cluster.read(`sys/${at}`, { token, address: '192.0.2.1' }), at).toMatchObject({
      status: 403,
    })
  }
})

test('a mount that is not there and one that the caller cannot reach get one answer', async () => {
  const cluster = await start()
  const token = await cluster.tokenWith('path "elsewhere/*" { capabilities = ["read"] }')

  const answers = await Promise.all(
    ['shut/x', 'gone/x'].map((at) => cluster.read(`sys/internal/ui/mounts/${at}`, { token })),
  )

  expect(answers.map(({ status }) => status)).toEqual([403, 403])
  const [hidden, absent] = answers.map(({ errors }) => errors[0]?.replace(/"\w+\/x/, '"PATH'))
  expect(hidden).toBe(absent)
})

test('the child namespaces are listed in which the caller has rights', async () => {
  const cluster = await start()
  await putNamespaces(cluster, [
    { id: 'aaaaaa', path: 'one/' },
    { id: 'bbbbbb', path: 'two/' },
    { id: 'cccccc', path: 'one/deep/' },
  ])
  const token = await cluster.tokenWith(
    'path "one/secret/*" { capabilities = ["read"] } path "sys/internal/ui/namespaces" { capabilities = ["read"] }',
  )

  expect((await cluster.read('sys/internal/ui/namespaces')).data).toEqual({
    keys: ['one/', 'two/'],
  })
  expect((await cluster.read('sys/internal/ui/namespaces', { token })).data).toEqual({
    keys: ['one/'],
  })
})

test('the OpenAPI document names no mount that the caller cannot reach', async () => {
  const cluster = await start()
  const token = await cluster.tokenWith('path "shut/*" { capabilities = ["read"] }')

  const of = async (who: string | null) =>
    (await cluster.read('sys/internal/specs/openapi', { token: who })).text
  expect(await of(token)).toContain('/shut/')
  expect(await of(token)).not.toContain('/open/')
  expect(await of(null)).not.toMatch(/\/(?:shut|open)\//)
})

test('help begins with the path as its engine knows it, and a path that is none has none', async () => {
  const cluster = await start()

  const help = async (at: string) => (await cluster.read(`${at}?help=1`)).json['help']
  expect(await help('open/a')).toMatch(/^Request: {8}a\n/)
  expect(await help('sys/mounts')).toMatch(/^Request: {8}mounts\n/)
  expect(await help('sys/')).toMatch(/^## DESCRIPTION\n/)
  expect(await cluster.read('sys/nothing?help=1')).toMatchObject({ status: 404 })
  expect(await cluster.read('nowhere/?help=1')).toMatchObject({ status: 404 })
})

/** Names and paths that were judged in one form and used in another, policies that were given without the right to. */
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createApi } from '../../core/api.ts'
import { parseTarget } from '../../core/http/target.ts'
import { BadRequest } from '../../core/errors.ts'
import { path } from '../../core/plugin/path.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { kind } from '../../core/store/kind.ts'
import { startCluster, type Cluster, type ClusterOptions } from '../support/kit.ts'
import { putMount, putPolicy, tokenWith } from '../support/records.ts'
import { declaredRoutes, METHODS } from './routes.fixture.ts'

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster(options)
  onTestFinished(() => cluster.close())
  return cluster
}

/** A request whose target is exactly these characters, as it comes off the wire. */
async function raw(cluster: Cluster, target: string, token: string, method = 'GET') {
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  try {
    const { path: canonical, query } = parseTarget(target)
    const headers = { 'x-vault-token': token }
    const client = { address: '127.0.0.1', port: 1 }
    const { status, body } = await createApi(node)({
      method,
      path: canonical,
      query,
      headers,
      body: Buffer.from(''),
      client,
    })
    return { status, text: String(body) }
  } catch (error) {
    if (error instanceof BadRequest) return { status: 400, text: error.message }
    throw error
  }
}

describe('row 1 (CVE-2026-3605, GHSA-vrm6-9wfh-7r9p): a path is judged, routed and stored under one name', () => {
  const PIECES = [
    'secret',
    'x',
    '.',
    '..',
    '%2e',
    '%2e%2e',
    '%2E.',
    '.%2e',
    '%2f',
    '%2F',
    '//',
    '/',
    '\\',
    '%5c',
    '%00',
    '%c0%ae',
    '%c0%af',
    '%252e',
    '%252f',
    ';',
    '%20',
    '+',
    '*',
    '%2a',
    '%2b',
    'SECRET',
    'ſecret',
    '%EF%BC%8E',
    '%E2%80%AE',
    '?',
    '#',
    '%23',
    '%3f',
    '%',
    '%zz',
    '%u002e',
    '\u0000',
    '\t',
    ' ',
  ]

  async function guarded() {
    const cluster = await start()
    await putMount(cluster, { path: 'kv/', type: 'kv', options: { version: '1' } })
    await cluster.write('kv/secret/x', { canary: 'kanarienvogel' })
    await cluster.write('kv/open/x', { open: true })
    await putPolicy(
      cluster,
      'p',
      `
      path "kv/*" { capabilities = ["create", "read", "update", "delete", "list"] }
      path "kv/secret/*" { capabilities = ["deny"] }
      path "kv/secret" { capabilities = ["deny"] }`,
    )
    return { cluster, token: await tokenWith(cluster, ['p']) }
  }

  test('every spelling of a denied path is refused', async () => {
    const { cluster, token } = await guarded()
    expect((await raw(cluster, '/v1/kv/open/x', token)).status).toBe(200)
    const targets = new Set<string>()
    for (const a of ['', ...PIECES]) {
      for (const b of ['', ...PIECES]) {
        targets.add(`/v1/kv/${a}secret${b}/x`)
        targets.add(`/v1/kv/open/${a}${b}/secret/x`)
        targets.add(`/v1/kv/${a}/${b}/secret/x`)
        targets.add(`/v1/kv${a}${b}secret/x`)
        targets.add(`/v1/kv/secret${a}x${b}`)
        targets.add(`/${a}v1/kv/secret/${b}x`)
      }
    }
    for (const target of targets) {
      for (const method of ['GET', 'LIST']) {
        const { status, text } = await raw(cluster, target, token, method)
        expect([target, text.includes('kanarienvogel')]).toEqual([target, false])
        expect([target, status < 500]).toEqual([target, true])
      }
    }
    expect(cluster.failures).toEqual([])
  })

  test('whatever the target, what is read lies where the policy looked', async () => {
    const { cluster, token } = await guarded()
    const target = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 3 })), {
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(target, async (pieces) => {
        const { status, text } = await raw(cluster, `/v1/kv/${pieces.join('')}`, token)
        expect(text).not.toContain('kanarienvogel')
        expect(status).toBeLessThan(500)
      }),
      { numRuns: 500 },
    )
  })
})

test('row 4 (CVE-2026-89322): where a name has no case, an exact deny holds for every spelling of it', async () => {
  const cluster = await start()
  let swept = 0
  for (const { url, upperCaseUrl, operations } of await declaredRoutes(cluster)) {
    if (url === upperCaseUrl) continue
    await putPolicy(
      cluster,
      'p',
      `path "*" { capabilities = ["create", "read", "update", "delete", "list", "patch", "sudo"] }
      path "${url}" { capabilities = ["deny"] }
      path "${url}/" { capabilities = ["deny"] }`,
    )
    const token = await tokenWith(cluster, ['p'])
    for (const [operation, { unauthenticated }] of operations) {
      // No policy is asked who may log in.
      if (unauthenticated) continue
      for (const one of [url, upperCaseUrl]) {
        swept++
        const { status } = await cluster.request(METHODS[operation], one, { token, body: {} })
        expect([operation, one, status]).toEqual([operation, one, 403])
      }
    }
  }
  expect(swept).toBeGreaterThan(50)
})

test('row 5 (CVE-2026-93335): names of kv have case: another case is another secret, and a deny of one is not passed by it', async () => {
  const cluster = await start()
  await putMount(cluster, { path: 'kv/', type: 'kv', options: { version: '1' } })
  await cluster.write('kv/a/example', { from: 'lower' })
  await cluster.write('kv/a/EXAMPLE', { from: 'upper' })
  await putPolicy(
    cluster,
    'p',
    'path "kv/a/*" { capabilities = ["read"] }\npath "kv/a/example" { capabilities = ["deny"] }',
  )
  const token = await tokenWith(cluster, ['p'])
  expect((await cluster.read('kv/a/example', { token })).status).toBe(403)
  expect((await cluster.read('kv/a/EXAMPLE', { token })).data).toEqual({ from: 'upper' })
})

const ROOTS = ['root', 'ROOT', 'Root', 'rOoT', ' root', 'root ', '\troot', 'root\n', ' ROOT ']
const STRANGE = [
  '../root',
  'a/../root',
  './root',
  'a\nroot',
  'root\u0000',
  'ｒoot',
  'r\u200boot',
  'root\u0301',
  '/root',
  'root/',
  'a//root',
  'ro*t',
  '*',
  'root,x\n',
  '"root"',
  'r\u{1d5c8}ot',
  'rооt',
]
/** Every endpoint that takes names of policies: a body, and how a token comes of it. */
const POLICY_ENDPOINTS = {
  'auth/token/create': (cluster: Cluster, policies: string[], token: string) =>
    cluster.write('auth/token/create', { policies, no_default_policy: true }, { token }),
  'auth/token/roles': async (cluster: Cluster, policies: string[], token: string) => {
    const role = await cluster.write(
      'auth/token/roles/r',
      { allowed_policies: policies },
      { token },
    )
    if (role.status >= 300) return role
    return cluster.write('auth/token/create/r', { policies }, { token })
  },
  'auth/approle/role': (cluster: Cluster, policies: string[], token: string) =>
    approleLogin(cluster, { token_policies: policies }, token),
  'auth/approle/role, old name': (cluster: Cluster, policies: string[], token: string) =>
    approleLogin(cluster, { policies }, token),
  'auth/approle/role/policies': async (cluster: Cluster, policies: string[], token: string) => {
    await cluster.write('auth/approle/role/r', { bind_secret_id: true }, { token })
    const written = await cluster.write(
      'auth/approle/role/r/policies',
      { token_policies: policies },
      { token },
    )
    return written.status >= 300 ? written : approleLogin(cluster, {}, token)
  },
} as const

async function approleLogin(cluster: Cluster, settings: object, token: string) {
  const role = await cluster.write('auth/approle/role/r', settings, { token })
  if (role.status >= 300) return role
  const { data } = await cluster.read('auth/approle/role/r/role-id')
  const made = await cluster.write('auth/approle/role/r/secret-id')
  return cluster.write(
    'auth/approle/login',
    { role_id: data['role_id'], secret_id: made.data['secret_id'] },
    { token: null },
  )
}

describe.each(Object.entries(POLICY_ENDPOINTS))('%s', (_name, ask) => {
  async function asAdministrator() {
    const cluster = await start()
    await putMount(cluster, { path: 'auth/approle/', type: 'approle', kind: 'auth' })
    await putPolicy(
      cluster,
      'admin',
      'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }',
    )
    return { cluster, token: await tokenWith(cluster, ['admin']) }
  }

  test('rows 9, 10 (CVE-2025-5999, CVE-2025-64761): nobody but root gives root, however it is written', async () => {
    const { cluster, token } = await asAdministrator()
    for (const name of ROOTS) {
      for (const policies of [[name], ['a', name]]) {
        const { status, auth } = await ask(cluster, policies, token)
        expect([policies, status, auth]).toEqual([policies, 400, {}])
      }
    }
  })

  test('row 7 (CVE-2026-105820, CVE-2026-115365): a name that is no policy’s is refused where it is given', async () => {
    const { cluster, token } = await asAdministrator()
    for (const name of STRANGE) {
      const { status, auth } = await ask(cluster, [name], token)
      expect([name, status, auth]).toEqual([name, 400, {}])
    }
  })
})

test('row 7: a kept set of policies is found by its namespace and names, not by a text that others could make', async () => {
  const cluster = await start()
  await putPolicy(cluster, 'b', 'path "auth/token/lookup-self" { capabilities = ["read"] }')
  const both = await tokenWith(cluster, ['a', 'b'])
  expect((await cluster.read('auth/token/lookup-self', { token: both, node: 0 })).status).toBe(200)
  for (const name of ['a.b', 'a:b', 'a/b', 'a+b', 'a@b']) {
    const token = await tokenWith(cluster, [name])
    expect((await cluster.read('auth/token/lookup-self', { token, node: 0 })).status).toBe(403)
  }
})

test.each([
  [{ policies: ['Super-Admin'] }],
  [{ policies: ['a', 'SUPER-ADMIN'] }],
  [{ policies: 'super-admin' }],
  [{ policies: ' Super-Admin ' }],
  [{ policies: ['super-admin'] }],
])('row 8 (Vault 2.0.4): denied_parameters on policies hold for %j', async (body) => {
  const cluster = await start()
  await putPolicy(
    cluster,
    'maker',
    `path "auth/token/create" { capabilities = ["update", "sudo"]
    denied_parameters = { "policies" = ["super-admin"] } }`,
  )
  const token = await tokenWith(cluster, ['maker'])
  expect((await cluster.write('auth/token/create', body, { token })).status).toBe(403)
  expect(
    (await cluster.write('auth/token/create', { policies: ['other'] }, { token })).status,
  ).toBe(200)
})

test('row 26 (CVE-2023-24999): an accessor works at its own role only', async () => {
  const cluster = await start()
  await putMount(cluster, { path: 'auth/approle/', type: 'approle', kind: 'auth' })
  for (const role of ['a', 'b'])
    await cluster.write(`auth/approle/role/${role}`, { token_policies: ['p'] })
  const { data } = await cluster.write('auth/approle/role/a/secret-id')
  const accessor = { secret_id_accessor: data['secret_id_accessor'] }
  const secret = { secret_id: data['secret_id'] }
  expect(
    (await cluster.write('auth/approle/role/b/secret-id-accessor/lookup', accessor)).status,
  ).toBe(404)
  expect(
    (await cluster.write('auth/approle/role/b/secret-id-accessor/destroy', accessor)).status,
  ).toBe(400)
  await cluster.write('auth/approle/role/b/secret-id/destroy', secret)
  const id = await cluster.read('auth/approle/role/a/role-id')
  const login = await cluster.write(
    'auth/approle/login',
    { role_id: id.data['role_id'], ...secret },
    { token: null },
  )
  expect(login.status).toBe(200)
  const other = await cluster.read('auth/approle/role/b/role-id')
  const wrong = await cluster.write(
    'auth/approle/login',
    { role_id: other.data['role_id'], ...secret },
    { token: null },
  )
  expect(wrong.status).toBe(400)
})

test('row 40 (CVE-2026-4525): no spelling of a token’s header reaches a plugin', async () => {
  const echo: PluginType = {
    type: 'echo',
    kind: 'secret',
    help: 'For tests.',
    create: () => ({
      paths: [
        path('headers', {
          summary: 'What was passed',
          operations: {
            read: ({ headers, clientToken }) => ({
              data: { ...Object.fromEntries(headers), clientToken },
            }),
          },
        }),
      ],
    }),
  }
  const cluster = await start({ plugins: [echo] })
  await putMount(cluster, {
    path: 'echo/',
    type: 'echo',
    config: {
      passthroughRequestHeaders: ['Authorization', 'X-Vault-Token', 'X-Vault-Wrap-TTL', 'X-Custom'],
    },
  })
  const token = cluster.rootToken
  for (const authorization of [
    `Bearer ${token}`,
    `bearer ${token}`,
    `BEARER ${token}`,
    `  Bearer  ${token}`,
    `Bearer\t${token}`,
  ]) {
    const answer = await cluster.read('echo/headers', {
      headers: { authorization, 'x-custom': 'c' },
    })
    expect(answer.data).toEqual({ 'x-custom': 'c', clientToken: '' })
  }
  const basic = await cluster.read('echo/headers', { headers: { authorization: 'Basic abc' } })
  expect(basic.data).toEqual({ authorization: 'Basic abc', clientToken: '' })
})

test('row 11 (CVE-2024-9180): a handler that fails leaves what is cached as it was, whatever it tried', async () => {
  const tallies = kind('row-11', z.object({ policies: z.array(z.string()) }))
  const changing: PluginType = {
    type: 'changing',
    kind: 'secret',
    help: 'For tests.',
    create: () => ({
      paths: [
        path('record', {
          summary: 'A record that its handler changes in place, and then fails',
          operations: {
            read: async ({ storage }) => ({ data: { ...(await storage.get(tallies, 'one')) } }),
            update: async ({ storage }) => {
              const found = await storage.get(tallies, 'one')
              if (found === undefined) return storage.put(tallies, 'one', { policies: ['few'] })
              Reflect.set(found, 'policies', ['root'])
              Reflect.set(found.policies, 0, 'root')
              throw new BadRequest('refused')
            },
          },
        }),
      ],
    }),
  }
  const cluster = await startCluster({ plugins: [changing] })
  onTestFinished(() => cluster.close())
  await putMount(cluster, { path: 'changing/', type: 'changing' })
  await cluster.write('changing/record')
  for (const node of [0, 1]) {
    await cluster.read('changing/record', { node })
    expect((await cluster.write('changing/record', {}, { node })).status).toBe(400)
    expect((await cluster.read('changing/record', { node })).data).toEqual({ policies: ['few'] })
  }
})

test('CVE-2026-24398, CVE-2026-47674: a token of some networks is good there only, however an address is spelled', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('auth/token/roles/bound', { token_bound_cidrs: ['10.1.0.0/16', 'fd00::/8'] })
  const made = await cluster.write('auth/token/create/bound', { policies: ['default'] })
  const token = String(made.auth['client_token'])
  const from = async (address: string) =>
    (await cluster.read('auth/token/lookup-self', { token, address })).status
  for (const inside of [
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '::ffff:a01:203',
    '::FFFF:0a01:0203',
    'fd00::1',
    'FD12:0:0::1',
    'fd00::1%eth0',
  ]) {
    expect([inside, await from(inside)]).toEqual([inside, 200])
  }
  for (const outside of [
    '10.2.0.1',
    '::ffff:10.2.0.1',
    '::10.1.2.3',
    '64:ff9b::10.1.2.3',
    '2002:a01:203::1',
    '010.1.2.3',
    '10.1.2',
    '0x0a.1.2.3',
    '167838211',
    '10.1.2.3.4',
    '10.1.2.3:80',
    '[fd00::1]',
    'fe80::1',
    '::1',
    '127.0.0.1',
    '',
    ' 10.1.2.3',
    '10.1.2.3\u0000',
  ]) {
    expect([outside, await from(outside)]).toEqual([outside, 403])
  }
})

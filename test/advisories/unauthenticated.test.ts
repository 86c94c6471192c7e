/** What nobody without a token, or without the right, may reach: swept over every path that is declared. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../support/kit.ts'
import { putPolicy, tokenWith } from '../support/records.ts'
import { declaredRoutes, METHODS, type Declared } from './routes.fixture.ts'

/** Paths that take no token, each with its reason; a new one has to be put here by hand. */
const OPEN: Readonly<Record<string, string>> = {
  'auth/sweep-approle/login': 'logs in',
  'auth/sweep-userpass/login/sample': 'logs in',
  'sys/wrapping/lookup': 'the wrapping token is the credential',
  'sys/decode-token': 'computes with what was sent, and nothing else',
  'sys/wrapping/pubkey': 'answers that it is not served',
  'sys/internal/specs/openapi': 'shows what the caller may see',
  'sys/internal/ui/mounts': 'shows mounts that are listed for all, else what the caller may see',
  'sys/internal/ui/mounts/sample': 'looks at the caller’s rights itself',
  'sys/replication/status': 'answers that there is none',
  'sys/internal/ui/namespaces': 'looks at the caller’s rights itself',
  'identity/oidc/.well-known/openid-configuration': 'says where to find what verifies tokens',
  'identity/oidc/.well-known/keys': 'public keys, for who verifies tokens',
}

let cluster: Cluster
let routes: Declared[]
beforeAll(async () => {
  cluster = await startCluster()
  routes = await declaredRoutes(cluster)
})
afterAll(() => cluster.close())

function* requests() {
  for (const { url, operations } of routes) {
    for (const [operation, facts] of operations)
      yield { url, facts, operation, method: METHODS[operation] }
  }
}

test('there are routes to sweep', () => {
  expect(routes.length).toBeGreaterThan(50)
})

test('rows 25, 68 (CVE-2023-0665, CVE-2022-36129): no path works without a token but those that are known to', async () => {
  const open = [...requests()].filter(({ facts }) => facts.unauthenticated).map(({ url }) => url)
  expect(open.filter((url) => !Object.hasOwn(OPEN, url))).toEqual([])
  for (const { url, facts, method } of requests()) {
    if (facts.unauthenticated) continue
    for (const token of [null, '', 'bogus', 'hvs.bogus', 'hvb.bogus', 'hvs.bogus.bogus']) {
      const { status, errors } = await cluster.request(method, url, { token, body: {} })
      const expected = facts.takesWrappingToken ? [400, 403] : [403]
      expect([method, url, expected.includes(status)]).toEqual([method, url, true])
      if (!facts.takesWrappingToken) expect(errors).toEqual(['permission denied'])
    }
  }
})

test('row 75 (CVE-2020-25594): without a token what is mounted and what is not look the same', async () => {
  const texts = new Set<string>()
  for (const path of [
    'nowhere/x',
    'sweep-kv1/x',
    'sweep-kv2/data/x',
    'sweep-kv2/nonsense',
    'sys/nowhere',
    'auth/none/x',
    'cubbyhole/x',
    'auth/sweep-approle/role/x',
  ]) {
    for (const method of ['GET', 'LIST', 'POST', 'DELETE', 'PATCH']) {
      for (const token of [null, 'bogus']) {
        const { status, text, headers } = await cluster.request(method, path, { token, body: {} })
        texts.add(JSON.stringify([status, text, headers]))
      }
    }
  }
  expect(texts.size).toBe(1)
  expect([...texts][0]).toContain('permission denied')
})

test('row 25: with a token that has no rights every path is refused, and no handler runs', async () => {
  await putPolicy(cluster, 'nothing', '')
  const token = await tokenWith(cluster, ['nothing'])
  for (const { url, facts, method } of requests()) {
    if (facts.unauthenticated || facts.takesWrappingToken) continue
    const { status } = await cluster.request(method, url, { token, body: {} })
    // A path that tells create from update looks at its fields first, as in Vault.
    expect([method, url, [403, 400].includes(status)]).toEqual([method, url, true])
  }
})

test('row 25: a path that asks for sudo is refused without, whatever else is granted', async () => {
  await putPolicy(
    cluster,
    'most',
    'path "*" { capabilities = ["create", "read", "update", "delete", "list", "patch", "scan"] }',
  )
  const token = await tokenWith(cluster, ['most'])
  let asked = 0
  for (const { url, facts, method } of requests()) {
    if (!facts.sudo) continue
    asked++
    const { status } = await cluster.request(method, url, { token, body: {} })
    expect([method, url, status]).toEqual([method, url, 403])
  }
  expect(asked).toBeGreaterThan(5)
})

/** A key pair that is made when its public half is first asked for, as clients expect; nothing that was there changes. */
const MADE_AT_FIRST_USE: ReadonlySet<string> = new Set(['sweep-transit/wrapping_key'])

test('row 24 (CVE-2021-42135): no GET or LIST changes anything, but for what opens a wrapping token', async () => {
  const writes: string[] = []
  const { storage } = cluster
  const commit = storage.commit.bind(storage)
  storage.commit = async (change) => {
    writes.push(...change.put.keys(), ...change.delete)
    return commit(change)
  }
  for (const { url, operation, method, facts } of requests()) {
    if (!['read', 'list', 'scan', 'header'].includes(operation) || facts.takesWrappingToken)
      continue
    if (MADE_AT_FIRST_USE.has(url)) continue
    writes.length = 0
    for (const query of ['', '?role_id=x&secret_id=y&token=z&name=a&force=true']) {
      await cluster.request(method, url + query)
    }
    expect([method, url, writes]).toEqual([method, url, []])
  }
  storage.commit = commit
})

test('row 28 (GHSA-rh46-vc3j-w2w3): what a request does is one of a closed set, whatever its verb or fields say', async () => {
  for (const method of [
    'ROLLBACK',
    'REVOKE',
    'RENEW',
    'CREATE',
    'UPDATE',
    'RESOLVE-ROLE',
    'ALIAS-LOOKAHEAD',
    'TRACE',
    'CONNECT',
    'get',
    'list',
    '',
    '__proto__',
    'constructor',
  ]) {
    const { status } = await cluster.request(method, 'auth/token/lookup-self', { body: {} })
    expect([method, status]).toEqual([method, 405])
  }
  for (const operation of ['rollback', 'revoke', 'alias-lookahead', 'sudo', 'root']) {
    const body = { operation, type: operation, mount_type: operation, internal: true }
    const made = await cluster.write('auth/token/lookup-self', body, {
      headers: { 'x-operation': operation },
    })
    expect(made.status).toBe(200)
    expect(made.auth).toEqual({})
  }
})

test('row 66 (CVE-2023-3774): the sweep met no fault of the server', async () => {
  for (const { url, method } of requests()) {
    for (const body of [{}, { '': '' }, { name: null, path: [], data: 5 }]) {
      if (url === 'sys/seal' || url === 'auth/token/revoke-self') continue
      const { status } = await cluster.request(method, url, { body })
      expect([method, url, status < 500]).toEqual([method, url, true])
    }
  }
  expect(cluster.failures).toEqual([])
})

test('row 57 (CVE-2026-5807): nobody without a token starts or stops a ceremony for root tokens or keys', async () => {
  for (const path of [
    'sys/generate-root/attempt',
    'sys/generate-root/update',
    'sys/rekey/init',
    'sys/rotate',
    'sys/generate-recovery-token/attempt',
  ]) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const { status } = await cluster.request(method, path, { token: null, body: {} })
      expect([method, path, status]).toEqual([method, path, 403])
    }
  }
})

/** Secrets in the wrong place: in an error, in the server's own log, in the audit log. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Json } from '../../core/json.ts'
import { path } from '../../core/plugin/path.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { startCluster } from '../support/kit.ts'
import { putMount } from '../support/records.ts'
import { declaredRoutes, METHODS } from './routes.fixture.ts'

const CANARY = 'kanarienvogel'

/** Answers that hold secrets in every form that a handler can give them. */
const answering: PluginType = {
  type: 'answering',
  kind: 'secret',
  help: 'For tests.',
  create: () => ({
    paths: [
      path('data', {
        summary: 'Secrets of all kinds',
        takesAnyField: true,
        operations: {
          read: () => ({ data: secrets() }),
          update: () => ({ data: secrets(), warnings: [] }),
        },
      }),
      path('raw', {
        summary: 'A body without an envelope',
        operations: {
          read: () => ({ raw: { contentType: 'text/plain', body: `text ${CANARY}` } }),
          update: () => ({
            raw: { contentType: 'application/octet-stream', body: Buffer.from(CANARY) },
          }),
        },
      }),
      path('bare', {
        summary: 'JSON without an envelope',
        operations: { read: () => ({ bare: { a: { b: [CANARY] } } }) },
      }),
    ],
  }),
}

function secrets() {
  return {
    text: CANARY,
    list: [CANARY, [CANARY, { deep: CANARY }]],
    object: { a: { b: { c: CANARY } } },
    buffer: Buffer.from(CANARY),
    bytes: new Uint8Array(Buffer.from(CANARY)),
    json: JSON.parse(`{"a":"${CANARY}"}`) as unknown,
  }
}

/** A cluster with an audit file that hashes; `withRaw`: and one that does not, which may be the first to have an entry. */
async function audited({ withRaw = false } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'keyhold-audit-'))
  const cluster = await startCluster({ auditDirectory: directory, plugins: [answering] })
  onTestFinished(async () => {
    await cluster.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const hashed = join(directory, 'hashed.log')
  const raw = join(directory, 'raw.log')
  const enable = (name: string, options: object) =>
    cluster.write(`sys/audit/${name}`, { type: 'file', options })
  if (withRaw) expect((await enable('raw', { file_path: raw, log_raw: 'true' })).status).toBe(204)
  expect((await enable('hashed', { file_path: hashed })).status).toBe(204)
  await putMount(cluster, { path: 'answering/', type: 'answering' })
  return {
    cluster,
    hashed: () => readFileSync(hashed, 'utf8'),
    raw: () => readFileSync(raw, 'utf8'),
  }
}

describe('what an answer holds', () => {
  test.each([
    ['row 82 (CVE-2025-62705): in texts, lists, objects and bytes', 'GET', 'answering/data'],
    ['row 82: after a write', 'POST', 'answering/data'],
    ['row 83 (CVE-2025-62513): in a body without an envelope', 'GET', 'answering/raw'],
    ['row 83: in bytes without an envelope', 'POST', 'answering/raw'],
    ['row 83: in JSON without an envelope', 'GET', 'answering/bare'],
  ])('%s is hashed in the audit log', async (_what, method, url) => {
    const { cluster, hashed } = await audited()
    const answer = await cluster.request(method, url, { body: { a: CANARY, b: [[{ c: CANARY }]] } })
    expect(answer.status).toBe(200)
    const forms = [
      CANARY,
      Buffer.from(CANARY).toString('base64'),
      Buffer.from(CANARY).toString('hex'),
      [...Buffer.from(CANARY)].join(','),
    ]
    for (const form of forms) expect(hashed()).not.toContain(form)
    expect(hashed()).toContain('hmac-sha256:')
  })
})

test('row 84 (CVE-2024-8365): no token and no accessor lies in the audit log as it is, whatever header brought it', async () => {
  const { cluster, hashed } = await audited()
  const made = await cluster.write('auth/token/create', { policies: ['default'], ttl: '1h' })
  const token = String(made.auth['client_token'])
  const accessor = String(made.auth['accessor'])
  await cluster.read('auth/token/lookup-self', { token })
  await cluster.read('auth/token/lookup-self', {
    token: null,
    headers: { authorization: `Bearer ${token}` },
  })
  await cluster.write('auth/token/lookup-accessor', { accessor })
  await cluster.read('sys/mounts', { token })
  await cluster.read('auth/token/lookup-self', {
    token: 'hvs.bogus',
    headers: { authorization: `Bearer ${token}` },
  })
  for (const header of ['X-Vault-Token', 'Authorization', 'x-vault-wrap-ttl']) {
    await cluster.write(`sys/config/auditing/request-headers/${header}`, { hmac: true })
  }
  await cluster.read('auth/token/lookup-self', {
    token,
    headers: { authorization: `Bearer ${token}` },
  })
  await cluster.write('auth/token/revoke', { token })
  for (const secret of [token, accessor, cluster.rootToken, 'hvs.bogus'])
    expect(hashed()).not.toContain(secret)
})

test('row 85 (CVE-2024-0831): a raw device takes nothing from the hashes of another', async () => {
  const { cluster, hashed, raw } = await audited({ withRaw: true })
  for (let i = 0; i < 20; i++) {
    await Promise.all([
      cluster.write('answering/data', { a: `${CANARY}${i}` }),
      cluster.read('answering/data'),
    ])
  }
  const linesOf = (text: string) => text.trim().split('\n').length
  // Two lines a request, the line of the test and the answer to the enabling; the raw device saw the other enabled.
  await vi.waitFor(() => expect([linesOf(hashed()), linesOf(raw())]).toEqual([82, 84]))
  expect(hashed()).not.toContain(CANARY)
  expect(raw()).toContain(`${CANARY}7`)
})

/** Wrong in every way that a value can be. @param name what a member is called in texts that name one */
function wrong(canary: string, name = canary): readonly Json[] {
  const text = [canary, ` ${name}=${canary},${canary}`, `["${canary}"`, `{"a":"${canary}"}`]
  const deep = [
    [canary],
    [[canary]],
    [{ a: canary }],
    { a: canary },
    { a: { b: [canary] } },
    { a: [canary] },
  ]
  return [...text, ...deep]
}
/** Texts that an error repeats as clients of Vault know it: they are names, no secrets. */
const NAMES = /policies|^secret_id_accessor$|^plugin_name$|^path$|^type$|^name$|^to$|^from$/
/** What the audit log shows as it is: who somebody is, as Vault does, and contexts of encryption, as AWS KMS does. */
const SHOWN = /policies|^meta$|^metadata$|^encryption_context$|^paths?$/
/** Where it shows what members are called, and not what they hold. */
const NAMES_SHOWN = /^tags$/
const SHOWN_CANARY = 'paradiesvogel'

test('rows 82, 88, 89 (CVE-2025-4166, CVE-2025-11065): no field of any path is repeated in an error, in the log, or in the audit log', async () => {
  const { cluster, hashed } = await audited()
  let sent = 0
  const repeated = new Set<string>()
  const faults: unknown[] = []
  for (const { url, path: declared, inUrl, operations } of await declaredRoutes(cluster)) {
    if (url === 'sys/seal' || url === 'auth/token/revoke-self') continue
    const names = Object.keys(declared.fields).filter((name) => !inUrl.has(name))
    const methods = new Set([...operations.keys()].map((operation) => METHODS[operation]))
    for (const method of ['POST', 'PATCH'].filter((one) => methods.has(one))) {
      for (const name of [...names, 'unknown', 'data', 'options']) {
        const canary = SHOWN.test(name) ? SHOWN_CANARY : CANARY
        for (const value of wrong(canary, NAMES_SHOWN.test(name) ? SHOWN_CANARY : canary)) {
          if (NAMES.test(name) && typeof value === 'string') continue
          sent++
          const { status, text } = await cluster.request(method, url, { body: { [name]: value } })
          if (status >= 400 && text.includes(canary)) repeated.add(`${method} ${url} ${name}`)
          if (status >= 500) faults.push([method, url, name, value])
        }
      }
    }
  }
  expect(sent).toBeGreaterThan(1000)
  expect([...repeated]).toEqual([])
  expect(faults).toEqual([])
  expect(inspect(cluster.failures, { depth: 10 })).not.toContain(CANARY)
  expect(
    hashed()
      .split('\n')
      .filter((line) => line.includes(CANARY)),
  ).toEqual([])
})

describe('row 88: a body that is no JSON is repeated nowhere', () => {
  test.each([
    `{"a":"${CANARY}"`,
    `{"a":${CANARY}}`,
    `${CANARY}`,
    `"${CANARY}"`,
    `["${CANARY}"]`,
    `{"a":"${CANARY}"}{"b":1}`,
    `{"a":"${CANARY}\u0001"}`,
    `{"${CANARY}":}`,
    `a=${CANARY}&b`,
  ])('%j', async (text) => {
    const { cluster, hashed } = await audited()
    for (const url of [
      'auth/token/create',
      'auth/approle/login',
      'sys/unseal',
      'sys/init',
      'cubbyhole/x',
    ]) {
      for (const method of ['POST', 'PATCH', 'PUT']) {
        const answer = await cluster.request(method, url, { text })
        expect([url, answer.status >= 400 && answer.status < 500]).toEqual([url, true])
        expect(answer.text).not.toContain(CANARY)
      }
    }
    expect(inspect(cluster.failures, { depth: 10 })).not.toContain(CANARY)
    expect(hashed()).not.toContain(CANARY)
  })
})

test.each([
  ['sys/unseal', { key: CANARY, reset: CANARY }],
  ['sys/unseal', { key: { a: CANARY } }],
  ['sys/unseal', { key: CANARY }],
  ['sys/init', { secret_shares: CANARY }],
  ['sys/init', { pgp_keys: [{ a: CANARY }] }],
])('row 88: %s repeats nothing of %j', async (url, body) => {
  const { cluster } = await audited()
  cluster.nodes[0]?.close()
  const answer = await cluster.write(url, body, { token: null, node: 0 })
  expect(answer.status).toBe(400)
  expect(answer.text).not.toContain(CANARY)
})

test('row 88: headers and queries that are wrong are not repeated', async () => {
  const { cluster, hashed } = await audited()
  const answers: { status: number; text: string }[] = []
  for (const name of [
    'x-vault-wrap-ttl',
    'x-vault-namespace',
    'authorization',
    'x-vault-token',
    'content-type',
    'x-vault-wrap-format',
  ]) {
    answers.push(
      await cluster.write('auth/token/create', { ttl: 'x' }, { headers: { [name]: CANARY } }),
    )
  }
  for (const query of ['list', 'help', 'scan', 'version', 'limit']) {
    answers.push(await cluster.read(`auth/token/accessors?${query}=${CANARY}`))
    answers.push(await cluster.list(`auth/token/accessors?${query}=${CANARY}`))
  }
  for (const { status, text } of answers) {
    if (status >= 400) expect(text).not.toContain(CANARY)
    expect(status).toBeLessThan(500)
  }
  expect(hashed()).not.toContain(CANARY)
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, describe, expect, onTestFinished, test } from 'vitest'
import { parsePolicy } from '../../core/policy/parse.ts'
import { ROOT_NAMESPACE } from '../../core/policy/policy.ts'
import { serveCluster, type ServedCluster } from './on-server.fixture.ts'
import { neededCapability, policyText, propose } from './policy-proposal.ts'

const WIDE = `
path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "scan", "sudo"] }
path "secret/data/forbidden" { capabilities = ["deny"] }`

/** What an application does: method, path, body; and how the policies call it. */
const DONE = [
  ['POST', 'secret/data/app', { data: { a: '1' } }, 'create', 'secret/data/app'],
  ['POST', 'secret/data/app', { data: { a: '2' } }, 'update', 'secret/data/app'],
  ['GET', 'secret/data/app', undefined, 'read', 'secret/data/app'],
  ['PATCH', 'secret/data/app', { data: { b: '1' } }, 'patch', 'secret/data/app'],
  ['GET', 'secret/data/none', undefined, 'read', 'secret/data/none'],
  ['LIST', 'secret/metadata/', undefined, 'list', 'secret/metadata/'],
  ['DELETE', 'secret/metadata/app', undefined, 'delete', 'secret/metadata/app'],
  ['GET', 'sys/audit', undefined, 'read', 'sys/audit'],
  ['GET', 'auth/token/lookup-self', undefined, 'read', 'auth/token/lookup-self'],
] as const

async function start(options: Record<string, string> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'from-audit-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const served = await serveCluster({ nodes: 1, auditDirectory: directory })
  const { cluster } = served
  const file = join(directory, 'audit.log')
  await cluster.write('sys/audit/log', { type: 'file', options: { file_path: file, ...options } })
  await cluster.write('sys/mounts/secret', { type: 'kv', options: { version: '2' } })
  return { ...served, file, ...(await doAll(served)) }
}

/** An application at work, and somebody else at the same time. */
async function doAll({ cluster }: ServedCluster) {
  await cluster.write('sys/policies/acl/wide', { policy: WIDE })
  const { auth } = await cluster.write('auth/token/create', {
    policies: ['wide'],
    no_default_policy: true,
    display_name: 'app',
  })
  const token = String(auth['client_token'])
  for (const [method, path, body] of DONE) {
    const { status } = await cluster.request(method, path, { token, body })
    expect([path, status < 400 || status === 404]).toEqual([path, true])
    await cluster.read('sys/mounts')
  }
  expect((await cluster.read('secret/data/forbidden', { token })).status).toBe(403)
  await cluster.read('sys/seal-status', { token })
  return { accessor: String(auth['accessor']) }
}

const OPERATIONS = ['create', 'read', 'update', 'patch', 'delete', 'list', 'scan'] as const

/** Every operation on every path of the log, and on others near them, that a token with the policy may do. */
async function allowedBy({ cluster }: ServedCluster, policy: string): Promise<readonly string[]> {
  await cluster.write('sys/policies/acl/least', { policy })
  const { auth } = await cluster.write('auth/token/create', {
    policies: ['least'],
    no_default_policy: true,
  })
  const paths = new Set(DONE.flatMap(([, , , , path]) => [path, path.replace(/\/?$/, '/x')]))
  const allowed: string[] = []
  for (const path of [...paths, 'secret/data', 'secret/data/forbidden', 'sys/mounts', 'sys/seal']) {
    for (const operation of OPERATIONS) {
      const body = { token: auth['client_token'], operation, path }
      const { data } = await cluster.write('sys/policies/explain', body)
      if (data['allowed'] === true)
        allowed.push(`${String(data['operation'])} ${String(data['path'])}`)
    }
  }
  return [...new Set(allowed)].toSorted()
}

const done = DONE.map(([, , , operation, path]) => `${operation} ${path}`).toSorted()

describe('the proposed policy', () => {
  test('allows exactly what the token did, by its accessor, which the server hashes', async () => {
    const served = await start()
    const { accessor, file, run } = served
    expect(readFileSync(file, 'utf8')).not.toContain(accessor)
    const { exitCode, out, err } = await run(
      `policy from-audit -token-accessor=${accessor} -device=log ${file}`,
    )
    expect([exitCode, err]).toEqual([
      0,
      'Left out: 1 requests that were refused (-with-refused allows them).\n',
    ])
    expect(out).toContain('# The least policy for 9 requests from ')
    expect(out).toContain('path "sys/audit" {\n  capabilities = ["read", "sudo"]\n}\n')
    expect(await allowedBy(served, out)).toEqual(done)
  })

  test('is found by display name without any server, and says the same by the hash of the log', async () => {
    const { cluster, accessor, file, run } = await start()
    const offline = { env: { VAULT_ADDR: 'http://127.0.0.1:1' } }
    const byName = await run(`policy from-audit -display-name=token-app ${file}`, offline)
    expect(byName.exitCode).toBe(0)
    const { data } = await cluster.write('sys/audit-hash/log', { input: accessor })
    const byHash = await run(
      `policy from-audit -token-accessor=${String(data['hash'])} ${file}`,
      offline,
    )
    expect(byHash.out).toBe(byName.out)
    const piped = await run('policy from-audit -policy=wide -', {
      ...offline,
      input: readFileSync(file, 'utf8'),
    })
    expect(piped.out).toBe(byName.out)
  })

  test('allows what was refused too, where that is asked for', async () => {
    const { file, run } = await start()
    const { out } = await run(`policy from-audit -with-refused -policy=wide ${file}`)
    expect(out).toContain('path "secret/data/forbidden" {\n  capabilities = ["read"]\n}\n')
  })

  test('is of lines with a prefix as well, and passes over what is no entry', async () => {
    const { file, run } = await start()
    const lines = readFileSync(file, 'utf8').split('\n')
    const input = ['no entry', ...lines.map((line) => line && `@cee: ${line}`)].join('\n')
    const { out, err } = await run('policy from-audit -policy=wide -', { input })
    expect(out).toContain('for 9 requests')
    expect(err).toContain('Left out: 1 lines that are no audit entries.')
  })

  test('is of the namespace of -namespace and those below, from where its paths are seen', async () => {
    const { run } = await serveCluster({ nodes: 1 })
    const line = (namespace: string, path: string, granting: string) =>
      JSON.stringify({
        time: '2026-01-01T00:00:00Z',
        auth: {
          display_name: 'x',
          policy_results: { allowed: true, granting_policies: [{ name: granting }] },
        },
        request: { id: path, operation: 'read', path, namespace: { id: 'n', path: namespace } },
      })
    const input = [
      line('', 'kv/a', 'p'),
      line('team/', 'kv/b', 'p'),
      line('team/deep/', 'sys/audit', 'p'),
      line('team/', 'kv/c', 'default'),
    ].join('\n')
    const { out, err } = await run(
      'policy from-audit -namespace=team -without-default -display-name=x -',
      { input },
    )
    expect(out.replace(/^.*\n\n/, '')).toBe(`path "deep/sys/audit" {
  capabilities = ["read", "sudo"]
}

path "kv/b" {
  capabilities = ["read"]
}
`)
    expect(err).toBe('Left out: requests in namespaces that -namespace does not hold.\n')
  })

  test('is of a file whose lines are chained as well', async () => {
    const { cluster, file, run } = await start({ chain: 'true' })
    const body = { display_name: 'odd', policies: ['wide'] }
    const { auth } = await cluster.write('auth/token/create', body)
    await cluster.read('secret/data/app', { token: String(auth['client_token']) })
    await cluster.remove('sys/audit/log')
    expect(readFileSync(file, 'utf8')).toContain('"type":"checkpoint"')
    const { out, err } = await run(`policy from-audit -display-name=token-odd ${file}`)
    expect([err, out.split('\n').slice(2)]).toEqual([
      '',
      ['path "secret/data/app" {', '  capabilities = ["read"]', '}', ''],
    ])
  })

  test('begins where -since says', async () => {
    const { file, run } = await start()
    const later = await run(`policy from-audit -policy=wide -since=2999-01-01T00:00:00Z ${file}`)
    expect(later).toMatchObject({ exitCode: 1, out: '' })
    const whole = await run(`policy from-audit -policy=wide -since=1970-01-01T00:00:00Z ${file}`)
    expect(whole.exitCode).toBe(0)
  })
})

describe('is refused', () => {
  test.each([
    ['x.log', 'Say whose requests: -token-accessor, -display-name or -policy\n'],
    [
      '-policy=a /nonexistent',
      'Error opening audit log: open /nonexistent: no such file or directory\n',
    ],
    [`-policy=a ${tmpdir()}`, `Error opening audit log: open ${tmpdir()}: is a directory\n`],
    ['-policy=a -group=1 -', '-group must be at least 2\n'],
    [
      '-policy=a -since=x -',
      '-since must be a time such as 2030-01-31T12:00:00Z, or a span such as 24h\n',
    ],
    ['-policy=a -', 'Nothing in the log is by whom you ask for, and needs a policy.\n'],
  ])('%s', async (words, text) => {
    const { run } = await serveCluster({ nodes: 1 })
    expect(await run(`policy from-audit ${words}`)).toMatchObject({
      exitCode: 1,
      out: '',
      err: text,
    })
  })
})

describe('rules', () => {
  const wanted = (...lines: readonly string[]) =>
    lines.map((line) => {
      const [operation = '', path = ''] = line.split(' ')
      const capability = neededCapability(operation)
      assert(capability !== undefined, operation)
      return { capability, path, needsSudo: path.startsWith('sys/') }
    })

  test('of siblings are one where that is asked for, if they grant the same and need no sudo', () => {
    const requests = wanted(
      'read kv/a',
      'read kv/b',
      'list kv/a/',
      'list kv/b/',
      'read kv/c',
      'update kv/c',
      'read sys/a',
      'read sys/b',
      'read alone',
      'read other',
    )
    const paths = (groupFrom: number | undefined) =>
      propose(requests, { groupFrom }).rules.map(({ path }) => path)
    expect(paths(2)).toEqual(['alone', 'kv/+', 'kv/+/', 'kv/c', 'other', 'sys/a', 'sys/b'])
    expect(paths(3)).toEqual(paths(undefined))
  })

  test('are for no path that a policy would read as several', () => {
    const { rules, unnamable } = propose(
      wanted('read a*', 'read a/+/b', 'read {{x}}', 'read a*b'),
      {
        groupFrom: undefined,
      },
    )
    expect(rules.map(({ path }) => path)).toEqual(['a*b'])
    expect(unnamable).toEqual(['a*', 'a/+/b', '{{x}}'])
  })

  test.each(['a"b', 'a\\b', 'a${b}', 'é ü', "a'b"])('name the path %s and no other', (path) => {
    const proposal = propose([{ capability: 'read', path, needsSudo: false }], {
      groupFrom: undefined,
    })
    const text = policyText(proposal, ['what\'s "this"'])
    const { rules } = parsePolicy(text, { name: 'x', namespace: ROOT_NAMESPACE })
    expect(rules.map((rule) => rule.path)).toEqual([path])
  })
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, describe, expect, onTestFinished, test } from 'vitest'
import { parseAuditLine } from './audit-log.ts'
import { serveCluster } from './on-server.fixture.ts'

const POLICY = `
path "secret/*" { capabilities = ["read"] }
path "secret/app/*" {
  capabilities = ["update"]
  denied_parameters = { ttl = [] }
}`

test('a refusal is told to a person: what it lacks, what decides, what fits less closely', async () => {
  const { cluster, run } = await serveCluster({ nodes: 1 })
  const token = await cluster.tokenWith(POLICY)
  const { exitCode, out } = await run(
    `policy explain -for-token=${token} update secret/app/a ttl=1h`,
  )
  expect(exitCode).toBe(0)
  expect(out).toBe(`Refused: update secret/app/a

What it lacks:
  * the parameter "ttl" must not be given (denied_parameters)

What decides:
  path "secret/app/*": update
    policy test-1, line 3, update

What fits too, but is less close:
  path "secret/*": read
    policy test-1, line 2, read

Policies looked at:
  default
  test-1
`)
})

test('the token comes from standard input too, and no text shows it', async () => {
  const { cluster, run } = await serveCluster({ nodes: 1 })
  const token = await cluster.tokenWith(POLICY)
  const ran = await run('policy explain -for-token=- read secret/a', { input: `${token}\n` })
  expect(ran.out).toMatch(/^Allowed: read secret\/a\n/)
  expect(JSON.stringify(ran)).not.toContain(token)
})

test('a script reads the verdict alone, or all of it as JSON', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  expect((await run('policy explain -field=allowed read any')).out).toBe('true')
  const { out } = await run('policy explain -format=json read any')
  expect(JSON.parse(out)).toMatchObject({ data: { allowed: true, by: 'root' } })
  expect((await run('policy explain read any')).out).toContain('  the policy root\n')
})

test('a mistake is said by the server or at once', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  expect(await run('policy explain -accessor=none read any')).toMatchObject({
    exitCode: 2,
    out: '',
  })
  expect((await run('policy explain eat any')).err).toContain('it must be one of create, read')
  expect(await run('policy explain -for-token=a -accessor=b read any')).toMatchObject({
    exitCode: 1,
    err: 'Cannot use -for-token with -accessor!\n',
  })
})

describe('a request that was made is explained from the log', () => {
  async function refusedRequest(options: Record<string, string>) {
    const directory = mkdtempSync(join(tmpdir(), 'policy-explain-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const served = await serveCluster({ nodes: 1, auditDirectory: directory })
    const { cluster } = served
    const file = join(directory, 'audit.log')
    await cluster.write('sys/audit/log', { type: 'file', options: { file_path: file, ...options } })
    const token = await cluster.tokenWith(POLICY)
    await cluster.read('secret/a', { token })
    await cluster.write('secret/app/a', { ttl: '1h' }, { token })
    const [last = ''] = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-1)
    const entry = parseAuditLine(last)
    assert(typeof entry === 'object', 'the last line tells of a request')
    return { ...served, token, file, id: entry.id }
  }

  test('by its id, where the log has accessors as they are', async () => {
    const { run, file, id } = await refusedRequest({ hmac_accessor: 'false' })
    const { exitCode, out, err } = await run(`policy explain -request=${id} -audit-file=${file}`)
    expect([exitCode, err]).toEqual([
      0,
      'The log has hashes for values: what rules say of values of parameters is not judged right.\n',
    ])
    expect(out).toMatch(/^Refused: update secret\/app\/a\n/)
    expect(out).toContain('* the parameter "ttl" must not be given (denied_parameters)')
  })

  test('by its id and its token, where the log has them hashed', async () => {
    const { run, file, id, token } = await refusedRequest({})
    const bare = await run(`policy explain -request=${id} -audit-file=${file}`)
    expect([bare.exitCode, bare.out]).toEqual([1, ''])
    expect(bare.err).toMatch(/name the token with -accessor or -for-token/)
    const named = await run(`policy explain -for-token=- -request=${id} -audit-file=${file}`, {
      input: token,
    })
    expect(named.out).toMatch(/^Refused: update secret\/app\/a\n/)
  })

  test('and a mistake is said', async () => {
    const { run, file, id } = await refusedRequest({})
    for (const [words, text] of [
      [`-request=none -audit-file=${file}`, 'No line of the log tells of that request'],
      [`-request=${id}`, '-request needs -audit-file'],
      [`-audit-file=${file} read a`, '-audit-file needs -request'],
      [`-request=${id} -audit-file=${file} read a`, 'Give either OPERATION and PATH, or -request'],
      [`-namespace=team -for-token=x -request=${id} -audit-file=${file}`, 'in namespace root'],
      ['read', 'Not enough arguments (expected 2, got 1)'],
    ] as const) {
      const ran = await run(`policy explain ${words}`)
      expect([ran.exitCode, ran.out]).toEqual([1, ''])
      expect(ran.err).toContain(text)
    }
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CATALOG } from './catalog.ts'
import { candidates, shellWords } from './complete.ts'
import { ARGUMENTS } from './complete-arguments.ts'
import { serveCluster } from './on-server.fixture.ts'

function complete(line: string, { word, env = {} }: { word?: string; env?: object } = {}) {
  return candidates(line, word, { env: { ...env }, home: '/nonexistent' })
}

describe('without a server', () => {
  test('commands are completed, and what lies below groups', async () => {
    expect(await complete('keyhold st')).toEqual(['status'])
    expect(await complete('keyhold kv metadata ')).toEqual(['delete', 'get', 'patch', 'put'])
    expect(await complete('keyhold kv nonsense ')).toEqual([])
    expect(await complete('keyhold ')).toContain('server')
  })

  test('flags are those of the command, and none that is hidden', async () => {
    expect(await complete('keyhold kv get -ver')).toEqual(['-version'])
    expect(await complete('keyhold kv get --ver')).toEqual(['--version'])
    expect(await complete('keyhold list -u')).toEqual([])
    expect(await complete('keyhold server -dev-t')).toEqual(['-dev-tls', '-dev-tls-cert-dir'])
  })

  test('values of flags are completed, behind a blank or an equals sign', async () => {
    expect(await complete('keyhold status -format ')).toEqual(['table', 'json', 'yaml', 'raw'])
    expect(await complete('keyhold status -format=j')).toEqual(['-format=json'])
    expect(await complete('keyhold monitor -log-level=w')).toEqual(['-log-level=warn'])
    expect(await complete('keyhold status -address ')).toEqual([])
  })

  test('bash, which ends words at an equals sign, gets what is behind it', async () => {
    expect(await complete('keyhold status -format=j', { word: 'j' })).toEqual(['json'])
    expect(await complete('keyhold status -format=', { word: '' })).toContain('yaml')
  })

  test('fixed words are completed, the first of a command only', async () => {
    expect(await complete('keyhold plugin info s')).toEqual(['secret'])
    expect(await complete('keyhold plugin info secret s')).toEqual([])
  })

  test('where nobody is logged in, or nothing answers, no names come, and no error', async () => {
    expect(await complete('keyhold read ')).toEqual([])
    const env = { VAULT_TOKEN: 'x', VAULT_ADDR: 'http://127.0.0.1:1' }
    expect(await complete('keyhold read ', { env })).toEqual([])
    expect(await complete('keyhold read -no-such-flag ', { env })).toEqual([])
    expect(await complete('keyhold read ', { env: { ...env, VAULT_ADDR: 'nonsense' } })).toEqual([])
  })
})

test('on a server, mounts and the paths below them are completed', async () => {
  const { run, cluster, address } = await serveCluster({ nodes: 1 })
  const env = { VAULT_TOKEN: cluster.rootToken, VAULT_ADDR: address }
  await run('secrets enable -path=secret -version=2 kv')
  await run('secrets enable -path=old kv')
  await run('kv put secret/app/web a=b')
  await run('kv put old/thing a=b')
  await run(['write', 'sys/policies/acl/readers', 'policy=path "a" { capabilities = ["read"] }'])

  expect(await complete('keyhold kv get ', { env })).toEqual(['old/', 'secret/'])
  expect(await complete('keyhold kv get secret/', { env })).toEqual(['secret/app/'])
  expect(await complete('keyhold kv get secret/app/w', { env })).toEqual(['secret/app/web'])
  expect(await complete('keyhold kv get -mount=secret app/', { env })).toEqual(['app/web'])
  expect(await complete('keyhold kv get -mount=secret ', { env })).toEqual(['app/'])
  expect(await complete('keyhold read ol', { env })).toEqual(['old/'])
  expect(await complete('keyhold read old/', { env })).toEqual(['old/thing'])
  expect(await complete('keyhold read auth/', { env })).toEqual([])
  expect(await complete('keyhold policy read re', { env })).toEqual(['readers'])
  expect(await complete('keyhold secrets disable se', { env })).toEqual(['secret/'])
  expect(await complete('keyhold secrets enable k', { env })).toEqual(['kv'])
  expect(await complete('keyhold auth tune to', { env })).toEqual(['token/'])
  expect(await complete('keyhold kv put secret/app/web ', { env })).toEqual([])
  const elsewhere = { ...env, VAULT_ADDR: 'http://127.0.0.1:1' }
  expect(await complete(`keyhold kv get -address=${address} o`, { env: elsewhere })).toEqual([
    'old/',
  ])
})

test('a token that may see nothing completes nothing', async () => {
  const { run, cluster, address } = await serveCluster({ nodes: 1 })
  await run('secrets enable -path=secret -version=2 kv')
  const env = { VAULT_TOKEN: await cluster.tokenWith(''), VAULT_ADDR: address }
  expect(await complete('keyhold kv get secret/', { env })).toEqual([])
})

test('each command whose arguments are completed is one', () => {
  const names = CATALOG.map(({ name }) => name)
  expect(Object.keys(ARGUMENTS).filter((name) => !names.includes(name))).toEqual([])
})

test.each([
  ['a b', ['a', 'b']],
  ['a b ', ['a', 'b', '']],
  ['  a', ['a']],
  [`a 'b c' "d\\" e`, ['a', 'b c', 'd" e']],
  ['a b\\ c', ['a', 'b c']],
  ['', ['']],
])('%j is typed as the words %j', (line, words) => {
  expect(shellWords(line)).toEqual(words)
})

test('the token file is looked into where the environment names no token', async () => {
  const { cluster, address } = await serveCluster({ nodes: 1 })
  const home = mkdtempSync(join(tmpdir(), 'keyhold-complete-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const { writeTokenFile } = await import('./token-file.ts')
  writeTokenFile(home, cluster.rootToken)
  const found = await candidates('keyhold read cub', undefined, {
    env: { VAULT_ADDR: address },
    home,
  })
  expect(found).toEqual(['cubbyhole/'])
})

import { expect, test } from 'vitest'
import { serveCluster } from './on-server.fixture.ts'

test('with -wrap-ttl each command shows the token that the answer is in, and nothing is lost', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  await run('secrets enable -path=secret -version=2 kv')
  await run('kv put secret/app a=b')
  await run('namespace create team-a')
  await run(['write', 'sys/policies/acl/app', 'policy=path "a" { capabilities = ["read"] }'])
  const missing: string[] = []
  for (const words of [
    'audit list',
    'auth list -detailed',
    'secrets list',
    'kv get secret/app',
    'kv put secret/app a=c',
    'kv list secret',
    'kv metadata get secret/app',
    'list secret/metadata',
    'read sys/mounts',
    'write sys/tools/random bytes=3',
    'namespace create team-b',
    'namespace list',
    'namespace lock team-a',
    'namespace lookup team-b',
    'namespace patch -custom-metadata=a=b team-b',
    'operator key-status',
    'operator members',
    'operator rotate',
    'operator rotate-keys -status',
    'plugin info secret kv',
    'plugin list',
    'policy explain read x',
    'policy list',
    'policy read app',
    'token capabilities sys/mounts',
    'token create',
    'token lookup',
    'version-history',
  ]) {
    const { exitCode, out } = await run(words, { env: { VAULT_WRAP_TTL: '60s' } })
    if (exitCode !== 0 || !/^wrapping_token: +hvs\./m.test(out)) missing.push(words)
  }
  expect(missing).toEqual([])
})

test('what is wrapped comes out again', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  const wrapped = await run('policy list -wrap-ttl=60s')
  const [, token = ''] = /^wrapping_token: +(\S+)$/m.exec(wrapped.out) ?? []
  expect((await run(`unwrap ${token}`, { token: '' })).out).toContain('default')
})

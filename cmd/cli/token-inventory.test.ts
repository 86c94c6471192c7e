import { expect, test } from 'vitest'
import { serveCluster, type ServedCluster } from './on-server.fixture.ts'

async function make({ cluster }: ServedCluster, body: object, path = 'create') {
  const { auth } = await cluster.write(`auth/token/${path}`, body)
  return { token: String(auth['client_token']), accessor: String(auth['accessor']) }
}

test('token list shows accessors by conditions, as a table and as data', async () => {
  const served = await serveCluster()
  await served.cluster.write('auth/token/roles/deploy', { allowed_policies: 'deploy' })
  const deploy = await make(served, { ttl: '1h' }, 'create/deploy')
  await make(served, { policies: ['app'] })
  const table = await served.run('token list -role=deploy')
  expect(table).toMatchObject({ exitCode: 0 })
  expect(table.out.split('\n')[0]).toMatch(/^Accessor +Policies +Path +Role +Created +Expires$/)
  expect(table.out).toContain(deploy.accessor)
  expect(table.out).not.toContain(deploy.token)
  const data = await served.run('token list -policy=deploy -policy=app -format=json')
  expect(JSON.parse(data.out)).toHaveLength(2)
  const none = await served.run('token list -role=nobody')
  expect(none).toMatchObject({ exitCode: 2, err: expect.stringContaining('No tokens found') })
})

test('token list says where to go on, and goes on there', async () => {
  const served = await serveCluster()
  for (let i = 0; i < 5; i++) await make(served, {})
  const first = await served.run('token list -limit=4')
  const [, after = ''] = /-after=(\S+)/.exec(first.err) ?? []
  const second = await served.run(`token list -after=${after}`)
  const accessors = `${first.out}\n${second.out}`.match(/^[0-9A-Za-z]{24}(?= )/gm)
  expect(new Set(accessors).size).toBe(6)
})

test('token revoke-where counts on a dry run, then ends all that match', async () => {
  const served = await serveCluster()
  await served.cluster.write('auth/token/roles/deploy', { allowed_policies: 'deploy' })
  const tokens = [await make(served, {}, 'create/deploy'), await make(served, {}, 'create/deploy')]
  const alive = async () =>
    (await served.cluster.read('auth/token/lookup-self', { token: tokens[0]?.token ?? '' })).status
  const counted = await served.run('token revoke-where -role=deploy -dry-run')
  expect(counted.out).toBe('2 service tokens meet the conditions. Nothing was revoked.\n')
  expect(await alive()).toBe(200)
  const revoked = await served.run('token revoke-where -role=deploy')
  expect(revoked.out).toBe('Success! No token works any more that met the conditions.\n')
  expect(await alive()).toBe(403)
})

test('token revoke-where without a condition is refused', async () => {
  const served = await serveCluster()
  const refused = await served.run('token revoke-where')
  expect(refused.exitCode).toBe(2)
  expect(refused.err).toContain('no condition was given')
})

import { expect, test } from 'vitest'
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

/**
 * A clock that is set back, as it is by hand or when a machine wakes up: nothing lives longer for it than by the span
 * itself, nothing dies, nothing is lost.
 */
import { describe, expect, onTestFinished, test } from 'vitest'
import { startCluster, type Answer, type Cluster } from '../support/kit.ts'
import { memberOf } from '../support/json.ts'

async function cluster(): Promise<Cluster> {
  const started = await startCluster()
  onTestFinished(() => started.close())
  const body = { type: 'kv', options: { version: '2' } }
  expect((await started.write('sys/mounts/secret', body)).status).toBe(204)
  return started
}

async function createToken({ write }: Cluster, body: object): Promise<string> {
  return String((await write('auth/token/create', body)).auth['client_token'])
}

async function runDuties({ nodes }: Cluster): Promise<void> {
  for (const node of nodes) await node.runDuties()
}

/** What is stored of tokens, the root token's record apart. */
async function storedTokens({ storage }: Cluster): Promise<number> {
  return (await storage.list('ns/root/token/', { limit: 1_000 })).length - 1
}

const stillValid = ({ read }: Cluster, token: string): Promise<Answer> =>
  read('auth/token/lookup-self', { token })

describe('a token', () => {
  test('goes on while the clock is back, and ends at the instant that was set', async () => {
    const all = await cluster()
    const token = await createToken(all, { policies: ['default'], ttl: '1h' })
    const expires = (await stillValid(all, token)).data['expire_time']

    all.clock.advance('-2h')
    await runDuties(all)
    const back = await stillValid(all, token)
    expect(back).toMatchObject({ status: 200, data: { expire_time: expires } })

    all.clock.advance('2h59m59s')
    await runDuties(all)
    expect((await stillValid(all, token)).status).toBe(200)
    all.clock.advance(1)
    expect((await stillValid(all, token)).status).toBe(403)
    await runDuties(all)
    expect(await storedTokens(all)).toBe(0)
  })

  test('that is renewed while the clock is back passes no limit', async () => {
    const all = await cluster()
    const token = await createToken(all, {
      policies: ['default'],
      ttl: '1h',
      explicit_max_ttl: '2h',
    })
    const issuedAtMs = all.clock.nowMs()
    all.clock.advance('-30m')
    const renewed = await all.write('auth/token/renew-self', { increment: '10h' }, { token })
    expect(renewed.status).toBe(200)
    const { expire_time: expires } = (await stillValid(all, token)).data
    expect(Date.parse(String(expires))).toBeLessThanOrEqual(issuedAtMs + 7_200_000)
    all.clock.advance('2h30m')
    expect((await stillValid(all, token)).status).toBe(403)
  })

  test('renewed with the clock back and then right again: it is ended once, by its own time', async () => {
    const all = await cluster()
    const token = await createToken(all, { policies: ['default'], ttl: '1h' })
    all.clock.advance('-10m')
    await all.write('auth/token/renew-self', { increment: '1h' }, { token })
    all.clock.advance('10m')
    expect((await stillValid(all, token)).status).toBe(200)
    all.clock.advance('49m59s')
    await runDuties(all)
    expect((await stillValid(all, token)).status).toBe(200)
    all.clock.advance('1h')
    await runDuties(all)
    expect((await stillValid(all, token)).status).toBe(403)
    expect(await storedTokens(all)).toBe(0)
    expect(all.failures).toEqual([])
  })

  test('as a batch token', async () => {
    const all = await cluster()
    const token = await createToken(all, { policies: ['default'], ttl: '1h', type: 'batch' })
    all.clock.advance('-2h')
    expect((await stillValid(all, token)).status).toBe(200)
    all.clock.advance('3h1s')
    expect((await stillValid(all, token)).status).toBe(403)
  })

  test('children end with their parent, whose time has come after the clock was back', async () => {
    const all = await cluster()
    const policy = 'path "auth/token/create" { capabilities = ["update"] }'
    await all.write('sys/policies/acl/maker', { policy })
    const parent = await createToken(all, { policies: ['maker'], ttl: '1h' })
    all.clock.advance('-1h')
    const made = await all.write('auth/token/create', { ttl: '90m' }, { token: parent })
    const child = String(made.auth['client_token'])
    expect((await stillValid(all, child)).status).toBe(200)
    all.clock.advance('2h1s')
    await runDuties(all)
    await runDuties(all)
    expect((await stillValid(all, child)).status).toBe(403)
  })
})

test('a wrapping token opens once, and not after its time', async () => {
  const all = await cluster()
  await all.write('secret/data/a', { data: { value: 1 } })
  const headers = { 'x-vault-wrap-ttl': '60s' }
  const wrap = async (): Promise<string> => {
    const { json } = await all.read('secret/data/a', { headers })
    return String(memberOf(json, 'wrap_info', 'token'))
  }
  const [first, second] = [await wrap(), await wrap()]
  all.clock.advance('-1h')
  const open = (token: string) => all.write('sys/wrapping/unwrap', {}, { token })
  expect((await open(first)).status).toBe(200)
  expect((await open(first)).status).toBe(400)
  all.clock.advance('1h1m1s')
  expect((await open(second)).status).toBe(400)
})

test('a secret id of approle ends at its time, whatever the clock did before', async () => {
  const all = await cluster()
  await all.write('sys/auth/approle', { type: 'approle' })
  await all.write('auth/approle/role/job', { secret_id_ttl: '10m' })
  const { role_id: roleId } = (await all.read('auth/approle/role/job/role-id')).data
  const { secret_id: secretId } = (await all.write('auth/approle/role/job/secret-id')).data
  const login = () =>
    all.write('auth/approle/login', { role_id: roleId, secret_id: secretId }, { token: null })
  all.clock.advance('-1h')
  await runDuties(all)
  expect((await login()).status).toBe(200)
  all.clock.advance('1h10m1s')
  expect((await login()).status).toBe(400)
})

test('versions of a secret are all there, and one is deleted at the time that was set for it', async () => {
  const all = await cluster()
  await all.write('secret/metadata/a', { delete_version_after: '30m' })
  await all.write('secret/data/a', { data: { value: 1 } })
  all.clock.advance('-1h')
  await all.write('secret/data/a', { data: { value: 2 } })
  const first = await all.read('secret/data/a?version=1')
  expect(first.data['data']).toEqual({ value: 1 })
  const second = await all.read('secret/data/a')
  expect(second.data).toMatchObject({ data: { value: 2 }, metadata: { version: 2 } })
  all.clock.advance('31m')
  expect((await all.read('secret/data/a')).status).toBe(404)
  expect((await all.read('secret/data/a?version=1')).status).toBe(200)
})

test('another node does the timed duties at once, though the one that had them went before the step', async () => {
  const all = await cluster()
  const [first, second] = all.nodes
  await first?.runDuties()
  all.clock.advance('-1h')
  const made = await all.write('auth/token/create', { ttl: '1m' }, { node: 1 })
  expect(made.status).toBe(200)
  first?.close()
  expect(await storedTokens(all)).toBe(1)
  all.clock.advance('1m1s')
  await second?.runDuties()
  expect(await storedTokens(all)).toBe(0)
  expect(all.failures).toEqual([])
})

/**
 * The flows of node-vault's README and of the features that it lists, against a server of their own each.
 */
import nodeVault from 'node-vault'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startServer, type RunningServer, type ServerOptions } from '../support/server-process.ts'

type Client = ReturnType<typeof nodeVault>

const servers: RunningServer[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

/** node-vault goes on with the token that it creates or renews, so these calls get a client of their own. */
function other(server: RunningServer): Client {
  return connect(server, server.rootToken)
}

/** A client that holds the root token of a fresh server. */
async function freshVault(
  options: ServerOptions = {},
): Promise<{ vault: Client; server: RunningServer }> {
  const server = await startServer(options)
  servers.push(server)
  return { vault: connect(server, server.rootToken), server }
}

function connect(server: RunningServer, token: string, options: object = {}): Client {
  return nodeVault({ apiVersion: 'v1', endpoint: server.address, token, ...options })
}

async function withKv(version: 1 | 2): Promise<{ vault: Client; server: RunningServer }> {
  const fresh = await freshVault()
  await fresh.vault.mount({
    mount_point: 'secret',
    type: 'kv',
    options: { version: String(version) },
  })
  return fresh
}

const refused = (status: number): unknown =>
  expect.objectContaining({ response: expect.objectContaining({ statusCode: status }) })

describe('node-vault', () => {
  test('initialises and unseals as its README shows, and seals', async () => {
    const { vault } = await freshVault({ init: false })
    expect(await vault.initialized()).toEqual({ initialized: false })
    expect(await vault.health()).toMatchObject({ initialized: false, sealed: true })

    const result: { keys: string[]; root_token: string } = await vault.init({
      secret_shares: 1,
      secret_threshold: 1,
    })
    vault.token = result.root_token
    expect(await vault.unseal({ secret_shares: 1, key: result.keys[0] })).toMatchObject({
      sealed: false,
    })

    expect(await vault.status()).toMatchObject({ initialized: true, sealed: false, t: 1, n: 1 })
    await vault.seal()
    expect(await vault.status()).toMatchObject({ sealed: true })
    await expect(vault.mounts()).rejects.toEqual(refused(503))
  })

  test('three of five people unseal', async () => {
    const { vault } = await freshVault({ init: false })
    const { keys }: { keys: string[] } = await vault.init({ secret_shares: 5, secret_threshold: 3 })
    expect(await vault.unseal({ key: keys[0] })).toMatchObject({ sealed: true, progress: 1 })
    expect(await vault.unseal({ key: keys[2] })).toMatchObject({ sealed: true, progress: 2 })
    expect(await vault.unseal({ key: keys[4] })).toMatchObject({ sealed: false, progress: 0 })
  })

  test('reads health and leader', async () => {
    const { vault } = await freshVault()
    expect(await vault.health()).toMatchObject({ initialized: true, sealed: false, standby: false })
    expect(await vault.leader()).toMatchObject({ ha_enabled: false })
  })

  test('writes, reads, lists and deletes secrets of kv version 1', async () => {
    const { vault } = await withKv(1)
    await vault.write('secret/hello', { value: 'world', lease: '1s' })
    expect(await vault.read('secret/hello')).toMatchObject({
      data: { value: 'world', lease: '1s' },
    })
    expect(await vault.list('secret')).toMatchObject({ data: { keys: ['hello'] } })
    await vault.delete('secret/hello')
    await expect(vault.read('secret/hello')).rejects.toEqual(refused(404))
  })

  test('writes, patches, lists, deletes, and destroys versions of kv version 2', async () => {
    const { vault } = await withKv(2)
    await vault.write('secret/data/hello', { data: { value: 'world', kept: true } })
    await vault.update('secret/data/hello', { data: { value: 'new-world' } })
    expect(await vault.read('secret/data/hello')).toMatchObject({
      data: { data: { value: 'new-world', kept: true }, metadata: { version: 2 } },
    })
    expect(await vault.list('secret/metadata/')).toMatchObject({ data: { keys: ['hello'] } })
    await vault.delete('secret/data/hello')
    await vault.write('secret/undelete/hello', { versions: [2] })
    await vault.destroySecretVersions({ path: 'hello', versions: [1] })
    expect(await vault.read('secret/metadata/hello')).toMatchObject({
      data: { versions: { 1: { destroyed: true }, 2: { destroyed: false } } },
    })
  })

  test('lists without the LIST verb', async () => {
    const { vault, server } = await withKv(1)
    await vault.write('secret/a/b', { x: 1 })
    const plain = connect(server, server.rootToken, { noCustomHTTPVerbs: true })
    expect(await plain.list('secret/a')).toMatchObject({ data: { keys: ['b'] } })
  })

  test('a missing secret is an error with status and body', async () => {
    const { vault } = await withKv(1)
    await expect(vault.read('secret/missing')).rejects.toMatchObject({
      message: 'Status 404',
      response: { statusCode: 404, body: { errors: [] } },
    })
  })

  test('shows help', async () => {
    const { vault } = await freshVault()
    expect(await vault.help('sys/policy')).toMatchObject({ help: expect.any(String) })
  })

  test('mounts, remounts and unmounts engines', async () => {
    const { vault } = await withKv(1)
    expect(await vault.mounts()).toMatchObject({
      'secret/': { type: 'kv' },
      'sys/': { type: 'system' },
    })
    await vault.write('secret/a', { x: 1 })
    await vault.remount({ from: 'secret', to: 'moved' })
    await vi.waitFor(async () =>
      expect(await vault.read('moved/a')).toMatchObject({ data: { x: 1 } }),
    )
    await vault.unmount({ mount_point: 'moved' })
    expect(await vault.mounts()).not.toHaveProperty('moved/')
  })

  test('writes policies, and a token of one is held to it', async () => {
    const { vault, server } = await withKv(1)
    await vault.write('secret/open', { x: 1 })
    await vault.addPolicy({
      name: 'readers',
      rules: 'path "secret/open" { capabilities = ["read"] }',
    })
    expect(await vault.policies()).toMatchObject({
      policies: expect.arrayContaining(['default', 'readers', 'root']),
    })
    expect(await vault.getPolicy({ name: 'readers' })).toMatchObject({
      rules: expect.stringContaining('secret/open'),
    })

    const { auth }: { auth: { client_token: string } } = await other(server).tokenCreate({
      policies: ['readers'],
    })
    const reader = connect(server, auth.client_token)
    expect(await reader.read('secret/open')).toMatchObject({ data: { x: 1 } })
    await expect(reader.write('secret/open', { x: 2 })).rejects.toEqual(refused(403))
    await vault.removePolicy({ name: 'readers' })
    await expect(reader.read('secret/open')).rejects.toEqual(refused(403))
  })

  test('logs in with AppRole, and manages its roles and secret ids', async () => {
    const { vault, server } = await freshVault()
    await vault.enableAuth({ mount_point: 'approle', type: 'approle', description: 'machines' })
    expect(await vault.auths()).toMatchObject({ 'approle/': { type: 'approle' } })
    await vault.addApproleRole({ role_name: 'web', policies: 'default', bind_secret_id: true })
    expect(await vault.approleRoles()).toMatchObject({ data: { keys: ['web'] } })
    const role: { data: { role_id: string } } = await vault.getApproleRoleId({ role_name: 'web' })
    const secret: { data: { secret_id: string; secret_id_accessor: string } } =
      await vault.getApproleRoleSecret({
        role_name: 'web',
      })

    const machine = connect(server, '')
    await machine.approleLogin({ role_id: role.data.role_id, secret_id: secret.data.secret_id })
    expect(await machine.tokenLookupSelf()).toMatchObject({
      data: { policies: ['default'], path: 'auth/approle/login' },
    })

    const { secret_id_accessor } = secret.data
    expect(await vault.approleSecretAccessors({ role_name: 'web' })).toMatchObject({
      data: { keys: [secret_id_accessor] },
    })
    await vault.approleSecretAccessorDestroy({ role_name: 'web', secret_id_accessor })
    await expect(
      machine.approleLogin({ role_id: role.data.role_id, secret_id: secret.data.secret_id }),
    ).rejects.toEqual(refused(400))
    await vault.deleteApproleRole({ role_name: 'web' })
    await vault.disableAuth({ mount_point: 'approle' })
  })

  test('creates, looks up, renews and revokes tokens', async () => {
    const { vault, server } = await freshVault()
    const { auth }: { auth: { client_token: string; accessor: string } } = await other(
      server,
    ).tokenCreate({
      policies: ['default'],
      ttl: '1h',
      renewable: true,
      display_name: 'ci',
    })
    const { client_token: token, accessor } = auth
    expect(await vault.tokenLookup({ token })).toMatchObject({
      data: { display_name: 'token-ci', renewable: true },
    })
    expect(await vault.tokenLookupAccessor({ accessor })).toMatchObject({
      data: { accessor, id: '' },
    })
    expect(await other(server).tokenRenew({ token, increment: '30m' })).toMatchObject({
      auth: { lease_duration: 1800 },
    })
    expect(await connect(server, token).tokenRenewSelf({})).toMatchObject({
      auth: { client_token: token },
    })
    expect(await vault.tokenAccessors()).toMatchObject({
      data: { keys: expect.arrayContaining([accessor]) },
    })
    await vault.tokenRevokeAccessor({ accessor })
    await expect(connect(server, token).tokenLookupSelf()).rejects.toEqual(refused(403))
  })

  test('creates tokens by role', async () => {
    const { vault, server } = await freshVault()
    await vault.addTokenRole({ role_name: 'ci', allowed_policies: 'default', orphan: true })
    expect(await vault.getTokenRole({ role_name: 'ci' })).toMatchObject({
      data: { name: 'ci', orphan: true },
    })
    expect(await vault.tokenRoles()).toMatchObject({ data: { keys: ['ci'] } })
    expect(await other(server).tokenCreateRole({ role_name: 'ci' })).toMatchObject({
      auth: { orphan: true },
    })
    await vault.removeTokenRole({ role_name: 'ci' })
  })

  test('wraps an answer, which is unwrapped once', async () => {
    const { vault, server } = await withKv(1)
    await vault.write('secret/a', { x: 1 })
    const wrapped: { wrap_info: { token: string } } = await vault.read('secret/a', {
      headers: { 'X-Vault-Wrap-TTL': '60' },
    })
    const { token } = wrapped.wrap_info
    const receiver = connect(server, token)
    expect(await receiver.unwrap()).toMatchObject({ data: { x: 1 } })
    await expect(receiver.unwrap()).rejects.toEqual(refused(400))
  })

  test('enables, lists and disables an audit device', async () => {
    const { vault } = await freshVault()
    await vault.enableAudit({ name: 'discarded', type: 'file', options: { file_path: 'discard' } })
    expect(await vault.audits()).toMatchObject({ 'discarded/': { type: 'file' } })
    await vault.disableAudit({ name: 'discarded' })
  })

  test('rotates the encryption key', async () => {
    const { vault } = await freshVault()
    await vault.rotate()
    expect(await vault.read('sys/key-status')).toMatchObject({ term: 2 })
  })

  test("sends requests of one's own", async () => {
    const { vault } = await freshVault()
    expect(await vault.request({ method: 'GET', path: '/sys/key-status' })).toMatchObject({
      data: { term: 1 },
    })
  })
})

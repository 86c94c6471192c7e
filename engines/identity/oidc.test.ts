import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { portOf } from '../../test/support/free-port.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'

let cluster: Cluster
/** Of somebody named `ann`, in the group `crew`. */
let token: string
let entityId: string
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.write('sys/auth/approle', { type: 'approle' })
  await cluster.write('sys/policies/acl/tokens', {
    policy: 'path "identity/oidc/token/*" { capabilities = ["read"] }',
  })
  await cluster.write('auth/approle/role/ann', {
    role_id: 'ann',
    bind_secret_id: false,
    secret_id_bound_cidrs: '0.0.0.0/0',
    token_policies: 'tokens',
  })
  const { auth } = await cluster.write('auth/approle/login', { role_id: 'ann' }, { token: null })
  token = String(auth['client_token'])
  entityId = String(auth['entity_id'])
  await cluster.write(`identity/entity/id/${entityId}`, {
    name: 'ann "the first"',
    metadata: { team: 'blue' },
  })
  await cluster.write('identity/group', { name: 'crew', member_entity_ids: [entityId] })
  await cluster.write('identity/oidc/config', { issuer: 'https://kh.example' })
})
afterAll(() => cluster.close())

async function roleWith(body: object, name = 'role'): Promise<void> {
  expect((await cluster.write(`identity/oidc/role/${name}`, body)).errors).toEqual([])
}

async function tokenOf(name = 'role'): Promise<string> {
  const { status, data } = await cluster.read(`identity/oidc/token/${name}`, { token })
  expect(status).toBe(200)
  return String(data['token'])
}

/** Serves what verifies tokens, for who fetches it by itself. */
async function published(): Promise<ReturnType<typeof createRemoteJWKSet>> {
  const server = createServer((_, response) => {
    void cluster
      .read('identity/oidc/.well-known/keys', { token: null })
      .then(({ json }) => response.end(JSON.stringify(json)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return createRemoteJWKSet(new URL(`http://127.0.0.1:${portOf(server)}/keys`), {
    cooldownDuration: 0,
  })
}

const introspect = async (body: object) =>
  (await cluster.write('identity/oidc/introspect', body)).json

describe('a token', () => {
  test.each(['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'signed with %s says who the caller is, and anybody can verify it by what is published',
    async (algorithm) => {
      await cluster.write(`identity/oidc/key/by-${algorithm}`, {
        algorithm,
        allowed_client_ids: '*',
      })
      await roleWith({ key: `by-${algorithm}`, client_id: 'app', ttl: '1h' }, algorithm)

      const { payload, protectedHeader } = await jwtVerify(
        await tokenOf(algorithm),
        await published(),
        {
          issuer: 'https://kh.example/v1/identity/oidc',
          audience: 'app',
          subject: entityId,
          currentDate: new Date(cluster.clock.nowMs()),
        },
      )

      expect(protectedHeader.alg).toBe(algorithm)
      expect(payload['namespace']).toBe('root')
      expect(Number(payload.exp) - Number(payload.iat)).toBe(3600)
    },
  )

  test('has the claims of its role’s template, whatever characters a value holds', async () => {
    const template = `{
      "name": {{identity.entity.name}}, "groups": {{ identity.entity.groups.names }},
      "meta": {{identity.entity.metadata}}, "team": {{identity.entity.metadata.team}},
      "none": {{identity.entity.metadata.none}}, "soon": {{time.now.plus.1h}}, "n": 12345678901234567890 }`
    await roleWith({ key: 'default', template: Buffer.from(template).toString('base64') }, 'claims')
    const claims = decodeJwt(await tokenOf('claims'))
    expect(claims).toMatchObject({
      name: 'ann "the first"',
      groups: ['crew'],
      meta: { team: 'blue' },
      team: 'blue',
      none: '',
      soon: Number(claims.iat) + 3600,
    })
  })

  test('is refused to who is nobody in particular', async () => {
    await roleWith({ key: 'default' }, 'nobody')
    expect((await cluster.read('identity/oidc/token/nobody')).errors).toEqual([
      "no entity associated with the request's token",
    ])
  })

  test('is refused where the key does not list its client', async () => {
    await cluster.write('identity/oidc/key/narrow', { algorithm: 'EdDSA', allowed_client_ids: 'a' })
    await roleWith({ key: 'narrow', client_id: 'b' }, 'narrow')
    const { status, errors } = await cluster.read('identity/oidc/token/narrow', { token })
    expect([status, errors[0]]).toEqual([
      400,
      'the key "narrow" does not list the client ID of the role "narrow" as an allowed client ID',
    ])
  })
})

describe('introspection', () => {
  test('tells a good token from one of another client, an altered one, and none', async () => {
    await roleWith({ key: 'default', client_id: 'app' }, 'looked-at')
    const good = await tokenOf('looked-at')
    const [head, body = '', signature] = good.split('.')
    expect(await introspect({ token: good })).toEqual({ active: true })
    expect(await introspect({ token: good, client_id: 'app' })).toEqual({ active: true })
    for (const wrong of [
      { token: good, client_id: 'other' },
      { token: `${head}.${body.slice(0, -2)}AA.${signature}` },
      { token: 'none' },
      { token: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.` },
      {},
    ]) {
      expect(await introspect(wrong)).toMatchObject({ active: false, error: expect.any(String) })
    }
  })

  test('of a token whose time is over, or whose entity is disabled, says so', async () => {
    await roleWith({ key: 'default', ttl: '1h' }, 'ends')
    const ends = await tokenOf('ends')
    await cluster.write(`identity/entity/id/${entityId}`, { disabled: true })
    expect(await introspect({ token: ends })).toEqual({
      active: false,
      error: 'entity is disabled',
    })
    await cluster.write(`identity/entity/id/${entityId}`, { disabled: false })
    await cluster.clock.advance(3601)
    expect(await introspect({ token: ends })).toMatchObject({ active: false })
  })
})

describe('keys', () => {
  test('rotated, go on verifying as long as was said, and the next one was published before', async () => {
    await cluster.write('identity/oidc/key/turning', {
      algorithm: 'EdDSA',
      allowed_client_ids: '*',
      rotation_period: '1h',
      verification_ttl: '2h',
    })
    await roleWith({ key: 'turning', ttl: '2h' }, 'turning')
    const kids = async () => {
      const { json } = await cluster.read('identity/oidc/.well-known/keys', { token: null })
      return JSON.stringify(json['keys'])
    }
    const before = await tokenOf('turning')
    const published = await kids()
    await cluster.write('identity/oidc/key/turning/rotate', {})
    const after = await tokenOf('turning')

    const { kid = '' } = decodeProtectedHeader(after)
    expect(published).toContain(kid)
    expect(decodeProtectedHeader(before).kid).not.toBe(kid)
    expect(await introspect({ token: before })).toEqual({ active: true })
    await cluster.write('identity/oidc/key/turning/rotate', { verification_ttl: 0 })
    expect(await kids()).not.toContain(kid)
    expect(await introspect({ token: after })).toMatchObject({ active: false })
  })

  test('rotate by themselves when they are used after their time', async () => {
    await cluster.write('identity/oidc/key/timed', {
      algorithm: 'EdDSA',
      allowed_client_ids: '*',
      rotation_period: '1h',
      verification_ttl: '1h',
    })
    await roleWith({ key: 'timed', ttl: '1h' }, 'timed')
    const { kid } = decodeProtectedHeader(await tokenOf('timed'))
    expect(decodeProtectedHeader(await tokenOf('timed')).kid).toBe(kid)
    await cluster.clock.advance(3600)
    expect(decodeProtectedHeader(await tokenOf('timed')).kid).not.toBe(kid)
  })

  test('in use are not removed, and the default one never', async () => {
    await cluster.write('identity/oidc/key/held', { algorithm: 'EdDSA' })
    await roleWith({ key: 'held' }, 'holder')
    expect((await cluster.remove('identity/oidc/key/held')).errors).toEqual([
      'unable to delete key "held" because it is currently referenced by these roles: holder',
    ])
    await cluster.remove('identity/oidc/role/holder')
    expect((await cluster.remove('identity/oidc/key/held')).status).toBe(204)
    expect((await cluster.read('identity/oidc/key/held')).status).toBe(404)
    expect((await cluster.remove('identity/oidc/key/default')).status).toBe(400)
    expect((await cluster.list('identity/oidc/key')).data['keys']).toContain('default')
  })
})

test.each([
  ['key/x', { algorithm: 'HS256' }, /unknown signing algorithm/],
  ['key/x', { rotation_period: '1s' }, /at least one minute/],
  ['key/x', { rotation_period: '1m', verification_ttl: '1h' }, /10x rotation_period/],
  ['key/none/rotate', {}, /no named key found/],
  ['role/x', {}, /the key parameter is required/],
  ['role/x', { key: 'none' }, /cannot find the key/],
  ['role/x', { key: 'default', ttl: '100h' }, /cannot be longer than the verification_ttl/],
  ['role/x', { key: 'default', template: '{"sub":1}' }, /top level key "sub" not allowed/],
  ['role/x', { key: 'default', template: '[]' }, /an object/],
  ['role/x', { key: 'default', template: '{nope' }, /error parsing template JSON/],
  ['role/x', { key: 'default', template: '{"a":{{identity.secret}}}' }, /nothing that is known/],
  ['role/x', { key: 'default', template: '{"a":{{}' }, /error parsing template/],
  ['config', { issuer: 'https://kh.example/path' }, /only a scheme, host, and optional port/],
  ['config', { issuer: 'nonsense' }, /only a scheme, host, and optional port/],
])('%s with %j is refused', async (at, body, text) => {
  const { status, errors } = await cluster.write(`identity/oidc/${at}`, body)
  expect(status).toBe(400)
  expect(errors[0]).toMatch(text)
})

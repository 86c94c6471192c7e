/** Connections and roles, without a database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { shownUrl } from './shown-url.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.write('sys/mounts/db', { type: 'database' })
})
afterAll(() => cluster.close())

const PG = {
  plugin_name: 'postgresql-database-plugin',
  connection_url: 'postgresql://{{username}}:{{password}}@db/x',
  username: 'u',
  verify_connection: false,
}

describe('a connection', () => {
  test('keeps what a later write leaves out, and shows no secret', async () => {
    const secrets = {
      password: 'secret-1',
      private_key: 'secret-2',
      tls_certificate_key: 'secret-3',
    }
    await cluster.write('db/config/a', { ...PG, ...secrets, allowed_roles: 'a,b' })
    await cluster.write('db/config/a', { verify_connection: false, password_policy: 'p' })
    const { data, text } = await cluster.read('db/config/a')
    expect(data).toMatchObject({
      allowed_roles: ['a', 'b'],
      password_policy: 'p',
      connection_details: { connection_url: PG.connection_url, username: 'u' },
    })
    expect(text).not.toContain('secret-')
  })

  test('with a password in its string is taken with a warning, and shown without it', async () => {
    const connection_url = 'postgresql://u:secretpw@db/x'
    const { status, json } = await cluster.write('db/config/inline', { ...PG, connection_url })
    expect(status).toBe(200)
    expect(json['warnings']).toEqual([expect.stringMatching(/^Password found in connection_url/)])
    expect((await cluster.read('db/config/inline')).text).not.toContain('secretpw')
  })

  test.each([
    ['postgresql://u:pw@h/x', 'postgresql://u:xxxxx@h/x'],
    ['u:pw@tcp(h:3306)/x', 'u:xxxxx@tcp(h:3306)/x'],
    ['host=h password=pw user=u', 'host=h password=xxxxx user=u'],
    ["host=h password='p w' user=u", 'host=h password=xxxxx user=u'],
    ['postgresql://h/x?user=u&password=pw', 'postgresql://h/x?user=u&password=xxxxx'],
    ['{{username}}:{{password}}@tcp(h)/', '{{username}}:{{password}}@tcp(h)/'],
    ["password='{{password}}'", "password='{{password}}'"],
  ])('%s is shown as %s', (url, shown) => {
    expect(shownUrl(url)).toBe(shown)
  })
})

describe('a role', () => {
  const certificate = {
    common_name_template: '{{.RoleName}}',
    ca_cert: 'cert',
    ca_private_key: 'secret-key',
    key_type: 'ec',
  }

  test('shows no key of a certificate authority', async () => {
    const role = {
      db_name: 'a',
      credential_type: 'client_certificate',
      credential_config: certificate,
    }
    expect((await cluster.write('db/roles/c', role)).status).toBe(204)
    expect((await cluster.read('db/roles/c')).text).not.toContain('secret-key')
  })

  test.each([
    [{}, 'database name is required'],
    [{ credential_type: 'zz' }, 'invalid credential_type'],
    [
      { credential_type: 'rsa_private_key', credential_config: { key_bits: '1024' } },
      'key_bits is one of 2048, 3072, 4096',
    ],
    [{ credential_type: 'rsa_private_key', credential_config: { format: 'x' } }, 'format is pkcs8'],
    [{ credential_type: 'client_certificate' }, 'it lacks common_name_template, ca_cert'],
    [
      {
        credential_type: 'client_certificate',
        credential_config: { ...certificate, key_type: 'x' },
      },
      'key_type is rsa, ec or ed25519',
    ],
  ])('with %j is refused', async (role, why) => {
    const body = Object.keys(role).length === 0 ? role : { db_name: 'a', ...role }
    const { status, errors } = await cluster.write('db/roles/wrong', body)
    expect(status).toBe(400)
    expect(errors[0]).toContain(why)
  })
})

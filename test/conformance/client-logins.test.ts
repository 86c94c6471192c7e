/**
 * `@keyhold/client` logs in with passwords, JSON Web Tokens and service accounts of Kubernetes. Each is asked of a server that has the
 * method: with KEYHOLD_BIN of another one, such as `bao`, all are. What is sent is held against a stand-in in the client's own tests.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import { exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testCertificate } from '../../core/http/testing/certificate.ts'
import { Client } from '../../clients/js/src/main.ts'
import { portOf } from '../support/free-port.ts'
import { startDevServer, type RunningServer } from '../support/server-process.ts'

let server: RunningServer
let client: Client
/** What the server offers. */
let methods: readonly string[] = []

beforeAll(async () => {
  server = await startDevServer()
  client = new Client({ address: server.address, token: server.rootToken })
  const catalog = await client.read('sys/plugins/catalog')
  const { auth } = catalog?.data ?? {}
  methods = Array.isArray(auth) ? auth.map(String) : []
})
afterAll(() => server.stop())

async function enabled(method: string, skip: (note: string) => never): Promise<Client> {
  if (!methods.includes(method)) skip(`the server has no auth method ${method}`)
  await client.write(`sys/auth/${method}`, { type: method })
  return new Client({ address: server.address })
}

test('with a name and a password', async ({ skip }) => {
  const own = await enabled('userpass', skip)
  await client.write('auth/userpass/users/ada', {
    password: 'pä55 wörd',
    token_policies: 'app',
    token_ttl: '1h',
  })

  const login = await own.auth.userpass({ username: 'ada', password: 'pä55 wörd' })

  expect(login).toMatchObject({ renewable: true, ttlSeconds: 3600, metadata: { username: 'ada' } })
  expect(await own.auth.lookup()).toMatchObject({ policies: ['app', 'default'] })
  expect(await own.auth.renew()).toMatchObject({ ttlSeconds: 3600 })
  await expect(own.auth.userpass({ username: 'ada', password: 'x' })).rejects.toMatchObject({
    status: 400,
  })
})

test('with a JSON Web Token', async ({ skip }) => {
  const own = await enabled('jwt', skip)
  const { sign, publicKey } = await signer()
  await client.write('auth/jwt/config', { jwt_validation_pubkeys: [publicKey] })
  const role = {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: 'keyhold',
    token_policies: 'ci',
  }
  await client.write('auth/jwt/role/ci', role)

  await own.auth.jwt({ role: 'ci', jwt: await sign({ sub: 'build', aud: 'keyhold' }) })

  expect(await own.auth.lookup()).toMatchObject({ policies: ['ci', 'default'] })
  const other = await sign({ sub: 'build', aud: 'another' })
  await expect(own.auth.jwt({ role: 'ci', jwt: other })).rejects.toMatchObject({ status: 400 })
})

test('with a service account of Kubernetes', async ({ skip }) => {
  const own = await enabled('kubernetes', skip)
  const { sign } = await signer()
  const { review, authority } = await startReviews()
  try {
    await client.write('auth/kubernetes/config', {
      kubernetes_host: `https://127.0.0.1:${portOf(review)}`,
      kubernetes_ca_cert: authority,
      disable_local_ca_jwt: true,
      disable_iss_validation: true,
    })
    await client.write('auth/kubernetes/role/app', {
      bound_service_account_names: 'app',
      bound_service_account_namespaces: 'default',
      token_policies: 'app',
    })

    await own.auth.kubernetes({ role: 'app', jwt: await sign(SERVICE_ACCOUNT) })

    expect(await own.auth.lookup()).toMatchObject({ policies: ['app', 'default'] })
  } finally {
    review.close()
  }
})

async function signer() {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const sign = (claims: JWTPayload) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)
  return { sign, publicKey: await exportSPKI(publicKey) }
}

const NAMESPACE = 'default'
const USER = { username: 'system:serviceaccount:default:app', uid: '1-2', groups: [] }
const SERVICE_ACCOUNT = {
  iss: 'kubernetes/serviceaccount',
  sub: USER.username,
  'kubernetes.io/serviceaccount/namespace': NAMESPACE,
  'kubernetes.io/serviceaccount/service-account.name': 'app',
  'kubernetes.io/serviceaccount/service-account.uid': USER.uid,
  'kubernetes.io/serviceaccount/secret.name': 'app-token',
}

/** What the API server of a cluster answers to a TokenReview (authentication.k8s.io/v1) of that account. */
async function startReviews(): Promise<{ review: Server; authority: string }> {
  const { cert, key } = testCertificate('127.0.0.1')
  const review = createServer({ cert, key }, (_request, response) => {
    response.setHeader('Content-Type', 'application/json').writeHead(201)
    response.end(
      JSON.stringify({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        status: { authenticated: true, user: USER },
      }),
    )
  }).listen(0, '127.0.0.1')
  await once(review, 'listening')
  return { review, authority: cert }
}

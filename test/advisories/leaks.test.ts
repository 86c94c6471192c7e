/** Secrets of the server's surroundings: in its log, its metrics, its configuration as shown, and in errors of a client. */
import { createServer } from 'node:http'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { connectionFrom } from '../../cmd/client/connection.ts'
import { send } from '../../cmd/client/send.ts'
import { portOf } from '../support/free-port.ts'
import { startServer } from '../support/server-process.ts'

const CANARY = 'kanarienvogel'

test('rows 81, 90 (CVE-2020-13223, CVE-2026-115363): nothing of the environment or of settings that hold secrets is logged or shown', async () => {
  const proxy = `http://user:${CANARY}@127.0.0.1:9`
  const server = await startServer({
    logLevel: 'trace',
    env: {
      HTTP_PROXY: proxy,
      HTTPS_PROXY: proxy,
      http_proxy: proxy,
      VAULT_TOKEN: CANARY,
      BAO_TOKEN: CANARY,
      AWS_SECRET_ACCESS_KEY: CANARY,
      PGPASSWORD: CANARY,
    },
    listenerLines: [`custom_response_headers { "404" = { "X-Own" = ["${CANARY}"] } }`],
    topLines: [`pid_file = "/tmp/${CANARY}-${process.pid}.pid"`],
  })
  onTestFinished(() => server.stop())
  const { api, rootToken: token } = server
  const shown = [
    await api('GET', 'sys/config/state/sanitized', { token }),
    await api('GET', 'sys/metrics', { token }),
    await api('GET', 'sys/metrics?format=prometheus', { token }),
    await api('GET', 'sys/host-info', { token }),
    await api('GET', 'sys/in-flight-req', { token }),
    await api('GET', 'sys/health'),
    await api('GET', 'sys/internal/specs/openapi', { token }),
    await api('POST', 'sys/audit/x', {
      token,
      body: { type: 'http', options: { uri: `http://user:${CANARY}@127.0.0.1:9` } },
    }),
    await api('GET', 'sys/nowhere', { token: CANARY }),
    await api('POST', `sys/unseal`, { body: { key: CANARY } }),
  ]
  process.kill(server.pid, 'SIGHUP')
  await api('GET', 'sys/health')

  for (const { text } of shown) expect(text).not.toContain(CANARY)
  expect(server.logs()).not.toContain(CANARY)
  expect(server.logs()).not.toContain(token)
})

test('row 90: the configuration that is shown has what is listed here, and nothing else', async () => {
  const server = await startServer({ init: true })
  onTestFinished(() => server.stop())
  const { json } = await server.api('GET', 'sys/config/state/sanitized', {
    token: server.rootToken,
  })
  expect(Object.keys(json['data'] ?? {}).toSorted()).toEqual([
    'api_addr',
    'cluster_name',
    'default_lease_ttl',
    'listeners',
    'max_lease_ttl',
    'storage',
  ])
})

test.each([400, 403, 404, 500])(
  'row 92 (CVE-2026-55102): an error of the client after a %i holds neither token nor body',
  async (status) => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status).end('{"errors":["no"]}'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
    })
    const address = `http://127.0.0.1:${portOf(server)}`
    await expectSilent(address)
  },
)

test('row 92: nor does one after no answer at all', () => expectSilent('http://127.0.0.1:9'))

async function expectSilent(address: string): Promise<void> {
  const env = { VAULT_MAX_RETRIES: '0' }
  const connection = connectionFrom({ address }, env, { token: CANARY, mode: 'send' })
  const failure: unknown = await send(connection, {
    method: 'POST',
    path: 'secret/a',
    body: { value: CANARY },
  }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Error)
  expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(CANARY)
}

/**
 * Listeners, configuration and signals, as an operator meets them.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { createServer, connect } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { apiClient } from '../support/api-client.ts'
import { freePort } from '../support/free-port.ts'
import { initialize, startConfigured, unseal, type ConfiguredServer } from './configured-server.ts'
import { run, start, testFolder } from './keyhold-process.ts'
import { openRequest, untilRefused } from './slow-request.ts'
import { memberOf, parseObject } from '../support/json.ts'

function write(dir: string, name: string, lines: readonly string[]): string {
  const file = join(dir, name)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

/** A folder that is not there. */
const missingFolder = (): string => join(testFolder(), 'missing')

const STORAGE = 'storage "inmem" {}'

/** @returns the status of `sys/health` */
function healthOver(socketPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/v1/sys/health' }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

test('several listeners and a unix socket serve one server; the socket goes with it', async () => {
  const dir = testFolder()
  const socket = join(dir, 'keyhold.sock')
  const other = await freePort()
  const server = await startConfigured({
    dir,
    topLines: [
      `listener "tcp" { address = "127.0.0.1:${other}", tls_disable = true }`,
      `listener "unix" { address = "${socket}", socket_mode = "0660" }`,
    ],
  })
  await initialize(server)

  expect(server.process.out).toContain(`Listener 1: ${server.address}`)
  expect(server.process.out).toContain(`Listener 2: http://127.0.0.1:${other}`)
  expect(server.process.out).toContain(`Listener 3: unix://${socket}`)
  expect(statSync(socket).mode & 0o777).toBe(0o660)
  expect(await healthOver(socket)).toBe(200)
  const status = await run(['status', '-format=json'], {
    env: { VAULT_ADDR: `http://127.0.0.1:${other}` },
  })
  expect(status.code).toBe(0)
  const overSocket = await run(['status', '-format=json'], {
    env: { VAULT_ADDR: `unix://${socket}` },
  })
  expect(overSocket.code).toBe(0)
  expect(JSON.parse(overSocket.out)).toMatchObject({ sealed: false, storage_type: 'sqlite' })

  server.process.signal('SIGTERM')
  expect(await server.process.ended).toMatchObject({ code: 0 })
  expect(existsSync(socket)).toBe(false)
})

describe('a server that cannot start says why and what to do, and ends with code 1', () => {
  async function refused(args: readonly string[], dir = testFolder()): Promise<string> {
    const ended = await run(['server', ...args], { cwd: dir, env: { HOME: dir } })
    expect(ended.code).toBe(1)
    expect(ended.out).toBe('')
    expect(ended.err).not.toMatch(/\n {4}at /)
    return ended.err
  }

  async function refusedConfig(lines: readonly string[]): Promise<string> {
    const dir = testFolder()
    return refused([`-config=${write(dir, 'server.hcl', lines)}`], dir)
  }

  test('no configuration', async () => {
    expect(await refused([])).toBe(
      'Must specify at least one config path using -config, or start with -dev\n',
    )
  })

  test('a mistyped flag', async () => {
    expect(await refused(['-confg=server.hcl'])).toContain(
      'unknown flag -confg; did you mean -config?',
    )
  })

  test('a configuration that does not exist', async () => {
    const missing = missingFolder()
    expect(await refused([`-config=${missing}/server.hcl`])).toContain(
      `${missing}/server.hcl: the configuration does not exist; check the path after -config`,
    )
  })

  test('a folder without configuration', async () => {
    const dir = testFolder()
    expect(await refused([`-config=${dir}`])).toContain(
      `${dir}: the folder holds no file that ends in .hcl or .json`,
    )
  })

  test('a setting with a typo, with its line and the nearest name', async () => {
    const text = await refusedConfig([
      STORAGE,
      'listener "tcp" {',
      '  adress = "127.0.0.1:0"',
      '  tls_disable = true',
      '}',
    ])
    expect(text).toMatch(
      /server\.hcl:3: unknown setting "adress" in listener "tcp"; did you mean "address"\?\n$/,
    )
  })

  test('a typo at the top of the second of two files', async () => {
    const dir = testFolder()
    const good = write(dir, 'a.hcl', [STORAGE, 'listener "tcp" { tls_disable = true }'])
    const bad = write(dir, 'b.hcl', ['# more', 'log_levle = "info"'])
    const text = await refused([`-config=${good}`, `-config=${bad}`], dir)
    expect(text).toContain(`${bad}:2: unknown setting "log_levle"; did you mean "log_level"?`)
  })

  test('a brace that is not closed', async () => {
    expect(await refusedConfig([STORAGE, 'listener "tcp" {', '  tls_disable = true'])).toMatch(
      /server\.hcl:\d+: .*\(column \d+\)\n$/,
    )
  })

  test('a port in use', async () => {
    const taken = createServer()
    onTestFinished(() => void taken.close())
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address()
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0)
      })
    })
    const text = await refusedConfig([
      STORAGE,
      `listener "tcp" { address = "127.0.0.1:${port}", tls_disable = true }`,
    ])
    expect(text).toContain(`the listener address 127.0.0.1:${port} is already in use`)
    expect(text).toContain('hint: stop the program that uses it, or change `address`')
  })

  test('a certificate that misses', async () => {
    const missing = missingFolder()
    const text = await refusedConfig([
      STORAGE,
      'listener "tcp" {',
      '  address = "127.0.0.1:0"',
      `  tls_cert_file = "${missing}/server.crt"`,
      `  tls_key_file = "${missing}/server.key"`,
      '}',
    ])
    expect(text).toContain(`tls_cert_file: ${missing}/server.crt does not exist`)
    expect(text).toContain('hint: set tls_cert_file to a PEM file that the server may read')
  })

  test('TLS that was not thought of', async () => {
    expect(
      await refusedConfig([STORAGE, 'listener "tcp" {', '  address = "127.0.0.1:0"', '}']),
    ).toMatch(/server\.hcl:2: listener "tcp" needs tls_cert_file and tls_key_file; or set tls_dis/)
  })

  test('a storage in a directory that misses', async () => {
    const missing = missingFolder()
    expect(
      await refusedConfig([
        `storage "sqlite" { path = "${missing}/data/keyhold.db" }`,
        'listener "tcp" { address = "127.0.0.1:0", tls_disable = true }',
      ]),
    ).toContain(
      `the directory ${missing}/data does not exist; create it with: mkdir -p ${missing}/data`,
    )
  })

  test('a pid_file in a directory that misses', async () => {
    const missing = missingFolder()
    const text = await refusedConfig([
      STORAGE,
      'listener "tcp" { address = "127.0.0.1:0", tls_disable = true }',
      `pid_file = "${missing}/keyhold.pid"`,
    ])
    expect(text).toContain(`pid_file: ${missing}/keyhold.pid cannot be written (ENOENT)`)
  })

  test('a socket in a directory that misses', async () => {
    const missing = missingFolder()
    const text = await refusedConfig([STORAGE, `listener "unix" { address = "${missing}/k.sock" }`])
    expect(text).toContain(`${missing}/k.sock lies in a folder that does not exist`)
    expect(text).toContain('hint: make the folder first')
  })
})

test('what listens already is closed again when a later listener cannot', async () => {
  const dir = testFolder()
  const port = await freePort()
  const file = write(dir, 'server.hcl', [
    STORAGE,
    `listener "tcp" { address = "127.0.0.1:${port}", tls_disable = true }`,
    `listener "tcp" { address = "127.0.0.1:${port}", tls_disable = true }`,
  ])
  const ended = await run(['server', `-config=${file}`])
  expect(ended.code).toBe(1)
  expect(ended.err).toContain('is already in use')
})

test('a folder of configuration is read file by file', async () => {
  const dir = testFolder()
  const folder = join(dir, 'keyhold.d')
  mkdirSync(folder)
  write(folder, '10-storage.hcl', [STORAGE])
  write(folder, '20-listener.json', [
    '{"listener": {"tcp": {"address": "127.0.0.1:0", "tls_disable": true}}}',
  ])
  write(folder, 'README', ['not read'])
  const server = start(['server', `-config=${folder}`])
  await server.heard(/server started!/)
  expect(server.out).toMatch(/Listener 1: http:\/\/127\.0\.0\.1:[1-9]/)
})

test('pid_file names the process while it runs; answers name the machine where that is asked for', async () => {
  const dir = testFolder()
  const pidFile = join(dir, 'keyhold.pid')
  const server = await startConfigured({
    dir,
    topLines: [`pid_file = "${pidFile}"`, 'enable_response_header_hostname = true'],
  })
  expect(readFileSync(pidFile, 'utf8')).toBe(`${server.process.pid}\n`)
  const { headers } = await server.api('GET', 'sys/health')
  expect(headers.get('x-vault-hostname')).toBe(hostname())
  server.process.signal('SIGTERM')
  await server.process.ended
  expect(existsSync(pidFile)).toBe(false)
})

describe('the end', () => {
  test('SIGTERM: a request that has begun is answered and kept, new ones are not taken', async () => {
    const server = await startConfigured()
    const keys = await initialize(server)
    const body = JSON.stringify({ data: { slow: 'but sure' } })
    const slow = await openRequest(server.port, {
      method: 'POST',
      path: '/v1/secret/data/slow',
      headers: { 'X-Vault-Token': keys.rootToken, 'Content-Length': String(body.length) },
    })
    slow.send(body.slice(0, 10))
    await slow.begun()
    server.process.signal('SIGTERM')
    await untilRefused(server.port)

    slow.send(body.slice(10))
    expect(await slow.answer()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*connection: close/i)
    expect(await server.process.ended).toMatchObject({ code: 0 })

    const again = await startConfigured({ dir: server.dir })
    await unseal(again, keys)
    const read = await again.api('GET', 'secret/data/slow', { token: keys.rootToken })
    expect(read.json['data']).toMatchObject({ data: { slow: 'but sure' } })
  })

  test('a second signal ends the server at once', async () => {
    const server = await startConfigured()
    const keys = await initialize(server)
    const stuck = await openRequest(server.port, {
      method: 'POST',
      path: '/v1/secret/data/stuck',
      headers: { 'X-Vault-Token': keys.rootToken, 'Content-Length': '100' },
    })
    await stuck.begun()
    server.process.signal('SIGTERM')
    await untilRefused(server.port)

    server.process.signal('SIGTERM')

    expect(await server.process.ended).toMatchObject({ code: 1, signal: null })
  })

  test('what was written before a kill is there after it', async () => {
    const server = await startConfigured()
    const keys = await initialize(server)
    const token = keys.rootToken
    await server.api('POST', 'secret/data/kept', { token, body: { data: { a: 1 } } })
    server.process.signal('SIGKILL')
    await server.process.ended

    const again = await startConfigured({ dir: server.dir })
    await unseal(again, keys)
    expect((await again.api('GET', 'secret/data/kept', { token })).status).toBe(200)
  })
})

test('SIGHUP after a rename: the log goes on in a new file, and no line is lost', async () => {
  const server = await startConfigured()
  const { rootToken: token } = await initialize(server)
  const file = join(server.dir, 'audit.log')
  const enabled = await server.api('POST', 'sys/audit/file', {
    token,
    body: { type: 'file', options: { file_path: file } },
  })
  expect(enabled.status).toBe(204)
  const paths = (name: string): string[] =>
    readFileSync(name, 'utf8')
      .trimEnd()
      .split('\n')
      .map(parseObject)
      .filter(({ type }) => type === 'request')
      .map((entry) => String(memberOf(entry, 'request', 'path')))
  const write = (name: string) =>
    server.api('POST', `secret/data/${name}`, { token, body: { data: {} } })

  await write('before')
  renameSync(file, `${file}.1`)
  await write('renamed')
  server.process.signal('SIGHUP')
  await server.process.heard(/core: reloaded/)
  await write('after')

  expect(paths(`${file}.1`).slice(-2)).toEqual(['secret/data/before', 'secret/data/renamed'])
  expect(paths(file)).toEqual(['secret/data/after'])
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('an audit file that cannot be written stops requests, says why, and goes on once it can', async ({
  skip,
}) => {
  if (process.getuid?.() === 0) skip('root may write whatever the mode is')
  const server = await startConfigured()
  const { rootToken: token } = await initialize(server)
  const file = join(server.dir, 'audit.log')
  await server.api('POST', 'sys/audit/file', {
    token,
    body: { type: 'file', options: { file_path: file } },
  })
  chmodSync(file, 0o400)
  server.process.signal('SIGHUP')
  await server.process.heard(/core: reloaded/)
  expect((await server.api('GET', 'auth/token/lookup-self', { token })).status).toBe(500)
  await server.process.heard(/audit: the device fails.*check the owner and mode/)
  chmodSync(file, 0o600)
  expect((await server.api('GET', 'auth/token/lookup-self', { token })).status).toBe(200)
})

describe('output that nobody reads', () => {
  test('an audit device on a standard output that nobody reads does not stop the server', async () => {
    const server = await startConfigured({ output: 'unread' })
    await untilListening(server)
    const { rootToken: token } = await initialize(server)
    const enable = (name: string, target: string) =>
      server.api('POST', `sys/audit/${name}`, {
        token,
        body: { type: 'file', options: { file_path: target } },
      })
    await enable('stdout', 'stdout')
    const file = join(server.dir, 'audit.log')
    await enable('file', file)

    const statuses = new Map<number, number>()
    for (let round = 0; round < 60; round++) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => server.api('GET', 'auth/token/lookup-self', { token })),
      )
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect(statuses).toEqual(new Map([[200, 3_000]]))
    const written = readFileSync(file, 'utf8').match(/"path":"auth\/token\/lookup-self"/g)
    expect(written).toHaveLength(6_000)
    server.process.signal('SIGTERM')
    expect(await server.process.exited).toBe(0)
  })

  test('as the only device it refuses requests until it is read again, and the rest goes on', async () => {
    const server = await startConfigured({ output: 'unread' })
    await untilListening(server)
    const { rootToken: token } = await initialize(server)
    await server.api('POST', 'sys/audit/stdout', {
      token,
      body: { type: 'file', options: { file_path: 'stdout' } },
    })
    const lookup = () => server.api('GET', 'auth/token/lookup-self', { token })
    let refused = await lookup()
    for (let i = 0; i < 3_000 && refused.status === 200; i++) refused = await lookup()
    expect(refused.status).toBe(500)
    expect(refused.text).toContain('internal error')
    expect((await server.api('GET', 'sys/health')).status).toBe(200)

    server.process.read()
    await server.process.heard(/audit: the device fails.*has stopped reading/)
    let answered = await lookup()
    for (let i = 0; i < 3_000 && answered.status !== 200; i++) answered = await lookup()
    expect(answered.status).toBe(200)
    await server.process.heard(/audit: the device works again/)
    const lines = server.process.out.split('\n').filter((line) => line.startsWith('{'))
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow()
  })

  test('a reader of the log that is gone does not stop the server', async () => {
    const server = await startConfigured()
    const { rootToken: token } = await initialize(server)
    server.process.leave()
    server.process.signal('SIGHUP')
    for (let i = 0; i < 5; i++) {
      await server.api('PUT', 'sys/seal', { token })
      expect((await server.api('GET', 'sys/health')).status).toBe(503)
      server.process.signal('SIGHUP')
    }
    server.process.signal('SIGTERM')
    expect(await server.process.exited).toBe(0)
  })
})

async function untilListening({ port, process }: ConfiguredServer): Promise<void> {
  let isOver = false
  void process.exited.then(() => (isOver = true))
  while (!(await isOpen(port))) {
    if (isOver) throw new Error('the server ended before it listened')
    await setImmediate()
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

test('monitoring needs no token at the listener that says so, and at no other; text can be turned off', async () => {
  const dir = testFolder()
  const other = await freePort()
  const server = await startConfigured({
    dir,
    listenerLines: [
      'telemetry { unauthenticated_metrics_access = true }',
      'inflight_requests_logging { unauthenticated_in_flight_requests_access = true }',
    ],
    topLines: [
      'telemetry { prometheus_retention_time = "0s" }',
      `listener "tcp" { address = "127.0.0.1:${other}", tls_disable = true }`,
    ],
  })
  await initialize(server)

  const closed = apiClient(`http://127.0.0.1:${other}`)
  for (const path of ['sys/metrics', 'sys/in-flight-req']) {
    expect(await server.api('GET', path)).toMatchObject({ status: 200 })
    expect(await closed('GET', path)).toMatchObject({ status: 403 })
  }
  expect(await server.api('GET', 'sys/metrics?format=prometheus')).toMatchObject({
    status: 400,
    text: expect.stringContaining('prometheus is not enabled') as unknown,
  })
  expect(server.process.err).not.toContain('no effect')
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { parsePublicKey } from '../../../core/audit/chain/keys.ts'
import { ChainVerifier } from '../../../core/audit/chain/verify.ts'
import { memberOf } from '../../../test/support/json.ts'
import { startCluster } from '../../../test/support/kit.ts'
import { portOf } from '../../../test/support/free-port.ts'

async function start() {
  const directory = mkdtempSync(join(tmpdir(), 'audit-paths-'))
  const cluster = await startCluster({ auditDirectory: directory })
  onTestFinished(async () => {
    await cluster.close()
    rmSync(directory, { recursive: true })
  })
  const enable = (mode: string) =>
    cluster.write('sys/audit/a', { type: 'file', options: { file_path: `${directory}/a`, mode } })
  return { cluster, directory, enable }
}

test('a mode with executable bits is taken without them, and the log says which mode it is', async () => {
  const { cluster, enable } = await start()

  expect(await enable('0777')).toMatchObject({ status: 204 })

  expect(cluster.warnings).toEqual([
    expect.stringMatching(/^audit: a\/: the audit file gets the mode 0666: /),
  ])
})

test('a mode that the file gets is no reason for a warning', async () => {
  const { cluster, enable } = await start()

  expect(await enable('0640')).toMatchObject({ status: 204 })

  expect(cluster.warnings).toEqual([])
})

test('of several devices one may be the fallback', async () => {
  const { cluster } = await start()
  const enable = (path: string, options: object) =>
    cluster.write(`sys/audit/${path}`, {
      type: 'file',
      options: { file_path: 'discard', ...options },
    })
  expect((await enable('a', { fallback: 'true' })).status).toBe(204)

  const second = await enable('b', { fallback: 'true' })

  expect([second.status, second.errors]).toEqual([
    400,
    ['cannot enable a second fallback device: there is one already'],
  ])
  expect((await enable('b', { fallback: 'false' })).status).toBe(204)
})

test('where filters leave gaps the log says so, until there is a device for the rest', async () => {
  const { cluster } = await start()
  const enable = (path: string, options: object) =>
    cluster.write(`sys/audit/${path}`, {
      type: 'file',
      options: { file_path: 'discard', ...options },
    })
  const gaps =
    'audit: every device has a filter, so what no filter lets through is recorded nowhere: enable a device with fallback=true'

  await enable('rest', { fallback: 'true' })
  await enable('kv', { filter: 'mount_type == kv' })
  expect(cluster.warnings).toEqual([])
  await cluster.remove('sys/audit/rest')
  expect(cluster.warnings).toEqual([gaps])
  await cluster.remove('sys/audit/kv')
  expect(cluster.warnings).toEqual([gaps])
  await enable('kv', { filter: 'mount_type == kv' })
  expect(cluster.warnings).toEqual([gaps, gaps])
})

async function logServer() {
  let received = ''
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => (received += bytes.toString()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  const address = `127.0.0.1:${portOf(server)}`
  return { address, received: () => received }
}

test('a socket device gets the test line, and then the requests', async () => {
  const { cluster } = await start()
  const { address, received } = await logServer()

  const enabled = await cluster.write('sys/audit/s', { type: 'socket', options: { address } })
  await cluster.read('auth/token/lookup-self')

  expect(enabled.status).toBe(204)
  await vi.waitFor(() => {
    expect(received()).toContain('sys/audit/test')
    expect(received()).toContain('"path":"auth/token/lookup-self"')
  })
})

test('a device whose log server does not listen is refused, but not with "skip_test"', async () => {
  const { cluster, enable } = await start()
  await enable('0600')
  const options = { address: '127.0.0.1:1' }

  const refused = await cluster.write('sys/audit/s', { type: 'socket', options })
  const taken = await cluster.write('sys/audit/s', {
    type: 'socket',
    options: { ...options, skip_test: 'true' },
  })
  const answer = await cluster.read('auth/token/lookup-self')

  expect(refused).toMatchObject({
    status: 400,
    errors: [expect.stringMatching(/^audit backend failed test message: nobody listens/)],
  })
  expect(taken.status).toBe(204)
  expect(answer.status, 'the file has the entry').toBe(200)
})

test('a device with "chain" shows the public key of its checkpoints, the same on each node; others show none', async () => {
  const { cluster, directory } = await start()
  const enable = (name: string, options: object) =>
    cluster.write(`sys/audit/${name}`, {
      type: 'file',
      options: { file_path: `${directory}/${name}.log`, ...options },
    })

  expect(await enable('c', { chain: 'true' })).toMatchObject({ status: 204 })
  expect(await enable('d', { chain: 'false' })).toMatchObject({ status: 204 })
  expect(await enable('e', { chain: 'perhaps' })).toMatchObject({ status: 400 })
  expect(await enable('f', { chain: 'true', file_path: 'stdout' })).toMatchObject({
    status: 400,
    errors: [expect.stringContaining('"chain" needs a file')],
  })

  const [one, other] = [await cluster.read('sys/audit'), await cluster.read('sys/audit')]
  expect(one.data['c/']).toMatchObject({ chain_public_key: expect.stringMatching(/^.{43}=$/) })
  expect(other.data['c/']).toEqual(one.data['c/'])
  expect(one.data['d/']).not.toHaveProperty('chain_public_key')
})

test('what two nodes write to one file with "chain" holds against that key', async () => {
  const { cluster, directory } = await start()
  const options = { file_path: `${directory}/c.log`, chain: 'true' }
  await cluster.write('sys/audit/c', { type: 'file', options })
  for (let i = 0; i < 6; i++) await cluster.read('auth/token/lookup-self')
  const devices = await cluster.read('sys/audit')
  await cluster.close()

  const key = parsePublicKey(String(memberOf(devices.data, 'c/', 'chain_public_key')))
  if (key === undefined) throw new Error('no key')
  const verifier = new ChainVerifier(key)
  readFileSync(options.file_path, 'utf8')
    .trimEnd()
    .split('\n')
    .forEach((line, at) => verifier.take(line, { file: 'c', line: at + 1 }))

  expect(verifier.finish()).toMatchObject({ findings: [], notes: [] })
})

test('a log server that hangs costs the requests of that moment the write timeout; those after them fail at once', async () => {
  const { cluster } = await start()
  let posts = 0
  const silent = createHttpServer(() => posts++)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    silent.closeAllConnections()
    silent.close()
  })
  const uri = `http://127.0.0.1:${portOf(silent)}`
  const options = { uri, write_timeout: '200ms', skip_test: 'true', batch: 'true' }
  const enabled = cluster.write('sys/audit/h', { type: 'http', options }, { node: 0 })
  await vi.waitFor(() => expect(posts).toBe(1))
  cluster.clock.advance('200ms')
  expect((await enabled).status).toBe(500)
  cluster.clock.advance('1s')
  const read20 = async () => {
    const reads = Array.from({ length: 20 }, () =>
      cluster.read('auth/token/lookup-self', { node: 0 }),
    )
    return new Set((await Promise.all(reads)).map(({ status }) => status))
  }

  const waiting = read20()
  await vi.waitFor(() => expect(posts).toBe(2))
  cluster.clock.advance('200ms')
  expect(await waiting).toEqual(new Set([500]))

  expect(await read20(), 'while the clock stands still').toEqual(new Set([500]))
  expect(posts).toBe(2)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
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
  return { cluster, enable }
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

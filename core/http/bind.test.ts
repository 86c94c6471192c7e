import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ListenerRefused } from './listener-refused.ts'
import { raw } from './testing/raw-client.ts'
import { closeListeners, startListener } from './testing/test-listener.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'listener-'))
})
afterEach(async () => {
  await closeListeners()
  await rm(folder, { recursive: true })
})

const unix = (file: string, mode = 0o600) =>
  ({ address: { kind: 'unix', path: file, mode } }) as const
const tcp = (host: string, port: number) => ({ address: { kind: 'tcp', host, port } }) as const
async function refusal(change: Parameters<typeof startListener>[0]): Promise<string> {
  const error: unknown = await startListener(change).catch((caught: unknown) => caught)
  if (!(error instanceof ListenerRefused)) throw new Error('not refused', { cause: error })
  return `${error.message} | ${error.hint}`
}

test('a unix socket answers, for its owner only, and is gone after the end', async () => {
  const file = path.join(folder, 's')
  const { listener, connect } = await startListener(unix(file))
  expect(listener.url).toBe(`unix://${file}`)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await (await connect()).ask(raw('LIST', '/v1/x')))?.body).toContain(
    '"method":"LIST","path":"/v1/x"',
  )
  await listener.stop(0)
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a unix socket has the mode that was asked for, whatever the umask', async () => {
  const old = process.umask(0o077)
  try {
    await startListener(unix(path.join(folder, 's'), 0o660))
  } finally {
    process.umask(old)
  }
  expect((await stat(path.join(folder, 's'))).mode & 0o777).toBe(0o660)
  expect(process.umask()).toBe(old)
})

test('a socket file that a killed server left is replaced', async () => {
  const file = path.join(folder, 's')
  const dead = net.createServer()
  await once(dead.listen(path.join(folder, 'other')), 'listening')
  await import('node:fs/promises').then((fs) => fs.rename(path.join(folder, 'other'), file))
  await new Promise((resolve) => dead.close(resolve)) // unlinks the name that it no longer has
  const { connect } = await startListener(unix(file))
  expect((await (await connect()).ask(raw('GET', '/v1/x')))?.status).toBe(200)
})

test('a socket on which another server answers is left alone', async () => {
  const file = path.join(folder, 's')
  const { connect } = await startListener(unix(file))
  expect(await refusal(unix(file))).toBe(
    `another server answers on the socket ${file} | stop that server, or give another address to the listener "unix"`,
  )
  expect((await (await connect()).ask(raw('GET', '/v1/x')))?.status).toBe(200)
})

test('a file that is no socket is left alone', async () => {
  const file = path.join(folder, 's')
  await writeFile(file, 'precious')
  expect(await refusal(unix(file))).toContain(`${file} exists and is no socket`)
  expect((await stat(file)).size).toBe(8)
})

test('a socket in a folder that does not exist is refused', async () => {
  const file = path.join(folder, 'no', 's')
  expect(await refusal(unix(file))).toBe(
    `the listener address ${file} lies in a folder that does not exist | make the folder first`,
  )
})

test('a socket path that is too long is refused', async () => {
  expect(await refusal(unix(path.join(folder, 'x'.repeat(120))))).toContain(
    'at most 107 characters',
  )
})

test('a port in use is refused, with what to do', async () => {
  const { port } = await startListener()
  expect(await refusal(tcp('127.0.0.1', port))).toBe(
    `the listener address 127.0.0.1:${port} is already in use | stop the program that uses it, or change \`address\` of the listener`,
  )
})

test('an address of another machine is refused', async () => {
  expect(await refusal(tcp('192.0.2.1', 0))).toContain(
    'the listener address 192.0.2.1:0 does not belong to this machine',
  )
})

test('several listeners share one application', async () => {
  const one = await startListener()
  const two = await startListener(unix(path.join(folder, 's')))
  expect((await (await one.connect()).ask(raw('GET', '/v1/x')))?.body).toContain(
    '"address":"127.0.0.1"',
  )
  expect((await (await two.connect()).ask(raw('GET', '/v1/x')))?.body).toContain('"address":""')
})

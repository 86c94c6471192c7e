import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { ChainedDevice } from '../../core/audit/chain/device.ts'
import { publicKeyText, signingKey } from '../../core/audit/chain/keys.ts'
import { FileDevice } from '../../core/audit/file.ts'
import { systemClock } from '../../core/clock.ts'
import { systemRandom } from '../../core/random.ts'
import { portOf } from '../../test/support/free-port.ts'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

const SIGNING_KEY = signingKey(Buffer.alloc(32, 7))
const PUBLIC_KEY = publicKeyText(SIGNING_KEY)

let directory: string
let path: string
beforeEach(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'keyhold-verify-')))
  path = join(directory, 'audit.log')
  const sink = { kind: 'file', path, mode: 0o600, auditDirectory: directory } as const
  const file = new FileDevice(sink, systemClock)
  const parts = { file, signingKey: SIGNING_KEY, clock: systemClock, random: systemRandom }
  const device = new ChainedDevice(parts)
  await device.write('{"path":"ä\u2028"}\n{"path":"b"}\n')
  device.close()
})
afterEach(() => rmSync(directory, { recursive: true }))

async function run(args: readonly string[], address = 'http://127.0.0.1:1') {
  const terminal = fakeTerminal({
    env: { VAULT_ADDR: address, VAULT_TOKEN: 'hvs.root-token' },
    home: directory,
  })
  const command = ['audit', 'verify', ...args]
  const exitCode = await runCommandLine(command, terminal, programNamed('keyhold'))
  return { exitCode, ...terminal.written }
}

test('a file that is as it was written is said to be', async () => {
  expect(await run([`-public-key=${PUBLIC_KEY}`, path])).toEqual({
    exitCode: 0,
    out: '2 entries are signed and as they were written.\n',
    err: '',
  })
})

test('what was altered is named by file and line, also where bytes are no text', async () => {
  const bytes = readFileSync(path)
  bytes[bytes.indexOf('ä')] = 0xff
  writeFileSync(path, bytes)

  const { exitCode, out } = await run([`-public-key=${PUBLIC_KEY}`, path])

  expect(exitCode).toBe(2)
  expect(out).toContain(`${path}:2: entry 1 was altered\n`)
})

test('without the key it is asked from the server', async () => {
  const devices = { 'f/': { type: 'file', chain_public_key: PUBLIC_KEY }, 'g/': { type: 'file' } }
  const server = createServer((_, response) => response.end(JSON.stringify({ data: devices })))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  const address = `http://127.0.0.1:${portOf(server)}`

  expect(await run(['-path=f', path], address)).toMatchObject({ exitCode: 0 })
  expect(await run(['-path=g', path], address)).toMatchObject({
    exitCode: 2,
    err: 'There is no audit device with chain=true at: g/\n',
  })
})

test('a file of another device, or without chains, is no success', async () => {
  writeFileSync(path, '{"path":"a"}\n')

  const { exitCode, err } = await run([`-public-key=${PUBLIC_KEY}`, path])

  expect(exitCode).toBe(2)
  expect(err).toContain('Nothing in these files is signed by this key.')
})

test('a key that is none, and a file that is not there, are said', async () => {
  const [noKey, noFile] = [
    await run(['-public-key=x', path]),
    await run([`-public-key=${PUBLIC_KEY}`, '/n']),
  ]

  expect(noKey).toMatchObject({ exitCode: 1, err: expect.stringContaining('chain_public_key') })
  expect(noFile).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining('Error reading /n: no such file or directory'),
  })
})

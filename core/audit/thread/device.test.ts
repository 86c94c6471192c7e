import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestClock } from '../../../test/support/clock.ts'
import { publicKeyText, parsePublicKey, signingKey } from '../chain/keys.ts'
import { ChainVerifier } from '../chain/verify.ts'
import { ThreadDevice } from './device.ts'
import { startFileThread } from './start.ts'

const TIMEOUT_MS = 2_000
/** More than a pipe holds. */
const MANY = 'x'.repeat(1024 * 1024)

let directory = ''
let path = ''
let clock: TestClock

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'audit-thread-')))
  path = join(directory, 'audit.log')
  clock = new TestClock()
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const content = () => readFileSync(path, 'utf8')

function open(key?: ReturnType<typeof signingKey>): ThreadDevice {
  const start = () => startFileThread({ sink: fileSink(), signingKey: key })
  return new ThreadDevice({ start, timeoutMs: TIMEOUT_MS, clock })
}

test('lines are appended in order, by a thread that ends with the device', async () => {
  const device = open()
  await device.write('one\n')
  await device.write('two ä\nthree\n')
  renameSync(path, `${path}.1`)
  device.reopen()
  await device.write('four\n')
  await device.close()
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\ntwo ä\nthree\n')
  expect(content()).toBe('four\n')
})

test('what the file says goes to who waits', async () => {
  const device = open()
  rmSync(directory, { recursive: true })
  await expect(device.write('one\n')).rejects.toThrow('does not exist')
  await device.close()
})

test('a chain is signed to its end before the device is closed', async () => {
  const key = signingKey(Buffer.alloc(32, 7))
  const device = open(key)
  await device.write('{"a":1}\n{"a":2}\n')
  await device.close()
  const publicKey = parsePublicKey(publicKeyText(key))
  const verifier = new ChainVerifier(publicKey ?? key)
  const lines = content().trimEnd().split('\n')
  lines.forEach((line, at) => verifier.take(line, { file: 'f', line: at + 1 }))
  expect(verifier.finish()).toEqual({ findings: [], notes: [], intact: 2 })
})

test('a file that hangs fails its writes after the timeout, then at once; when it goes on, so do they', async () => {
  execFileSync('mkfifo', [path])
  const pipe = openSync(path, constants.O_RDWR)
  const script = new URL('./hanging.fixture.ts', import.meta.url)
  const start = () => new Worker(script, { workerData: { pipe }, env: {}, execArgv: [] })
  const device = new ThreadDevice({ start, timeoutMs: TIMEOUT_MS, clock })
  await device.write('one\n')

  const hanging = device.write(MANY)
  clock.advance('2s')
  await expect(hanging).rejects.toThrow('takes nothing within the "write_timeout"')
  await expect(device.write('two\n')).rejects.toThrow('takes nothing within the "write_timeout"')

  drain(MANY.length)
  await untilWritten(device, 'three\n')
  await device.close()
  closeSync(pipe)
})

function drain(bytes: number): void {
  const reader = openSync(path, constants.O_RDONLY)
  for (let left = bytes; left > 0;) left -= readSync(reader, Buffer.alloc(65_536))
  closeSync(reader)
}

/** The thread needs a moment to say that it is through. */
async function untilWritten(device: ThreadDevice, lines: string): Promise<void> {
  for (;;) {
    try {
      await device.write(lines)
      return
    } catch {
      await nextTurn()
    }
  }
}

test('a thread that dies fails its write, and another one takes the next', async () => {
  const dead = "require('worker_threads').parentPort.once('message', () => process.exit())"
  const starts = [
    () => new Worker(dead, { eval: true }),
    () => startFileThread({ sink: fileSink(), signingKey: undefined }),
  ]
  const device = new ThreadDevice({
    start: () => (starts.shift() ?? fails)(),
    timeoutMs: TIMEOUT_MS,
    clock,
  })
  await expect(device.write('one\n')).rejects.toThrow('the thread of the audit file has died')
  await device.write('two\n')
  await device.close()
  expect(content()).toBe('two\n')
})

function fails(): never {
  throw new Error('started once too often')
}

function fileSink() {
  return { kind: 'file', path, mode: 0o600, auditDirectory: directory } as const
}

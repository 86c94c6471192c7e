import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '../clock.ts'
import { AuditWriteFailed } from './failures.ts'
import { FileDevice } from './file.ts'
import { validateDevice } from './options.ts'

let directory = ''
let path = ''
let nowMs = 0
/** Each look at the clock takes `stepMs`: with many, a write looks slow. */
let stepMs = 0
const clock: Clock = {
  nowMs: () => nowMs,
  monotonicMs: () => (nowMs += stepMs),
  after: () => () => undefined,
}

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'audit-file-')))
  path = join(directory, 'audit.log')
  nowMs = 0
  stepMs = 0
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const openFile = (mode: number | 'keep' = 0o600) =>
  new FileDevice({ kind: 'file', path, mode, auditDirectory: directory }, clock)
const content = () => readFileSync(path, 'utf8')
const modeOf = () => statSync(path).mode & 0o7777

test('lines are appended, to what is there already', async () => {
  writeFileSync(path, 'old\n')
  const device = openFile()
  await device.write('one\n')
  await device.write('two ä\nthree\n')
  expect(content()).toBe('old\none\ntwo ä\nthree\n')
  device.close()
})

describe('the mode of the file', () => {
  let umask = 0
  beforeEach(() => (umask = process.umask(0)))
  afterEach(() => process.umask(umask))

  test.each([0, 0o077, 0o777])('is 0600 when new, under umask %s', (mask) => {
    process.umask(mask)
    for (const mode of [0o600, 'keep'] as const) {
      rmSync(path, { force: true })
      openFile(mode).check()
      expect(modeOf()).toBe(0o600)
    }
  })

  test('is the one asked for, also of a file that exists', () => {
    writeFileSync(path, '', { mode: 0o644 })
    openFile(0o640).check()
    expect(modeOf()).toBe(0o640)
  })

  test('is kept if asked for, but for executable bits', () => {
    writeFileSync(path, '')
    chmodSync(path, 0o4755)
    openFile('keep').check()
    expect(modeOf()).toBe(0o644)
  })
})

test('whatever mode an option asks for, from 0 to 07777, the file is regular and not executable', () => {
  for (let bits = 0; bits <= 0o7777; bits++) {
    const options = { file_path: path, mode: bits.toString(8).padStart(4, '0') }
    const { sink } = validateDevice('file', options, { auditDirectory: directory })
    if (sink.kind !== 'file') throw new Error('not a file')
    const device = new FileDevice(sink, clock)
    device.check()
    device.close()
    if ((modeOf() & ~0o666) !== 0)
      throw new Error(`mode ${options.mode} gives ${modeOf().toString(8)}`)
  }
})

describe('refused, with what to do', () => {
  test('a symbolic link, even inside the directory', async () => {
    writeFileSync(join(directory, 'target'), '')
    symlinkSync(join(directory, 'target'), path)
    await expect(openFile().write('x\n')).rejects.toThrow('symbolic link')
    expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('')
  })

  test('a directory that has become a link to elsewhere', async () => {
    mkdirSync(join(directory, 'sub'))
    mkdirSync(join(directory, 'other'))
    const sink = {
      kind: 'file',
      path: join(directory, 'sub', 'a'),
      mode: 0o600,
      auditDirectory: join(directory, 'sub'),
    } as const
    const device = new FileDevice({ ...sink, path: join(directory, 'other', 'a') }, clock)
    await expect(device.write('x\n')).rejects.toThrow('"audit_directory"')
    expect(existsSync(join(directory, 'other', 'a'))).toBe(false)
  })

  test('a directory', () => {
    mkdirSync(path)
    expect(() => openFile().check()).toThrow(AuditWriteFailed)
  })

  test('a FIFO, without waiting for its reader', () => {
    execFileSync('mkfifo', [path])
    expect(() => openFile().check()).toThrow('not a regular file')
  })

  test('a directory that misses; it works once it is there', async () => {
    const device = openFile()
    rmSync(directory, { recursive: true })
    await expect(device.write('x\n')).rejects.toThrow('does not exist')
    mkdirSync(directory)
    await device.write('y\n')
    expect(content()).toBe('y\n')
  })
})

test('after the file was moved away, reopen goes on with a new one', async () => {
  const device = openFile()
  await device.write('one\n')
  renameSync(path, `${path}.1`)
  await device.write('two\n')
  device.reopen()
  await device.write('three\n')
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\ntwo\n')
  expect(content()).toBe('three\n')
})

test('a file that was deleted is made anew within a second', async () => {
  const device = openFile()
  await device.write('one\n')
  rmSync(path)
  nowMs += 1_000
  await device.write('two\n')
  expect(content()).toBe('two\n')
})

test('a file that was moved away is left within a second, and loses no line', async () => {
  const device = openFile()
  await device.write('one\n')
  renameSync(path, `${path}.1`)
  await device.write('two\n')
  nowMs += 1_000
  await device.write('three\n')
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\ntwo\n')
  expect(content()).toBe('three\n')
})

test('a line that was cut off is ended before the next one', async () => {
  writeFileSync(path, '{"cut":')
  const device = openFile()
  await device.write('{}\n')
  await device.write('{}\n')
  expect(content()).toBe('{"cut":\n{}\n{}\n')
})

test('a full disk fails the write; the next one after it starts at the beginning of a line', async () => {
  // The limit is the process's own: 12 bytes of this file, then EFBIG.
  const script = `
    import { FileDevice } from ${JSON.stringify(new URL('./file.ts', import.meta.url).href)}
    import { systemClock } from ${JSON.stringify(new URL('../clock.ts', import.meta.url).href)}
    process.on('SIGXFSZ', () => undefined)
    const device = new FileDevice({ kind: 'file', path: process.argv[1], mode: 0o600, auditDirectory: process.argv[2] }, systemClock)
    await device.write('one\\n'.repeat(250))
    const failure = await device.write('two\\n'.repeat(9).slice(1)).catch((error) => error)
    console.log(failure.message)
  `
  const output = execFileSync(
    'sh',
    [
      '-c',
      'ulimit -f 2; exec "$0" --input-type=module -e "$1" "$2" "$3"',
      process.execPath,
      script,
      path,
      directory,
    ],
    { encoding: 'utf8' },
  )
  expect(output).toContain('largest size')
  expect(content()).toMatch(/^(one\n){250}/)
  await openFile().write('three\n')
  expect(content()).toMatch(/\nthree\n$/)
})

test('after a slow write the next ones go through the pool, in order, and then no longer', async () => {
  const device = openFile()
  stepMs = 30
  await device.write('one\n')
  stepMs = 0
  const pooled = device.write('two\n')
  device.reopen()
  await pooled
  await device.write('three\n')
  nowMs += 10_000
  await device.write('four\n')
  expect(content()).toBe('one\ntwo\nthree\nfour\n')
})

test('a write of many lines is not slow for taking longer than one of few', async () => {
  const device = openFile()
  stepMs = 30
  await device.write('x'.repeat(16 * 1024 * 1024))
  let written = false
  void device.write('y').then(() => (written = true))
  // What goes through the pool is not done before the next turn.
  for (let i = 0; i < 10; i++) await Promise.resolve()
  expect(written).toBe(true)
})

test('processes may share a file', async () => {
  const [one, other] = [openFile(), openFile()]

  for (let i = 0; i < 20; i++) await Promise.all([one.write('aaaa\n'), other.write('bbbb\n')])
  expect(content().split('\n').filter(Boolean).sort().join('')).toBe(
    'aaaa'.repeat(20) + 'bbbb'.repeat(20),
  )
})

import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock, type Clock } from '../clock.ts'
import { BadRequest } from '../errors.ts'
import { FileDevice } from './file.ts'
import { readRotation, type Rotation } from './rotation.ts'

let directory = ''
let path = ''
let laterMs = 0
const clock: Clock = {
  nowMs: () => systemClock.nowMs() + laterMs,
  monotonicMs: () => laterMs,
  after: () => () => undefined,
}

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'audit-rotation-')))
  path = join(directory, 'audit.log')
  laterMs = 0
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function open(rotation: Partial<Rotation>): FileDevice {
  const all = { bytes: undefined, ageMs: undefined, maxFiles: undefined, ...rotation }
  return new FileDevice(
    { kind: 'file', path, mode: 0o600, auditDirectory: directory, rotation: all },
    clock,
  )
}
/** What the files hold, the oldest first, the current one last. */
function contents(): string[] {
  const rotated = readdirSync(directory).filter((name) =>
    /^audit\.log\.\d{8}T\d{9}Z-[0-9a-f]{8}$/.test(name),
  )
  return [...rotated.toSorted(), 'audit.log'].map((name) =>
    readFileSync(join(directory, name), 'utf8'),
  )
}

test('a file is rotated before it grows beyond its size; no line is lost or torn', async () => {
  const device = open({ bytes: 10 })
  for (const line of ['one', 'two', 'three', 'a line that is longer', 'four']) {
    await device.write(`${line}\n`)
    laterMs += 1
  }
  expect(contents()).toEqual(['one\ntwo\n', 'three\n', 'a line that is longer\n', 'four\n'])
})

test('what the file had before, or another process has written, counts', async () => {
  writeFileSync(path, '12345678\n')
  const [one, other] = [open({ bytes: 12 }), open({ bytes: 12 })]
  await one.write('one\n')
  await other.write('two\n')
  laterMs += 1_000
  await one.write('three\n')
  await other.write('four\n')
  expect(contents().join('')).toBe('12345678\none\ntwo\nthree\nfour\n')
  expect(contents()[0]).toBe('12345678\n')
})

test('a file is rotated at its age, also after a restart', async () => {
  await open({ ageMs: 60_000 }).write('one\n')
  laterMs += 59_000
  await open({ ageMs: 60_000 }).write('two\n')
  laterMs += 2_000
  await open({ ageMs: 60_000 }).write('three\n')
  expect(contents()).toEqual(['one\ntwo\n', 'three\n'])
})

test('of the rotated files the newest stay, and nothing else is deleted', async () => {
  const others = [
    'audit.log.1',
    'audit.log.20260101T000000000Z',
    'other.log.20260101T000000000Z-12345678',
  ]
  for (const other of others) writeFileSync(join(directory, other), '')
  const device = open({ bytes: 4, maxFiles: 2 })
  for (const line of ['one', 'two', 'three', 'four', 'five']) {
    await device.write(`${line}\n`)
    laterMs += 1
  }
  expect(contents()).toEqual(['three\n', 'four\n', 'five\n'])
  expect(readdirSync(directory)).toEqual(expect.arrayContaining(others))
})

test('after a slow write it rotates through the pool as well', async () => {
  let stepMs = 30
  const slow: Clock = { ...clock, monotonicMs: () => (laterMs += stepMs) }
  const rotation = { bytes: 6, ageMs: undefined, maxFiles: undefined }
  const device = new FileDevice(
    { kind: 'file', path, mode: 0o600, auditDirectory: directory, rotation },
    slow,
  )
  await device.write('one\n')
  stepMs = 0
  await device.write('two\n')
  await device.write('three\n')
  expect(contents()).toEqual(['one\n', 'two\n', 'three\n'])
})

test('files that are rotated in one millisecond sort in their order', async () => {
  const stopped: Clock = { ...clock, nowMs: () => Date.UTC(2026, 0, 1) }
  const rotation = { bytes: 1, ageMs: undefined, maxFiles: undefined }
  const device = new FileDevice(
    { kind: 'file', path, mode: 0o600, auditDirectory: directory, rotation },
    stopped,
  )
  const lines = Array.from({ length: 8 }, (_, i) => `${i}\n`)
  for (const line of lines) await device.write(line)
  expect(contents()).toEqual(lines)
})

describe('options', () => {
  test('none: no rotation', () => {
    expect(readRotation({})).toBeUndefined()
  })

  test('all of them', () => {
    expect(
      readRotation({ rotate_bytes: '65536', rotate_duration: '24h', rotate_max_files: '7' }),
    ).toEqual({ bytes: 65_536, ageMs: 86_400_000, maxFiles: 7 })
  })

  test.each([
    { rotate_max_files: '3' },
    { rotate_bytes: '65535' },
    { rotate_bytes: '1e9' },
    { rotate_bytes: '' },
    { rotate_bytes: '65536', rotate_max_files: '0' },
    { rotate_bytes: '65536', rotate_max_files: '-1' },
    { rotate_duration: '59s' },
    { rotate_duration: 'daily' },
  ])('%j is refused', (options) => {
    expect(() => readRotation(options)).toThrow(BadRequest)
  })
})

test.skipIf(process.getuid?.() === 0)(
  'a directory in which nothing can be renamed is refused at once',
  () => {
    writeFileSync(path, '')
    chmodSync(directory, 0o500)
    expect(() => open({ bytes: 10 }).check()).toThrow('may not rename')
    chmodSync(directory, 0o700)
  },
)

import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Clock } from '../clock.ts'
import { StdoutDevice } from './stdout.ts'

/** Waiting takes no time here: a callback runs in the next turn, and the clock has gone on by its span. */
function leapingClock(): Clock {
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(spanMs, callback) {
      const immediate = setImmediate(() => {
        nowMs += spanMs
        callback()
      })
      return () => clearImmediate(immediate)
    },
  }
}

let directory = ''
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'audit-stdout-'))))
afterEach(() => rmSync(directory, { recursive: true }))

function pipe(): { reader: number; writer: number } {
  const path = join(directory, 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { reader, writer: openSync(path, constants.O_WRONLY) }
}

function readAll(reader: number): string {
  const buffer = Buffer.alloc(1024 * 1024)
  let length = 0
  try {
    for (;;) {
      const read = readSync(reader, buffer, length, buffer.length - length, null)
      if (read === 0) break
      length += read
    }
  } catch {
    // EAGAIN: the pipe is empty.
  }
  return buffer.toString('utf8', 0, length)
}

test('a reader that stops reading fails the write in time, and later ones at once, until it goes on', async () => {
  const { reader, writer } = pipe()
  const clock = leapingClock()
  const device = new StdoutDevice(clock, writer)
  await device.write('first\n')
  const long = `${'x'.repeat(1023)}\n`.repeat(256)

  await expect(device.write(long)).rejects.toThrow('stopped reading')
  expect(clock.monotonicMs()).toBe(2_000)
  await expect(device.write('second\n')).rejects.toThrow('stopped reading')
  expect(clock.monotonicMs()).toBe(2_000)

  const before = readAll(reader)
  await device.write('third\n')
  expect(`${before}${readAll(reader)}`).toMatch(/^first\n(x+\n)*x*\nthird\n$/)
  device.close()
  closeSync(writer)
  closeSync(reader)
})

test('a line that a slow reader takes bit by bit arrives whole', async () => {
  const { reader, writer } = pipe()
  let seen = ''
  const clock = leapingClock()
  const device = new StdoutDevice(
    {
      ...clock,
      after: (ms, callback) => clock.after(ms, () => ((seen += readAll(reader)), callback())),
    },
    writer,
  )
  const long = `${'y'.repeat(300_000)}\n`
  await device.write(long)
  expect(seen + readAll(reader)).toBe(long)
  closeSync(writer)
  closeSync(reader)
})

test('a reader that is gone is an error', async () => {
  const { reader, writer } = pipe()
  const device = new StdoutDevice(leapingClock(), writer)
  closeSync(reader)
  await expect(device.write('x\n')).rejects.toThrow('the reader of standard output is gone')
  closeSync(writer)
})

test('standard output that is a file is written where it stands', async () => {
  const path = join(directory, 'out')
  const output = openSync(path, 'w')
  const device = new StdoutDevice(leapingClock(), output)
  await device.write('one\n')
  await device.write('two\n')
  device.close()
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
  closeSync(output)
})

test('standard output that is a socket is written through a stream', async () => {
  const script = `
    import { fstatSync } from 'node:fs'
    import { StdoutDevice } from ${JSON.stringify(new URL('./stdout.ts', import.meta.url).href)}
    import { systemClock } from ${JSON.stringify(new URL('../clock.ts', import.meta.url).href)}
    if (!fstatSync(1).isSocket()) throw new Error('not what the test is about')
    const device = new StdoutDevice(systemClock)
    await device.write('one\\n')
    await device.write('two\\n')
  `
  // Node gives its children sockets for pipes.
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect(await text(child.stdout)).toBe('one\ntwo\n')
})

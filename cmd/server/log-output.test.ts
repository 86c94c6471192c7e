import { execFileSync } from 'node:child_process'
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
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogOutput } from './log-output.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keyhold-log-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const notice = (count: number): string => `${count} lines are missing\n`

/** A pipe of which we hold both ends: `O_RDWR` so that opening it waits for nobody. */
function pipe(): number {
  const path = join(dir, 'pipe')
  execFileSync('mkfifo', [path])
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
}

function readAll(fd: number): string {
  const chunks: Buffer[] = []
  const chunk = Buffer.alloc(65_536)
  for (;;) {
    try {
      const length = readSync(fd, chunk)
      chunks.push(Buffer.from(chunk.subarray(0, length)))
    } catch {
      return Buffer.concat(chunks).toString()
    }
  }
}

test('a file gets each line at once', () => {
  const path = join(dir, 'log')
  const fd = openSync(path, 'a')
  const output = openLogOutput(fd, notice)
  output.write('one\n')
  output.write('two\n')
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
  output.close()
})

test('a pipe that is not read holds nobody up; what waited comes later, whole and in order', async () => {
  const fd = pipe()
  const output = openLogOutput(fd, notice)
  const lines = Array.from({ length: 3_000 }, (_, i) => `line ${i} ${'x'.repeat(90)}\n`)
  for (const line of lines) output.write(line)

  let text = ''
  while (text.length < lines.join('').length) {
    text += readAll(fd)
    await new Promise(setImmediate)
  }

  expect(text).toBe(lines.join(''))
  output.close()
  closeSync(fd)
})

test('beyond what may wait lines are dropped, and their number is told once the reader goes on', async () => {
  const fd = pipe()
  const output = openLogOutput(fd, notice)
  const line = `${'x'.repeat(65_535)}\n`
  for (let i = 0; i < 100; i++) output.write(line)

  let text = ''
  while (!text.includes('missing')) {
    text += readAll(fd)
    await new Promise(setImmediate)
  }

  const kept = text.match(/x{65535}\n/g)?.length ?? 0
  expect(kept).toBeGreaterThanOrEqual(64)
  expect(text.endsWith(`${100 - kept} lines are missing\n`)).toBe(true)
  output.close()
  closeSync(fd)
})

test('a reader that is gone is no error', () => {
  const path = join(dir, 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const fd = openSync(path, constants.O_WRONLY)
  const output = openLogOutput(fd, notice)
  closeSync(reader)
  output.write('one\n')
  output.write('two\n')
  output.close()
  closeSync(fd)
})

import { expect, test } from 'vitest'
import { LogLines } from './log-lines.ts'

function linesOf(...pieces: readonly (string | number)[]): string[] {
  const lines: string[] = []
  let nowMs = 0
  const log = new LogLines({ monotonicMs: () => nowMs }, (line) => lines.push(line))
  for (const piece of pieces) {
    if (typeof piece === 'number') nowMs += piece
    else log.push(Buffer.from(piece))
  }
  log.end()
  return lines
}

test('lines are told as they end, in whatever pieces they come', () => {
  expect(linesOf('a', 'b\nc', 'd\n', 'e')).toEqual(['ab', 'cd', 'e'])
})

test('a long line is shortened, also one that never ends', () => {
  const long = 'x'.repeat(5000)
  const short = `${'x'.repeat(1024)}…`

  expect(linesOf(`${long}\n`)).toEqual([short])
  expect(linesOf(long, long, long)).toEqual([short])
})

test('of a flood, so many lines are told in ten seconds, and how much was dropped', () => {
  const flood = 'line\n'.repeat(80)

  const lines = linesOf(flood, flood, 9_999, flood, 1, 'after\n')

  expect(lines.filter((line) => line === 'line')).toHaveLength(50)
  expect(lines.slice(-2)).toEqual(['(920 more bytes were dropped)', 'after'])
})

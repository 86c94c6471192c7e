import { expect, test } from 'vitest'
import { frameOf, FrameReader, FrameTooLarge } from './frames.ts'

function read(pieces: readonly Buffer[], maxBytes = 1000): string[] {
  const texts: string[] = []
  const reader = new FrameReader(maxBytes, (text) => texts.push(text))
  for (const piece of pieces) reader.push(piece)
  return texts
}

const TEXTS = ['', '{}', 'ä€😀', 'x'.repeat(999)]

test('texts are read as they were framed, in whatever pieces they come', () => {
  const all = Buffer.concat(TEXTS.map(frameOf))

  for (const size of [1, 2, 3, 5, 64, all.length]) {
    const pieces: Buffer[] = []
    for (let at = 0; at < all.length; at += size) pieces.push(all.subarray(at, at + size))
    expect(read(pieces)).toEqual(TEXTS)
  }
})

test('what has not come to its end yet is not told', () => {
  expect(read([frameOf('abc').subarray(0, -1)])).toEqual([])
})

test('one that is too large is refused as soon as it says so', () => {
  expect(() => read([Buffer.from([0, 0, 3, 233])])).toThrow(FrameTooLarge)
  expect(read([frameOf('x'.repeat(1000))])).toHaveLength(1)
})

/** Frames: whatever is done to their sequence, it does not open as a message. */
import { Buffer } from 'node:buffer'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyholdError } from '../errors.ts'
import { FrameOpener, FrameSealer } from './frames.ts'

const KEY = Buffer.alloc(32, 7)
const HEADER = Buffer.from('a header')

const plaintexts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), {
  minLength: 1,
  maxLength: 8,
})

function seal(messages: readonly Uint8Array[], header = HEADER): Buffer[] {
  const sealer = new FrameSealer(Uint8Array.from(KEY), header)
  return messages.map((plaintext, at) =>
    Buffer.concat(sealer.seal(plaintext, at === messages.length - 1)),
  )
}

function open(frames: readonly Uint8Array[], header = HEADER): Buffer {
  const opener = new FrameOpener(Uint8Array.from(KEY), header)
  return Buffer.concat(frames.map((frame, at) => opener.open(frame, at === frames.length - 1)))
}

test('frames in their order give the message', () => {
  fc.assert(
    fc.property(plaintexts, (messages) => {
      expect(open(seal(messages))).toEqual(Buffer.concat(messages))
    }),
  )
})

test('any other sequence of the same frames is refused: left out, doubled, moved, cut off', () => {
  fc.assert(
    fc.property(
      plaintexts,
      fc.array(fc.nat(7), { minLength: 1, maxLength: 10 }),
      (messages, picked) => {
        const order = picked.map((at) => at % messages.length)
        fc.pre(order.join() !== messages.map((_, at) => at).join())
        const frames = seal(messages)

        expect(() => open(order.map((at) => frames[at] ?? Buffer.of()))).toThrow(KeyholdError)
      },
    ),
  )
})

test('a frame of another message, under the same key, is refused in its place', () => {
  fc.assert(
    fc.property(plaintexts, fc.nat(7), (messages, picked) => {
      const frames: Uint8Array[] = seal(messages)
      const others = seal(messages, Buffer.from('another header'))
      const at = picked % messages.length
      frames[at] = others[at] ?? Buffer.of()

      expect(() => open(frames)).toThrow(KeyholdError)
    }),
  )
})

test('a frame of which a bit was turned, or that ends early, is refused', () => {
  fc.assert(
    fc.property(plaintexts, fc.nat(), fc.nat(7), fc.boolean(), (messages, place, bit, cut) => {
      const frames = seal(messages)
      const frame = frames[place % frames.length] ?? Buffer.of()
      const at = place % frame.length
      if (cut) frames[place % frames.length] = frame.subarray(0, at)
      else frame[at] = (frame[at] ?? 0) ^ (1 << bit)

      expect(() => open(frames)).toThrow(KeyholdError)
    }),
  )
})

test('a last frame without bytes is refused, unless it is the only one', () => {
  expect(open(seal([Buffer.of()]))).toEqual(Buffer.of())
  expect(() => open(seal([Buffer.of(1), Buffer.of()]))).toThrow('frame 1 is empty')
})

test('the key is zeroed when it is over', () => {
  const key = Uint8Array.from(KEY)

  new FrameSealer(key, HEADER).close()

  expect(key).toEqual(new Uint8Array(32))
})

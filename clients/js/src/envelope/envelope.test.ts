/** Messages as a whole: any size in any pieces, the context, the data keys in memory, streams. */
import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { InvalidArgument } from '../errors.ts'
import { EnvelopeDecrypter } from './decrypter.ts'
import { EnvelopeEncrypter, type KeyLimits } from './encrypter.ts'
import { MalformedEnvelope, NotAuthentic, OtherEnvelope } from './errors.ts'
import { FRAME_BYTES, TAG_BYTES } from './frames.ts'
import { headerLength, PREFIX_BYTES } from './header.ts'
import {
  breakingOff,
  collect,
  fakeTransit,
  patternOf,
  piecesOf,
  sourceOf,
} from './testing.fixture.ts'

const SIZES = [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES + 5]
const key = 'backup'

afterEach(() => void vi.useRealTimers())

function pair(limits: Partial<KeyLimits> = {}) {
  const transit = fakeTransit()
  return {
    transit,
    encrypter: new EnvelopeEncrypter({ transit, key, limits }),
    decrypter: new EnvelopeDecrypter({ transit, key }),
  }
}

describe('a message', () => {
  test.each(SIZES)('of %d bytes comes back as it was, whatever pieces it came in', async (size) => {
    const { encrypter, decrypter } = pair()
    const plaintext = patternOf(size)
    const sizes = fc.array(fc.integer({ min: 1_000, max: 3_000_000 }), {
      minLength: 1,
      maxLength: 9,
    })

    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (written, read) => {
        const envelope = await collect(encrypter.encrypt(piecesOf(plaintext, written)))
        const opened = await collect(decrypter.decrypt(piecesOf(envelope, read)))
        expect(Buffer.compare(opened, plaintext)).toBe(0)
      }),
      { numRuns: 8 },
    )
  })

  test('that was cut off at the border of a frame is refused, and gives no more than what is authentic', async () => {
    const { encrypter, decrypter } = pair()
    const plaintext = patternOf(3 * FRAME_BYTES)
    const envelope = await collect(encrypter.encrypt(sourceOf(plaintext)))
    const border = headerLength(envelope.subarray(0, PREFIX_BYTES)) + 2 * (FRAME_BYTES + TAG_BYTES)
    const given: Uint8Array[] = []

    const read = async (): Promise<void> => {
      for await (const part of decrypter.decrypt(sourceOf(envelope.subarray(0, border))))
        given.push(part)
    }

    await expect(read()).rejects.toThrow(NotAuthentic)
    expect(Buffer.compare(Buffer.concat(given), plaintext.subarray(0, FRAME_BYTES))).toBe(0)
  })

  test('of another data key is refused by its commitment, before a frame is opened', async () => {
    const { encrypter } = pair()
    const envelope = await collect(encrypter.encrypt(sourceOf(patternOf(9))))
    const other = new EnvelopeDecrypter({ transit: fakeTransit() })

    await expect(collect(other.decrypt(sourceOf(envelope)))).rejects.toThrow(
      'the header is not of this data key',
    )
  })

  test('has a salt of its own: the same plaintext never looks the same', async () => {
    const { encrypter } = pair()
    const [one, other] = [
      await collect(encrypter.encrypt([])),
      await collect(encrypter.encrypt([])),
    ]

    expect(one.subarray(12, 44)).not.toEqual(other.subarray(12, 44))
    expect(one.subarray(-TAG_BYTES)).not.toEqual(other.subarray(-TAG_BYTES))
  })

  test('whose source breaks off is no envelope', async () => {
    const { encrypter, decrypter } = pair()
    const written: Uint8Array[] = []
    const write = async (): Promise<void> => {
      const source = breakingOff(patternOf(FRAME_BYTES + 1), new RangeError('disk'))
      for await (const part of encrypter.encrypt(source)) written.push(part)
    }

    await expect(write()).rejects.toThrow('disk')
    await expect(collect(decrypter.decrypt(written))).rejects.toThrow(NotAuthentic)
  })
})

describe('key and context', () => {
  test('the context must be given again, pair for pair', async () => {
    const transit = fakeTransit()
    const context = { tenant: 'acme', table: 'orders' }
    const encrypter = new EnvelopeEncrypter({ transit, key, context })
    const envelope = await collect(encrypter.encrypt([]))
    const read = (given?: Record<string, string>) =>
      collect(
        new EnvelopeDecrypter({ transit, ...(given && { context: given }) }).decrypt(
          sourceOf(envelope),
        ),
      )

    expect(await read({ table: 'orders', tenant: 'acme' })).toHaveLength(0)
    for (const other of [undefined, {}, { tenant: 'acme' }, { ...context, table: 'users' }])
      await expect(read(other)).rejects.toThrow(OtherEnvelope)
  })

  test('transit is told the context in the same bytes, to wrap and to unwrap', async () => {
    const transit = fakeTransit()
    const context = { b: '2', a: '1' }
    const envelope = await collect(new EnvelopeEncrypter({ transit, key, context }).encrypt([]))
    await collect(new EnvelopeDecrypter({ transit, context }).decrypt(sourceOf(envelope)))

    const bytes = Buffer.from('00020001610001310001620001' + '32', 'hex')
    expect(transit.contexts.map((told) => told && Buffer.from(told))).toEqual([bytes, bytes])
  })

  test('a message of another key than the one that was asked for is refused', async () => {
    const { encrypter, transit } = pair()
    const envelope = await collect(encrypter.encrypt([]))
    const other = new EnvelopeDecrypter({ transit, key: 'mail' })

    await expect(collect(other.decrypt(sourceOf(envelope)))).rejects.toThrow(OtherEnvelope)
  })

  test.each(['', 'a/b', '..', '.a', 'a.', 'ä', 'a'.repeat(257)])(
    'no message can be made with the key name %j',
    (name) => {
      expect(() => new EnvelopeEncrypter({ transit: fakeTransit(), key: name })).toThrow(
        InvalidArgument,
      )
    },
  )

  test.each([
    { '': 'a' },
    { ['n'.repeat(257)]: '' },
    { a: 'v'.repeat(1_025) },
    { a: '\ud800' },
    Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`n${at}`, ''])),
  ])('no message can be made with a context beyond the limits', (context) => {
    expect(() => new EnvelopeEncrypter({ transit: fakeTransit(), key, context })).toThrow(
      InvalidArgument,
    )
  })

  test('the largest context there may be comes back', async () => {
    const transit = fakeTransit()
    const context = Object.fromEntries(
      Array.from({ length: 32 }, (_, at) => [`${at}`.padEnd(256, 'n'), 'v'.repeat(1_024)]),
    )
    const envelope = await collect(new EnvelopeEncrypter({ transit, key, context }).encrypt([]))

    expect(
      await collect(new EnvelopeDecrypter({ transit, context }).decrypt(sourceOf(envelope))),
    ).toHaveLength(0)
  })
})

describe('data keys', () => {
  const one = sourceOf(patternOf(10))

  test('serve many messages, until one of the limits', async () => {
    const { transit, encrypter } = pair({ maxMessages: 3 })
    for (let at = 0; at < 7; at++) await collect(encrypter.encrypt(one))
    expect(transit.handedOut).toHaveLength(3)

    const bytes = pair({ maxBytes: 20 })
    for (let at = 0; at < 4; at++) await collect(bytes.encrypter.encrypt(one))
    expect(bytes.transit.handedOut).toHaveLength(2)
  })

  test('are zeroed by age, and when another one takes their place', async () => {
    vi.useFakeTimers()
    const { transit, encrypter } = pair({ maxAgeMs: 1_000 })

    await collect(encrypter.encrypt(one))
    expect(transit.handedOut.map(isZero)).toEqual([false])
    vi.advanceTimersByTime(1_000)
    expect(transit.handedOut.map(isZero)).toEqual([true])
    await collect(encrypter.encrypt(one))
    expect(transit.handedOut.map(isZero)).toEqual([true, false])
    encrypter.close()
    expect(transit.handedOut.map(isZero)).toEqual([true, true])
  })

  test('of many messages at once are all right, however many were asked for', async () => {
    const { encrypter, decrypter } = pair({ maxMessages: 2 })
    const envelopes = await Promise.all(
      Array.from({ length: 9 }, () => collect(encrypter.encrypt(one))),
    )

    for (const envelope of envelopes)
      expect(await collect(decrypter.decrypt(sourceOf(envelope)))).toHaveLength(10)
  })

  test('are unwrapped once, and kept in a number and for a time that is limited', async () => {
    const { transit, encrypter } = pair({ maxMessages: 1 })
    const envelopes = [await collect(encrypter.encrypt(one)), await collect(encrypter.encrypt(one))]
    encrypter.close()
    transit.handedOut.length = 0
    const decrypter = new EnvelopeDecrypter({ transit, maxKeys: 1 })
    const read = (at: number) => collect(decrypter.decrypt(sourceOf(envelopes[at] ?? Buffer.of())))

    await read(0)
    await read(0)
    expect(transit.handedOut).toHaveLength(1)
    await read(1)
    expect(transit.handedOut.map(isZero)).toEqual([true, false])
    decrypter.close()
    expect(transit.handedOut.map(isZero)).toEqual([true, true])
  })
})

describe('streams', () => {
  const plaintext = patternOf(FRAME_BYTES + 3)

  test('of the web go through a pair of transforms', async () => {
    const { encrypter, decrypter } = pair()
    const stream = ReadableStream.from<Uint8Array>(piecesOf(plaintext, [70_000]))

    const opened = stream.pipeThrough(encrypter.transform()).pipeThrough(decrypter.transform())

    expect(Buffer.compare(await collect(opened), plaintext)).toBe(0)
  })

  test('of the web break with what was wrong', async () => {
    const { decrypter } = pair()
    const stream = ReadableStream.from<Uint8Array>([Buffer.from('this is no envelope')])

    await expect(collect(stream.pipeThrough(decrypter.transform()))).rejects.toThrow(
      MalformedEnvelope,
    )
  })

  test('of Node are read', async () => {
    const { encrypter, decrypter } = pair()
    const node = Readable.from(piecesOf(plaintext, [70_000]))

    const opened = await collect(decrypter.decrypt(encrypter.encrypt(node)))

    expect(Buffer.compare(opened, plaintext)).toBe(0)
  })

  test('are told when no more of them is needed', async () => {
    const { encrypter } = pair()
    const node = Readable.from(piecesOf(plaintext, [70_000]))

    for await (const part of encrypter.encrypt(node)) if (part.length > 0) break

    expect(node.destroyed).toBe(true)
  })
})

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

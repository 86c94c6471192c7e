import { expect, test } from 'vitest'
import { CorruptRecord } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { Keyring, MAX_TERMS } from './keyring.ts'

const newKey = () => systemRandom.bytes(32)

function ringOf(terms: number): Keyring {
  let ring = Keyring.first(newKey(), 1000)
  for (let term = 2; term <= terms; term += 1) ring = ring.withTerm(newKey(), term * 1000)
  return ring
}

test('a keyring is the same after it was stored and read', () => {
  const ring = ringOf(5).withRotation({
    enabled: false,
    maxOperations: 2_000_000,
    intervalMs: 86_400_000,
  })
  const read = Keyring.parse(ring.serialise())

  expect(read.activeTerm).toBe(5)
  expect(read.rotation).toEqual(ring.rotation)
  expect(read.includes(ring) && ring.includes(read)).toBe(true)
  expect(read.get(3)?.installedAtMs).toBe(3000)
})

test('the newest term is the active one, and adding a term leaves the old keyring as it was', () => {
  const one = ringOf(1)
  const two = one.withTerm(newKey(), 2000)

  expect(two.active().term).toBe(2)
  expect(one.active().term).toBe(1)
  expect(two.includes(one)).toBe(true)
  expect(one.includes(two)).toBe(false)
})

test('a keyring with another key for the same term does not include the first', () => {
  expect(ringOf(1).includes(ringOf(1))).toBe(false)
})

test('a destroyed keyring has no key, and those that came of it keep theirs', () => {
  const one = ringOf(1)
  const two = one.withTerm(newKey(), 2000)
  one.destroy()

  expect(one.get(1)).toBeUndefined()
  expect(two.get(1)).toBeDefined()
})

test('a keyring that is truncated, longer, or of another version is damaged', () => {
  const bytes = ringOf(3).serialise()
  for (let length = 0; length < bytes.length; length += 1) {
    expect(() => Keyring.parse(bytes.subarray(0, length))).toThrow(CorruptRecord)
  }
  expect(() => Keyring.parse(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(CorruptRecord)
  const newer = Buffer.from(
    bytes.toString('latin1').replace('"version":1', '"version":2'),
    'latin1',
  )
  expect(() => Keyring.parse(newer)).toThrow(CorruptRecord)
})

test('a keyring takes a bounded number of terms', () => {
  const full = ringOf(2)
  const head = JSON.stringify({
    version: 1,
    terms: Array.from({ length: MAX_TERMS }, (_, i) => ({ term: i + 1, installedAtMs: 0 })),
    rotation: full.rotation,
  })
  const bytes = Buffer.alloc(4 + head.length + 32 * MAX_TERMS)
  bytes.writeUInt32BE(head.length, 0)
  bytes.write(head, 4)

  const ring = Keyring.parse(bytes)
  expect(ring.activeTerm).toBe(MAX_TERMS)
  expect(() => ring.withTerm(newKey(), 1)).toThrow('the keyring is full')
})

test('no key is part of the text of a stored keyring', () => {
  const key = Buffer.from('0123456789abcdef0123456789abcdef')
  const bytes = Keyring.first(key, 1).serialise()
  const headLength = bytes.readUInt32BE(0)

  expect(bytes.subarray(4 + headLength)).toEqual(key)
  expect(bytes.toString('utf8', 4, 4 + headLength)).toBe(
    '{"version":1,"terms":[{"term":1,"installedAtMs":1}],"rotation":{"enabled":true,"maxOperations":3865470566,"intervalMs":0}}',
  )
})

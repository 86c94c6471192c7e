/** What is secret does not show in the time that it takes: comparing what authenticates, and taking padding off. */
import {
  constants,
  createHash,
  createHmac,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { systemRandom } from '../../core/random.ts'
import { BadRequest } from '../../core/errors.ts'
import { NOT_LOCAL } from '../../core/plugin/local.ts'
import type { Kind } from '../../core/store/kind.ts'
import { tellsApart } from '../../test/support/timing.ts'
import { isCmac, makeCmac } from './cmac.ts'
import { open, seal } from './aead.ts'
import { newKey } from './change.ts'
import { decrypt } from './cipher.ts'
import { generateVersion, versionOf } from './generate.ts'
import { HASHES, type HashAlgorithm } from './hashes.ts'
import { isHmac } from './hmac.ts'
import { KEY_TYPES, type KeyType } from './key-types.ts'
import type { User } from './use.ts'
import { unwrapKey } from './wrap.ts'

const NONE = { context: Buffer.alloc(0), associatedData: Buffer.alloc(0) }
const INPUT = Buffer.from('what is authenticated')
const SETTINGS = {
  derived: false,
  convergent: false,
  exportable: false,
  allowPlaintextBackup: false,
  autoRotateSeconds: 0,
  keySize: undefined,
}

function typeNamed(name: string): KeyType {
  const type = KEY_TYPES.get(name)
  if (type === undefined) throw new Error(`no type ${name}`)
  return type
}

/** A key of one version, and who uses it, with a storage that holds it. */
async function keyOf(name: string) {
  const type = typeNamed(name)
  const { version, material } = await generateVersion(type, SETTINGS, systemRandom, 0)
  const key = { ...newKey('id', 'k', { ...SETTINGS, type }), versions: { 1: version } }
  const loaded = { number: 1, version, material }
  const storage = {
    get: <T>(kind: Kind<T>, name: string) => kind.decode(name, material.encode()),
  }
  const user: User = { storage, local: NOT_LOCAL, caller: undefined, nowMs: 0 }
  return { type, key, loaded, user }
}

function altered(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
const text = (bytes: Buffer) => `vault:v1:${bytes.toString('base64')}`

/** An HMAC, and what differs from it in its first and in its last byte. */
async function unequalHmacs() {
  const { loaded } = await keyOf('hmac')
  const made = () => createHmac('sha512', loaded.material.hmacKey).update(INPUT).digest()
  return { made, first: () => altered(made(), 0), last: () => altered(made(), 63) }
}

/** As it must not be. */
function leaky(given: Buffer, mac: Buffer): boolean {
  for (let at = 0; at < mac.length; at++) if (given[at] !== mac[at]) return false
  return true
}

/** On a machine that is busy with much else, a difference may be lost once. */
const OFTEN = { retry: 3, timeout: 120_000 }

describe('a comparison', () => {
  const SHORT = { rounds: 1500, batch: 20 }

  test('that ends at the first difference is found by this test', OFTEN, async () => {
    const { made, first, last } = await unequalHmacs()
    const run = (given: Buffer) => leaky(given, made())

    expect(await tellsApart({ ...SHORT, rounds: 6000, run, classes: [first, last] })).toBe(true)
  })

  test('is not taken for one that does', async () => {
    const { made, last } = await unequalHmacs()
    const run = (given: Buffer) => leaky(given, made())

    expect(await tellsApart({ ...SHORT, run, classes: [last, last] })).toBe(false)
  })

  test.each(['sha2-256', 'sha2-512'])(
    'of an HMAC of %s does not tell where it differs',
    async (name) => {
      const { key, loaded, user } = await keyOf('hmac')
      const hash = hashNamed(name)
      const mac = createHmac(hash.openssl, loaded.material.hmacKey).update(INPUT).digest()
      const run = (given: string) => isHmac(user, key, INPUT, given, hash)
      const [first, last] = [() => text(altered(mac, 0)), () => text(altered(mac, mac.length - 1))]

      expect(await run(text(mac))).toBe(true)
      expect(await run(first())).toBe(false)
      expect(await tellsApart({ ...SHORT, run, classes: [first, last] })).toBe(false)
    },
  )

  test.each(['aes128-cmac', 'aes256-cmac'])(
    'of a CMAC of %s does not tell where it differs',
    async (name) => {
      const { key, user } = await keyOf(name)
      const made = await makeCmac(user, key, INPUT, { asked: 0, length: 0 })
      const mac = Buffer.from(made.slice('vault:v1:'.length), 'base64')
      const run = (given: string) => isCmac(user, key, INPUT, { text: given, length: 0 })
      const [first, last] = [() => text(altered(mac, 0)), () => text(altered(mac, 15))]

      expect(await run(text(mac))).toBe(true)
      expect(await run(first())).toBe(false)
      expect(await tellsApart({ ...SHORT, run, classes: [first, last] })).toBe(false)
    },
  )

  test.each(['aes128-gcm96', 'aes256-gcm96', 'chacha20-poly1305', 'xchacha20-poly1305'])(
    'of the tag of %s does not tell where it differs',
    async (name) => {
      const { type, loaded } = await keyOf(name)
      if (type.family !== 'aead') throw new Error(`${name} is no cipher`)
      const { key } = loaded.material
      const sealed = seal(type, key, systemRandom.bytes(type.nonceBytes), INPUT)
      const run = (given: Buffer) => refused(() => open(type, key, given))
      const tagAt = sealed.length - 16
      const [first, last] = [() => altered(sealed, tagAt), () => altered(sealed, tagAt + 15)]

      expect(open(type, key, sealed)).toEqual(INPUT)
      expect(run(first())).toBe(run(last()))
      expect(await tellsApart({ ...SHORT, run, classes: [first, last] })).toBe(false)
    },
  )
})

describe('RSA padding', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const SLOW = { rounds: 500, batch: 1 }
  const raw = (block: Buffer) =>
    publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block)
  // Each fails at another step of RFC 8017, 7.1.2.
  const badFirst = () => raw(padded({ first: 1 }))
  const badLabel = () => raw(padded({ label: 'other' }))
  const badSeparator = () => raw(padded({ separator: 0 }))

  /** As it must not be: it stops at the first byte, before the masks are taken off. */
  function leakyUnpad(ciphertext: Buffer): boolean {
    const block = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, ciphertext)
    if (block[0] !== 0) return false
    const seed = xor(block.subarray(1, 33), mask(block.subarray(33), 32))
    const data = xor(block.subarray(33), mask(seed, block.length - 33))
    return data.subarray(0, 32).equals(createHash('sha256').digest())
  }

  test('that is taken off step by step is found by this test', OFTEN, async () => {
    expect(await tellsApart({ ...SLOW, run: leakyUnpad, classes: [badFirst, badLabel] })).toBe(true)
  })

  const pairs = [
    ['its first byte and its label', badFirst, badLabel],
    ['its first byte and its separator', badFirst, badSeparator],
    ['its label and its separator', badLabel, badSeparator],
  ] as const

  test.each(pairs)('that is wrong in %s is refused alike', async (_, one, other) => {
    const type = typeNamed('rsa-2048')
    const { version, material } = versionOf(type, privateKey, SETTINGS, systemRandom, 0)
    const key = { ...newKey('id', 'k', { ...SETTINGS, type }), versions: { 1: version } }
    const loaded = { number: 1, version, material }
    const run = (given: Buffer) => refused(() => decrypt(key, loaded, given, NONE))

    expect(decrypt(key, loaded, raw(padded({})), NONE)).toEqual(INPUT)
    expect(run(one())).toContain('decryption error')
    expect(run(one())).toBe(run(other()))
    expect(await tellsApart({ ...SLOW, run, classes: [one, other] })).toBe(false)
  })

  test.each(pairs)(
    'of a key to import that is wrong in %s is refused alike',
    async (_, one, other) => {
      const blob = (of: () => Buffer) => () => Buffer.concat([of(), Buffer.alloc(40)])
      const classes = [blob(one), blob(other)] as const
      const run = (given: Buffer) => refused(() => unwrapKey(privateKey, given, 'sha256'))

      expect(run(classes[0]())).toContain('decryption error')
      expect(run(classes[0]())).toBe(run(classes[1]()))
      expect(await tellsApart({ ...SLOW, run, classes })).toBe(false)
    },
  )
})

/** EME-OAEP with SHA-256 for 2048 bits, or something near it. */
function padded({ first = 0, label = '', separator = 1 }): Buffer {
  const hash = createHash('sha256').update(label).digest()
  const zeroes = Buffer.alloc(256 - 2 * 32 - 2 - INPUT.length)
  const data = Buffer.concat([hash, zeroes, Buffer.from([separator]), INPUT])
  const seed = systemRandom.bytes(32)
  const maskedData = xor(data, mask(seed, data.length))
  return Buffer.concat([Buffer.from([first]), xor(seed, mask(maskedData, 32)), maskedData])
}

/** MGF1 (RFC 8017, B.2.1). */
function mask(seed: Buffer, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, counter) =>
    createHash('sha256')
      .update(seed)
      .update(Buffer.from([0, 0, 0, counter]))
      .digest(),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, at) => byte ^ (b[at] ?? 0)))
}

/** What it is refused with. */
function refused(attempt: () => unknown): string {
  try {
    attempt()
    return ''
  } catch (error) {
    if (error instanceof BadRequest) return error.message
    throw error
  }
}

function hashNamed(name: string): HashAlgorithm {
  const hash = HASHES.get(name)
  if (hash === undefined) throw new Error(`there is no hash ${name}`)
  return hash
}

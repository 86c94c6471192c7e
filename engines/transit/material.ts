/**
 * The secret part of one version of a key: the key itself, and the one that its HMACs are made with. Both are KeyObjects, which
 * print as nothing and whose bytes lie outside of the heap.
 *
 * Stored as: form (1 byte) | length of the HMAC key (2, big endian) | HMAC key | key. The key is raw bytes (form 0), PKCS #8
 * (1), or the public half alone as SPKI (2).
 */
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'

const FORMS = ['secret', 'private', 'public'] as const
const HEADER_BYTES = 3

export class Material {
  readonly #key: KeyObject
  readonly #hmacKey: KeyObject

  constructor(key: KeyObject, hmacKey: KeyObject) {
    this.#key = key
    this.#hmacKey = hmacKey
  }

  get key(): KeyObject {
    return this.#key
  }

  get hmacKey(): KeyObject {
    return this.#hmacKey
  }

  /** Its bytes, which the caller zeroes. */
  encode(): Buffer {
    const hmacKey = this.#hmacKey.export()
    const key = exported(this.#key)
    const bytes = Buffer.alloc(HEADER_BYTES + hmacKey.length + key.length)
    bytes.writeUInt8(FORMS.indexOf(this.#key.type), 0)
    bytes.writeUInt16BE(hmacKey.length, 1)
    hmacKey.copy(bytes, HEADER_BYTES)
    key.copy(bytes, HEADER_BYTES + hmacKey.length)
    hmacKey.fill(0)
    key.fill(0)
    return bytes
  }

  /** @throws the bytes are no material; they stay the caller's, who zeroes them */
  static decode(bytes: Buffer): Material {
    const form = FORMS[bytes.readUInt8(0)]
    const hmacEnd = HEADER_BYTES + bytes.readUInt16BE(1)
    const hmacKey = createSecretKey(bytes.subarray(HEADER_BYTES, hmacEnd))
    const key = bytes.subarray(hmacEnd)
    switch (form) {
      case 'secret':
        return new Material(createSecretKey(key), hmacKey)
      case 'private':
        return new Material(createPrivateKey({ key, format: 'der', type: 'pkcs8' }), hmacKey)
      case 'public':
        return new Material(createPublicKey({ key, format: 'der', type: 'spki' }), hmacKey)
      default:
        throw new Error('the material has an unknown form')
    }
  }
}

function exported(key: KeyObject): Buffer {
  switch (key.type) {
    case 'secret':
      return key.export()
    case 'private':
      return key.export({ format: 'der', type: 'pkcs8' })
    case 'public':
      return key.export({ format: 'der', type: 'spki' })
  }
}

/**
 * The keyring: all terms of the barrier, each a key and the time of its installation. The newest term seals, all open.
 * A keyring does not change: adding a term makes a new one, which counts once it is committed.
 *
 * Stored as   length (4) | JSON { version, terms, rotation } | the keys, 32 bytes each, in the order of `terms`
 * so that no key is ever a string, which could not be zeroed. How often a term was used is counted elsewhere
 * (`usage.ts`): that changes every minute, the keyring a few times a year.
 */
import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { assert, BadRequest, CorruptRecord } from '../errors.ts'
import { CORE_RECORDS } from './record-keys.ts'
import { DEFAULT_ROTATION } from './rotation.ts'
import type { RotationConfig } from './rotation.ts'
import { KEY_BYTES } from './sealed-record.ts'
import { secretBytes } from './secret-bytes.ts'

export interface Term {
  /** 1..2^32-1, rising by one. */
  readonly term: number
  readonly key: KeyObject
  readonly installedAtMs: number
}

/** Some 80 bytes each: the keyring stays far under a storage's largest value. 44 years of daily rotation. */
export const MAX_TERMS = 16_384
const MAX_TERM = 2 ** 32 - 1
const LENGTH_BYTES = 4

const StoredKeyring = z.strictObject({
  version: z.literal(1),
  terms: z
    .array(z.strictObject({ term: z.int().min(1).max(MAX_TERM), installedAtMs: z.int().min(0) }))
    .min(1)
    .max(MAX_TERMS),
  rotation: z.strictObject({
    enabled: z.boolean(),
    maxOperations: z.int().min(1),
    intervalMs: z.int().min(0),
  }),
})

export class Keyring {
  /** The newest term. */
  readonly activeTerm: number
  readonly rotation: RotationConfig
  readonly #terms: Map<number, Term>

  private constructor(terms: Map<number, Term>, rotation: RotationConfig) {
    this.#terms = terms
    this.activeTerm = Math.max(...terms.keys())
    this.rotation = rotation
  }

  /** A keyring of one term. `key` (32 bytes) is copied; the caller zeroes it. */
  static first(key: Buffer, nowMs: number): Keyring {
    return new Keyring(new Map([[1, newTerm(1, key, nowMs)]]), DEFAULT_ROTATION)
  }

  /**
   * Reads what `serialise` wrote; the caller zeroes `bytes`.
   *
   * @throws {CorruptRecord} not of this form, or of a newer version
   */
  static parse(bytes: Buffer): Keyring {
    try {
      const keysAt = LENGTH_BYTES + bytes.readUInt32BE(0)
      const stored = StoredKeyring.parse(JSON.parse(bytes.toString('utf8', LENGTH_BYTES, keysAt)))
      assert(
        bytes.length === keysAt + stored.terms.length * KEY_BYTES,
        'a keyring has one key a term',
      )
      const terms = stored.terms.map(({ term, installedAtMs }, index) => {
        const at = keysAt + index * KEY_BYTES
        return newTerm(term, bytes.subarray(at, at + KEY_BYTES), installedAtMs)
      })
      assert(
        terms.every(({ term }, i) => term === i + 1),
        'the terms of a keyring rise from 1 by one',
      )
      return new Keyring(new Map(terms.map((term) => [term.term, term])), stored.rotation)
    } catch {
      // Without the cause: a message about the content could carry a piece of it.
      throw new CorruptRecord(CORE_RECORDS.keyring)
    }
  }

  /** The bytes to be sealed; the caller zeroes them. */
  serialise(): Buffer {
    const terms = [...this.#terms.values()]
    const head = JSON.stringify({
      version: 1,
      terms: terms.map(({ term, installedAtMs }) => ({ term, installedAtMs })),
      rotation: this.rotation,
    })
    const keysAt = LENGTH_BYTES + Buffer.byteLength(head)
    const bytes = secretBytes(keysAt + terms.length * KEY_BYTES)
    bytes.writeUInt32BE(keysAt - LENGTH_BYTES, 0)
    bytes.write(head, LENGTH_BYTES)
    terms.forEach(({ key }, index) => {
      const raw = key.export()
      bytes.set(raw, keysAt + index * KEY_BYTES)
      raw.fill(0)
    })
    return bytes
  }

  /** hot: each record that is opened. */
  get(term: number): Term | undefined {
    return this.#terms.get(term)
  }

  /** The newest term, under which is sealed. */
  active(): Term {
    const term = this.#terms.get(this.activeTerm)
    assert(term !== undefined, 'a keyring in use has its active term')
    return term
  }

  /** This keyring and one term more. `key` (32 bytes) is copied; the caller zeroes it. */
  withTerm(key: Buffer, nowMs: number): Keyring {
    if (this.#terms.size >= MAX_TERMS)
      throw new BadRequest(`the keyring is full: it holds ${MAX_TERMS} terms`)
    const term = newTerm(this.activeTerm + 1, key, nowMs)
    return new Keyring(new Map(this.#terms).set(term.term, term), this.rotation)
  }

  withRotation(rotation: RotationConfig): Keyring {
    return new Keyring(new Map(this.#terms), rotation)
  }

  /** Whether every term of `other` is here with the same key. */
  includes(other: Keyring): boolean {
    return [...other.#terms.values()].every(({ term, key }) =>
      this.#terms.get(term)?.key.equals(key),
    )
  }

  /** Lets go of all keys. Their memory is cleansed when the KeyObjects are collected. */
  destroy(): void {
    this.#terms.clear()
  }
}

function newTerm(term: number, key: Buffer, installedAtMs: number): Term {
  assert(key.length === KEY_BYTES, 'a term has a key of 32 bytes')
  return { term, key: createSecretKey(key), installedAtMs }
}

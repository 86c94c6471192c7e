/** One version of a key in a backup (contract: engines-core.md, 2.9). */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { rfc3339 } from '../../core/clock.ts'
import { BadRequest } from '../../core/errors.ts'
import { decodeBase64 } from '../../core/plugin/base64.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { ed25519Key, ed25519PublicBytes, versionOf, type MadeVersion } from './generate.ts'
import { demandOfType, importKey, importPublicKey, publicKeyOf } from './import.ts'
import type { KeyType } from './key-types.ts'
import type { Loaded } from './keys.ts'
import { Material } from './material.ts'
import {
  ecKey,
  ecNumbers,
  precomputed,
  rsaKey,
  rsaNumbers,
  rsaPublicKey,
  rsaPublicNumbers,
} from './numbers.ts'
import { ed25519Pair } from './sign-ed25519.ts'

/** Numbers of any size, as JSON has them. */
type EntryValue = string | number | bigint | null | readonly EntryValue[] | EntryObject
interface EntryObject {
  readonly [name: string]: EntryValue
}

const NONE: EntryObject = {
  key: null,
  hmac_key: null,
  time: '0001-01-01T00:00:00Z',
  ec_x: null,
  ec_y: null,
  ec_d: null,
  rsa_key: null,
  rsa_public_key: null,
  public_key: '',
  convergent_version: 0,
  creation_time: 0,
  certificate_chain: null,
}

/** What stands in the place of versions that never were. */
export const NO_ENTRY = entryText(NONE)

export function backupEntry(type: KeyType, { version, material }: Loaded): string {
  const hmacKey = material.hmacKey.export()
  const text = entryText({
    ...NONE,
    ...keyMembers(type, material.key),
    hmac_key: hmacKey.toString('base64'),
    time: rfc3339(version.createdAtMs),
    convergent_version: version.convergentVersion,
    creation_time: Math.floor(version.createdAtMs / 1000),
    certificate_chain: version.certificates.length === 0 ? null : version.certificates,
  })
  hmacKey.fill(0)
  return text
}

function keyMembers(type: KeyType, key: KeyObject): EntryObject {
  switch (type.family) {
    case 'aead':
    case 'hmac':
    case 'cmac':
      return { key: base64(key.export()) }
    case 'ml-dsa':
    case 'x25519':
      return pairMembers(key)
    case 'ed25519': {
      const publicKey = ed25519PublicBytes(key).toString('base64')
      return {
        key: key.type === 'private' ? base64(ed25519Pair(key)) : null,
        public_key: publicKey,
      }
    }
    case 'ecdsa': {
      const { x, y, d } = ecNumbers(key)
      const half = key.type === 'private' ? createPublicKey(key) : key
      const pem = String(half.export({ format: 'pem', type: 'spki' }))
      return { ec_x: x, ec_y: y, ec_d: d ?? null, public_key: pem }
    }
    case 'rsa':
      return key.type === 'private' ? { rsa_key: rsaMembers(key) } : rsaPublicMembers(key)
  }
}

/** Of types that no other server has in backups. */
function pairMembers(key: KeyObject): EntryObject {
  if (key.type === 'private') {
    return { key: base64(key.export({ format: 'der', type: 'pkcs8' })) }
  }
  return { public_key: String(key.export({ format: 'pem', type: 'spki' })) }
}

function rsaMembers(key: KeyObject): EntryObject {
  const numbers = rsaNumbers(key)
  const { n, e, d, p, q } = numbers
  const { dp, dq, qInv } = precomputed(numbers)
  const Precomputed = { Dp: dp, Dq: dq, Qinv: qInv, CRTValues: [] }
  return { N: n, E: e, D: d, Primes: [p, q], Precomputed }
}

function rsaPublicMembers(key: KeyObject): EntryObject {
  const { n, e } = rsaPublicNumbers(key)
  return { rsa_public_key: { N: n, E: e } }
}

function base64(bytes: Buffer): string {
  const text = bytes.toString('base64')
  bytes.fill(0)
  return text
}

function entryText(value: EntryValue): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(entryText).join(',')}]`
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${entryText(member)}`,
  )
  return `{${members.join(',')}}`
}

/** @throws {BadRequest} it is no version of such a key */
export function readEntry(
  type: KeyType,
  entry: JsonObject,
  rules: Parameters<typeof versionOf>[2],
): MadeVersion {
  const key = keyOf(type, entry)
  const hmacBytes = bytesOf(entry, 'hmac_key')
  if (hmacBytes === undefined || hmacBytes.length > MAX_HMAC_BYTES) throw damaged('hmac_key')
  const material = new Material(key, createSecretKey(hmacBytes))
  hmacBytes.fill(0)
  const createdAtMs = timeOf(entry)
  const made = versionOf(type, key, rules, NO_RANDOM, createdAtMs)
  const convergentVersion = Number(numberOf(entry, 'convergent_version') ?? 0n)
  if (convergentVersion > NEWEST_CONVERGENT) throw damaged('convergent_version')
  const chain = entry['certificate_chain']
  const certificates = Array.isArray(chain) ? chain.filter((one) => typeof one === 'string') : []
  return { material, version: { ...made.version, convergentVersion, certificates } }
}

const MAX_HMAC_BYTES = 512
const NEWEST_CONVERGENT = 3

/** What it would draw is replaced by what the backup holds. */
const NO_RANDOM = {
  bytes: (count: number) => Buffer.alloc(count),
  nonce: (count: number) => Buffer.alloc(count),
  uuid: () => '',
  base62: () => '',
}

function keyOf(type: KeyType, entry: JsonObject): KeyObject {
  try {
    const key = readKey(type, entry)
    return key.type === 'secret' ? key : demandOfType(type, key)
  } catch (error) {
    if (error instanceof BadRequest) throw error
    throw damaged('key')
  }
}

function readKey(type: KeyType, entry: JsonObject): KeyObject {
  switch (type.family) {
    case 'aead':
    case 'hmac':
    case 'cmac':
      return zeroing(demandBytes(entry, 'key'), (bytes) => importKey(type, bytes))
    case 'ml-dsa':
    case 'x25519': {
      const own = bytesOf(entry, 'key')
      if (own !== undefined) return zeroing(own, (bytes) => importKey(type, bytes))
      return importPublicKey(type, textOf(entry, 'public_key'))
    }
    case 'ed25519': {
      const pair = bytesOf(entry, 'key')
      if (pair !== undefined && pair.length !== ED25519_PAIR_BYTES) throw damaged('key')
      if (pair !== undefined) return ed25519Key(pair.subarray(0, ED25519_PAIR_BYTES / 2))
      return publicKeyOf(ed25519Pem(demandBytes(entry, 'public_key')))
    }
    case 'ecdsa': {
      const x = numberOf(entry, 'ec_x')
      const y = numberOf(entry, 'ec_y')
      if (x === undefined || y === undefined) return publicKeyOf(textOf(entry, 'public_key'))
      return ecKey(type, { x, y, d: numberOf(entry, 'ec_d') })
    }
    case 'rsa':
      return readRsa(entry)
  }
}

function readRsa(entry: JsonObject): KeyObject {
  const own = entry['rsa_key']
  if (isJsonObject(own)) {
    const primes = own['Primes']
    const [p, q] = Array.isArray(primes) ? primes.map(asNumber) : []
    const [n, e, d] = ['N', 'E', 'D'].map((name) => numberOf(own, name))
    if (!n || !e || !d || !p || !q) throw damaged('rsa_key')
    return rsaKey({ n, e, d, p, q })
  }
  const half = entry['rsa_public_key']
  const n = isJsonObject(half) ? numberOf(half, 'N') : undefined
  const e = isJsonObject(half) ? numberOf(half, 'E') : undefined
  if (!n || !e) throw damaged('rsa_key')
  return rsaPublicKey({ n, e })
}

const ED25519_PAIR_BYTES = 64
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex')

function ed25519Pem(publicBytes: Buffer): string {
  const der = Buffer.concat([ED25519_SPKI, publicBytes]).toString('base64')
  return `-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`
}

function zeroing<T>(bytes: Buffer, use: (bytes: Buffer) => T): T {
  try {
    return use(bytes)
  } finally {
    bytes.fill(0)
  }
}

/** Of the year 9999. */
const LAST_SECOND = 253_402_300_799

function timeOf(entry: JsonObject): number {
  const ms = Date.parse(textOf(entry, 'time'))
  if (Number.isFinite(ms) && ms > 0) return ms
  const seconds = Number(numberOf(entry, 'creation_time') ?? 0n)
  if (seconds > LAST_SECOND) throw damaged('creation_time')
  return seconds * 1000
}

function textOf(entry: JsonObject, name: string): string {
  const value = entry[name]
  return typeof value === 'string' ? value : ''
}

/** `undefined`: there are none. */
function bytesOf(entry: JsonObject, name: string): Buffer | undefined {
  const bytes = decodeBase64(textOf(entry, name))
  if (typeof bytes === 'number') throw damaged(name)
  return bytes.length === 0 ? undefined : bytes
}

function demandBytes(entry: JsonObject, name: string): Buffer {
  const bytes = bytesOf(entry, name)
  if (bytes === undefined) throw damaged(name)
  return bytes
}

function numberOf(entry: JsonObject, name: string): bigint | undefined {
  return asNumber(entry[name])
}

const WHOLE = /^\d{1,2000}$/

function asNumber(value: Json | undefined): bigint | undefined {
  const text = value === undefined || value === null ? '' : JSON.stringify(value)
  return WHOLE.test(text) ? BigInt(text) : undefined
}

export function damaged(member: string): BadRequest {
  return new BadRequest(`the backup is damaged, or of another program: "${member}" does not fit`)
}

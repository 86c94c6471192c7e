/**
 * ECDSA (FIPS 186-5) as DER or, for `jws`, as r and s side by side. Messages are signed by node:crypto, on a thread of libuv for
 * the slow curves. It takes no digests, so those are signed by @noble/curves, with a nonce of RFC 6979 that randomness is
 * mixed into.
 */
import { sign, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Random } from '../../core/random.ts'
import type { EcdsaType } from './key-types.ts'
import type { HashAlgorithm } from './hashes.ts'

export interface EcdsaScheme {
  readonly hash: HashAlgorithm
  readonly prehashed: boolean
  readonly marshaling: 'asn1' | 'jws'
}

/** Loaded with the first digest: few servers ever see one, and the curves' tables take 10 MB. */
async function curvesOfDigests() {
  const { p256, p384, p521 } = await import('@noble/curves/nist.js')
  const { secp256k1 } = await import('@noble/curves/secp256k1.js')
  return { prime256v1: p256, secp384r1: p384, secp521r1: p521, secp256k1 }
}

const BASE = { prehash: false, lowS: false } as const

const signLater = promisify(
  (
    algorithm: string,
    data: Buffer,
    key: Parameters<typeof sign>[2],
    callback: (error: Error | null, signature: Buffer) => void,
  ) => sign(algorithm, data, key, callback),
)

export function signEcdsa(
  type: EcdsaType,
  key: KeyObject,
  input: Buffer,
  { hash, prehashed, marshaling }: EcdsaScheme,
  random: Random,
): Buffer | Promise<Buffer> {
  if (prehashed) return signDigest(type, key, input, marshaling, random)
  const options = { key, dsaEncoding: marshaling === 'jws' ? 'ieee-p1363' : 'der' } as const
  return type.curve === 'prime256v1'
    ? sign(hash.openssl, input, options)
    : signLater(hash.openssl, input, options)
}

async function signDigest(
  type: EcdsaType,
  key: KeyObject,
  digest: Buffer,
  marshaling: EcdsaScheme['marshaling'],
  random: Random,
): Promise<Buffer> {
  const curve = (await curvesOfDigests())[type.curve]
  const extraEntropy = random.bytes(type.fieldBytes)
  const format = marshaling === 'jws' ? 'compact' : 'der'
  return withScalar(type, key, (scalar) =>
    Buffer.from(curve.sign(leftmost(type, digest), scalar, { ...BASE, extraEntropy, format })),
  )
}

export function verifyEcdsa(
  type: EcdsaType,
  key: KeyObject,
  input: Buffer,
  signature: Buffer,
  { hash, prehashed, marshaling }: EcdsaScheme,
): boolean | Promise<boolean> {
  if (prehashed) return verifyDigest(type, key, input, signature, marshaling)
  const options = { key, dsaEncoding: marshaling === 'jws' ? 'ieee-p1363' : 'der' } as const
  return verify(hash.openssl, input, options, signature)
}

async function verifyDigest(
  type: EcdsaType,
  key: KeyObject,
  digest: Buffer,
  signature: Buffer,
  marshaling: EcdsaScheme['marshaling'],
): Promise<boolean> {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const point = Buffer.concat([
    Buffer.from([4]),
    Buffer.from(x, 'base64url'),
    Buffer.from(y, 'base64url'),
  ])
  const format = marshaling === 'jws' ? 'compact' : 'der'
  if (format === 'compact' && signature.length !== 2 * type.fieldBytes) return false
  const curve = (await curvesOfDigests())[type.curve]
  try {
    return curve.verify(signature, leftmost(type, digest), point, { ...BASE, format })
  } catch {
    // It throws for what is no pair of numbers of the curve.
    return false
  }
}

/** What of a digest counts: no more bits than the curve has. */
function leftmost({ fieldBytes }: EcdsaType, digest: Buffer): Buffer {
  return digest.subarray(0, fieldBytes)
}

/** The private number, for no longer than it takes: it stands at a fixed place of the key's SEC 1 form (RFC 5915). */
function withScalar<T>(
  { fieldBytes }: EcdsaType,
  key: KeyObject,
  use: (scalar: Uint8Array) => T,
): T {
  const der = key.export({ format: 'der', type: 'sec1' })
  // SEQUENCE, its length in two bytes or (P-384, P-521) three, INTEGER 1, OCTET STRING.
  const at = (der[1] ?? 0) < 0x80 ? 7 : 8
  try {
    return use(der.subarray(at, at + fieldBytes))
  } finally {
    der.fill(0)
  }
}

/** Whether the bytes are a SEQUENCE of two INTEGERs and nothing else: another form is told apart from a wrong signature. */
export function isEcdsaDer(bytes: Buffer): boolean {
  const body = element(bytes, 0x30)
  const first = body && element(body.value, 0x02)
  const second = first && element(first.rest, 0x02)
  return body?.rest.length === 0 && second?.rest.length === 0
}

function element(bytes: Buffer, tag: number): { value: Buffer; rest: Buffer } | undefined {
  if (bytes[0] !== tag || bytes.length < 2) return undefined
  const short = bytes[1] ?? 0
  // A length of one byte after 0x81 does for the longest curve.
  const at = short === 0x81 ? 3 : 2
  const length = short === 0x81 ? (bytes[2] ?? 0) : short
  if (length > 255 || (short > 0x7f && short !== 0x81) || bytes.length < at + length)
    return undefined
  return { value: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) }
}

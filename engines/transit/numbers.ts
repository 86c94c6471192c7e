/** Keys as the whole numbers that they are made of, which is how Go writes them (contract: engines-core.md, 2.9). */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { EcdsaType } from './key-types.ts'

/** JOSE's names of the curves. */
const JWK_CURVES = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  secp256k1: 'secp256k1',
} as const

export interface EcNumbers {
  readonly x: bigint
  readonly y: bigint
  /** `undefined`: only the public half. */
  readonly d: bigint | undefined
}

export interface RsaNumbers {
  readonly n: bigint
  readonly e: bigint
  readonly d: bigint
  readonly p: bigint
  readonly q: bigint
}

export function ecNumbers(key: KeyObject): EcNumbers {
  const { x, y, d } = key.export({ format: 'jwk' })
  return { x: toNumber(x), y: toNumber(y), d: d === undefined ? undefined : toNumber(d) }
}

/** @throws they are no point of the curve, or not the one of the private number */
export function ecKey({ curve, fieldBytes }: EcdsaType, { x, y, d }: EcNumbers): KeyObject {
  const point = {
    kty: 'EC',
    crv: JWK_CURVES[curve],
    x: toText(x, fieldBytes),
    y: toText(y, fieldBytes),
  }
  if (d === undefined) return createPublicKey({ key: point, format: 'jwk' })
  return createPrivateKey({ key: { ...point, d: toText(d, fieldBytes) }, format: 'jwk' })
}

export function rsaNumbers(key: KeyObject): RsaNumbers {
  const { n, e, d, p, q } = key.export({ format: 'jwk' })
  return { n: toNumber(n), e: toNumber(e), d: toNumber(d), p: toNumber(p), q: toNumber(q) }
}

/** What of an RSA key follows from the rest (RFC 8017, 3.2). */
export function precomputed({ d, p, q }: RsaNumbers): { dp: bigint; dq: bigint; qInv: bigint } {
  return { dp: d % (p - 1n), dq: d % (q - 1n), qInv: inverse(q, p) }
}

/** @throws they are no key */
export function rsaKey(numbers: RsaNumbers): KeyObject {
  const { n, e, d, p, q } = numbers
  if (p * q !== n) throw new Error('the modulus is not the product of its primes')
  const { dp, dq, qInv } = precomputed(numbers)
  const key: JsonWebKey = {
    kty: 'RSA',
    n: toText(n),
    e: toText(e),
    d: toText(d),
    p: toText(p),
    q: toText(q),
    dp: toText(dp),
    dq: toText(dq),
    qi: toText(qInv),
  }
  return createPrivateKey({ key, format: 'jwk' })
}

export function rsaPublicNumbers(key: KeyObject): { n: bigint; e: bigint } {
  const { n, e } = key.export({ format: 'jwk' })
  return { n: toNumber(n), e: toNumber(e) }
}

/** @throws they are no key */
export function rsaPublicKey({ n, e }: { n: bigint; e: bigint }): KeyObject {
  return createPublicKey({ key: { kty: 'RSA', n: toText(n), e: toText(e) }, format: 'jwk' })
}

/** The extended Euclidean algorithm; `of` and the prime `modulus` share no factor. */
function inverse(of: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [of % modulus, modulus, 1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a % b]
    ;[x, y] = [y, x - quotient * y]
  }
  return ((x % modulus) + modulus) % modulus
}

function toNumber(base64url = ''): bigint {
  return BigInt(`0x${Buffer.from(base64url, 'base64url').toString('hex') || '0'}`)
}

function toText(number: bigint, bytes = 0): string {
  const hex = number.toString(16)
  const even = hex.padStart(Math.max(bytes * 2, hex.length + (hex.length % 2)), '0')
  return Buffer.from(even, 'hex').toString('base64url')
}

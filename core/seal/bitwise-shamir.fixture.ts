/**
 * For tests: secret sharing once more, written from its definition, without tables: GF(2^8) with the polynomial 0x11b,
 * a share being 32 values and the x coordinate. Slow and plain, to check the real one against.
 */
import { systemRandom } from '../random.ts'

function multiply(a: number, b: number): number {
  let product = 0
  let [left, right] = [a, b]
  for (let bit = 0; bit < 8; bit += 1) {
    product ^= -(right & 1) & left
    left = (left << 1) ^ (-(left >> 7) & 0x11b)
    right >>= 1
  }
  return product
}

/** a^254 is the inverse of a. */
function invert(a: number): number {
  let result = 1
  for (let i = 0; i < 254; i += 1) result = multiply(result, a)
  return result
}

/** Lagrange's formula at 0. */
export function combineBitwise(shares: readonly Buffer[]): Buffer {
  const xs = shares.map((share) => share[share.length - 1] ?? 0)
  const weights = xs.map((x, i) =>
    xs.reduce((w, other, j) => (i === j ? w : multiply(w, multiply(other, invert(other ^ x)))), 1),
  )
  const length = (shares[0]?.length ?? 1) - 1
  return Buffer.from(
    Array.from({ length }, (_, at) =>
      shares.reduce((sum, share, i) => sum ^ multiply(weights[i] ?? 0, share[at] ?? 0), 0),
    ),
  )
}

/** Shares at x = 1, 2, 3 and so on. */
export function splitBitwise(secret: Buffer, shares: number, threshold: number): Buffer[] {
  const polynomials = [...secret].map((byte) => [byte, ...systemRandom.bytes(threshold - 1)])
  return Array.from({ length: shares }, (_, i) => {
    const x = i + 1
    const values = polynomials.map((p) => p.reduceRight((sum, c) => multiply(sum, x) ^ c, 0))
    return Buffer.from([...values, x])
  })
}

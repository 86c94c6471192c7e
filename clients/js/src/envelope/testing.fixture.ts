/** Envelopes in tests: a transit that is not there, and bytes that are easy to tell apart. */
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import type { Source } from './source.ts'

/** A transit whose wrapped keys are names; it keeps what it gave out, to be looked at. */
export function fakeTransit() {
  const keys = new Map<string, Uint8Array>()
  /** The very arrays that were handed out. */
  const handedOut: Uint8Array[] = []
  const contexts: (Uint8Array | undefined)[] = []
  const handOut = (key: Uint8Array): Uint8Array => {
    const copy = Uint8Array.from(key)
    handedOut.push(copy)
    return copy
  }
  return {
    handedOut,
    contexts,
    async dataKey(_key: string, options: { readonly context?: Uint8Array } = {}) {
      const ciphertext = `vault:v1:${keys.size}`
      const plaintext = randomBytes(32)
      keys.set(ciphertext, plaintext)
      contexts.push(options.context)
      return { ciphertext, keyVersion: 1, plaintext: handOut(plaintext) }
    },
    async decrypt(
      _key: string,
      ciphertext: string,
      options: { readonly context?: Uint8Array } = {},
    ) {
      contexts.push(options.context)
      return handOut(keys.get(ciphertext) ?? new Uint8Array(32))
    },
  }
}

/** n mod 251 at each offset n. */
export function patternOf(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => at % 251)
}

export async function collect(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all)
}

/** Hands bytes over in pieces of these sizes, the last size again and again. */
export function* piecesOf(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0
  for (let piece = 0; at < bytes.length; piece++) {
    const size = Math.max(1, sizes[Math.min(piece, sizes.length - 1)] ?? bytes.length)
    yield bytes.subarray(at, at + size)
    at += size
  }
}

/** A source that breaks off with an error. */
export async function* breakingOff(bytes: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield bytes
  throw error
}

export function sourceOf(bytes: Uint8Array): Source {
  return [bytes]
}

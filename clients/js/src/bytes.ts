/** Bytes and their texts. */
import { Buffer } from 'node:buffer'

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** In memory of their own, so that who zeroes them zeroes all there is. */
export function fromBase64(text: string): Uint8Array {
  const decoded = Buffer.from(text, 'base64')
  const bytes = new Uint8Array(decoded)
  decoded.fill(0)
  return bytes
}

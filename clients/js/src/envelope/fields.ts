/** How numbers and texts stand in a header: big endian, and UTF-8 behind its length. */
import { Buffer } from 'node:buffer'
import { MalformedEnvelope } from './errors.ts'

export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff)
}

export function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function lengthAndBytes(bytes: Uint8Array): readonly Uint8Array[] {
  return [uint16(bytes.length), bytes]
}

/** @throws {MalformedEnvelope} it is no UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new MalformedEnvelope('a text of the header is no UTF-8')
  }
}

/** Writes DER (X.690): what certificates are made of. */

/** One value: its tag, its length, its parts one after another. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content])
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, ...parts)
}

export function setOf(...parts: readonly Uint8Array[]): Buffer {
  return der(0x31, ...parts)
}

/** @param bytes of a number that is not negative, the highest first */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? Buffer.from([0]) : bytes.subarray(first)
  const isHigh = (digits[0] ?? 0) >= 0x80
  return der(0x02, isHigh ? Buffer.from([0]) : Buffer.alloc(0), digits)
}

export function boolean(value: boolean): Buffer {
  return der(0x01, Buffer.from([value ? 0xff : 0]))
}

/** @param dotted such as `1.2.840.10045.4.3.2` */
export function oid(dotted: string): Buffer {
  const [one = 0, two = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Buffer.from([one * 40 + two, ...rest].flatMap(base128)))
}

function base128(value: number): number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift((rest % 128) | 0x80)
  return bytes
}

export function octetString(bytes: Uint8Array): Buffer {
  return der(0x04, bytes)
}

/** @param unused bits at the end of the last byte that do not count */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return der(0x03, Buffer.from([unused]), bytes)
}

export function utf8String(text: string): Buffer {
  return der(0x0c, Buffer.from(text))
}

const YEARS_OF_UTC_TIME = [1950, 2049] as const

/** To the second, in the form that RFC 5280 (4.1.2.5) asks for: UTCTime up to 2049. */
export function time(ms: number): Buffer {
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  const text = `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
  const [from, to] = YEARS_OF_UTC_TIME
  return year >= from && year <= to
    ? der(0x17, Buffer.from(text.slice(2)))
    : der(0x18, Buffer.from(text))
}

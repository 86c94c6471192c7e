/** Reads DER (X.690) as far as a few known forms need it; `core/der.ts` writes it. */

export interface Element {
  readonly tag: number
  readonly content: Buffer
  readonly whole: Buffer
}

/** The values that stand one after another; none where they do not fill the bytes. */
export function elements(bytes: Buffer): Element[] {
  const found: Element[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0
    const short = bytes[at + 1] ?? 0
    const lengthBytes = short < 0x80 ? 0 : short - 0x80
    if (lengthBytes > 3 || at + 2 + lengthBytes > bytes.length) return []
    const length = lengthBytes === 0 ? short : bytes.readUIntBE(at + 2, lengthBytes)
    const from = at + 2 + lengthBytes
    if (from + length > bytes.length) return []
    const content = bytes.subarray(from, from + length)
    found.push({ tag, content, whole: bytes.subarray(at, from + length) })
    at = from + length
  }
  return found
}

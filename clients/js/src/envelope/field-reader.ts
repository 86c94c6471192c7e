/** Reads the fields of a header one after the other; none reaches beyond its end. */
import { MalformedEnvelope } from './errors.ts'

export class FieldReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get position(): number {
    return this.#at
  }

  /** @throws {MalformedEnvelope} */
  take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new MalformedEnvelope('the header ends within a field')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  uint16(): number {
    const [high = 0, low = 0] = this.take(2)
    return high * 0x100 + low
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16()
  }

  /** Bytes behind their length. @throws {MalformedEnvelope} fewer or more than may be */
  bytes({ min, max }: { readonly min: number; readonly max: number }): Uint8Array {
    const length = this.uint16()
    if (length < min || length > max)
      throw new MalformedEnvelope(`a field of the header has ${length} bytes, not ${min} to ${max}`)
    return this.take(length)
  }
}

/**
 * Buffers for key material. A small Buffer may lie inside V8's heap, where the garbage collector moves it and leaves
 * copies behind that nobody can zero. One over its own ArrayBuffer lies outside, is never moved, and can be zeroed.
 */
export function secretBytes(length: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(length))
}

/** A copy outside V8's heap. The caller zeroes both. */
export function copySecret(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const copy = secretBytes(bytes.length)
  copy.set(bytes)
  return copy
}

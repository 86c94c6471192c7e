/**
 * Key shares as people type them: hex, or base64 with padding. Hex is tried first, but only where it gives a length
 * that a share can have, for some base64 texts are valid hex too.
 */
import { BadRequest } from '../errors.ts'
import { copySecret } from '../barrier/secret-bytes.ts'

/** An AES-128 key, the smallest that Vault takes. */
const MIN_SHARE_BYTES = 16
/** An AES-256 key and the x coordinate. */
const MAX_SHARE_BYTES = 33

const HEX = /^(?:[0-9a-fA-F]{2})+$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** Longer texts are not decoded at all. Twice the longest share in hex. */
const MAX_TEXT = 4 * MAX_SHARE_BYTES

/**
 * The bytes of a share, outside V8's heap; the caller zeroes them.
 *
 * @throws {BadRequest} neither hex nor base64, or too short or too long for a key
 */
export function parseShare(text: string): Buffer {
  if (text.length > MAX_TEXT) throw tooLong()
  if (HEX.test(text) && fits(text.length / 2)) return decode(text, 'hex')
  // Line breaks are let through, as by Go's decoder.
  const base64 = text.replaceAll(/[\r\n]/g, '')
  if (!BASE64.test(base64)) throw new BadRequest("'key' must be a valid hex or base64 string")
  const bytes = decode(base64, 'base64')
  if (fits(bytes.length)) return bytes
  bytes.fill(0)
  if (bytes.length > MAX_SHARE_BYTES) throw tooLong()
  throw new BadRequest(`invalid key: key is shorter than minimum ${MIN_SHARE_BYTES} bytes`)
}

function fits(length: number): boolean {
  return length >= MIN_SHARE_BYTES && length <= MAX_SHARE_BYTES
}

function decode(text: string, encoding: 'hex' | 'base64'): Buffer {
  const pooled = Buffer.from(text, encoding)
  const bytes = copySecret(pooled)
  pooled.fill(0)
  return bytes
}

function tooLong(): BadRequest {
  return new BadRequest(`invalid key: key is longer than maximum ${MAX_SHARE_BYTES} bytes`)
}

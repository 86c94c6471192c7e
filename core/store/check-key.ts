import { MAX_KEY_BYTES } from '../../storage/contract.ts'
import { BadRequest } from '../errors.ts'

/** @throws {BadRequest} a client's path makes a key that no storage takes */
export function checkKey(key: string): void {
  if (key.endsWith('/')) throw new BadRequest('the name ends in "/"')
  checkPrefix(key)
}

/** @throws {BadRequest} no key that a storage takes begins so */
export function checkPrefix(prefix: string): void {
  if (prefix.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(prefix) > MAX_KEY_BYTES) {
    throw new BadRequest('the path is too long')
  }
  if (prefix.includes('\0') || !prefix.isWellFormed()) {
    throw new BadRequest('the path holds a NUL or a half of a character')
  }
}

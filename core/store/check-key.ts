import { MAX_KEY_BYTES } from '../../storage/contract.ts'
import { BadRequest } from '../errors.ts'

/** @throws {BadRequest} a client's path makes a key (or the prefix of a listing) that no storage takes */
export function checkKey(key: string): void {
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new BadRequest('the path is too long')
  }
}

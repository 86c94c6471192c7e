/** HMAC-SHA-256 under keys that lie in stored records. */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

const keys = new WeakMap<object, KeyObject>()

/**
 * hot: the hash as base64url, 43 characters.
 *
 * @param holder the record that the key is of; the key object, which costs more than the hash, is kept as long as it
 * @param key base64
 */
export function keyedHash(holder: object, key: string, text: string): string {
  let secret = keys.get(holder)
  if (secret === undefined) {
    secret = createSecretKey(key, 'base64')
    keys.set(holder, secret)
  }
  return createHmac('sha256', secret).update(text).digest('base64url')
}

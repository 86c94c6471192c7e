/** The key that unlocks a namespace: whoever locks it gets it, and a hash of it alone is stored. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from '../random.ts'

/** 142 bits. */
const KEY_CHARACTERS = 24

/** `lock` is what a namespace's record holds. */
export function newLock(random: Random): { readonly key: string; readonly lock: string } {
  const key = random.base62(KEY_CHARACTERS)
  return { key, lock: hash(key).toString('hex') }
}

export function fitsLock(key: string, lock: string): boolean {
  return timingSafeEqual(hash(key), Buffer.from(lock, 'hex'))
}

/** A plain hash does: nobody can try out so many keys. */
function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

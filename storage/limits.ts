/**
 * The limits of `contract.ts`, checked in one place for every storage, before anything is done.
 * Texts name the limit and never the key or value.
 */
import {
  MAX_CHANGES_PER_COMMIT,
  MAX_COMMIT_BYTES,
  MAX_KEY_BYTES,
  MAX_VALUE_BYTES,
  StorageLimit,
} from './contract.ts'
import type { Commit } from './contract.ts'

/** UTF-8 takes at most so many bytes for one unit of a JavaScript string. */
const MAX_BYTES_PER_UNIT = 3
const SLASH = 0x2f

/** hot: on the way of each read. */
export function checkKey(key: string): void {
  if (key.length === 0) throw new StorageLimit('a storage key is empty')
  if (key.length * MAX_BYTES_PER_UNIT > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new StorageLimit(`a storage key is longer than ${MAX_KEY_BYTES} bytes`)
  }
  if (key.charCodeAt(key.length - 1) === SLASH) throw new StorageLimit("a storage key ends in '/'")
  if (key.includes('\0')) throw new StorageLimit('a storage key contains NUL')
  if (!key.isWellFormed()) throw new StorageLimit('a storage key is not valid Unicode')
}

/** What `list` is asked for: a folder, and room for at least one name. */
export function checkList(prefix: string, limit: number): void {
  if (prefix !== '' && prefix.charCodeAt(prefix.length - 1) !== SLASH) {
    throw new StorageLimit("the prefix of a listing is neither empty nor ends in '/'")
  }
  if (!prefix.isWellFormed()) throw new StorageLimit('the prefix of a listing is not valid Unicode')
  if (!(limit >= 1)) throw new StorageLimit('the limit of a listing is below 1')
}

/** hot: on the way of each commit. */
export function checkCommit(change: Commit): void {
  if (change.put.size + change.delete.size > MAX_CHANGES_PER_COMMIT) {
    throw new StorageLimit(`a commit has more than ${MAX_CHANGES_PER_COMMIT} changes`)
  }
  let bytes = 0
  for (const key of change.expect.keys()) {
    checkKey(key)
    bytes += key.length
  }
  for (const [key, value] of change.put) {
    checkKey(key)
    if (value.length > MAX_VALUE_BYTES) {
      throw new StorageLimit(`a stored value is larger than ${MAX_VALUE_BYTES} bytes`)
    }
    bytes += key.length + value.length
  }
  for (const key of change.delete) {
    checkKey(key)
    if (change.put.has(key)) throw new StorageLimit('a commit both puts and deletes one key')
    bytes += key.length
  }
  if (bytes > MAX_COMMIT_BYTES) {
    throw new StorageLimit(`a commit is larger than ${MAX_COMMIT_BYTES} bytes`)
  }
}

/** Keys and the data of their versions, in the storage of the mount. */
import { CorruptRecord } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Random } from '../../../core/random.ts'
import type { View } from '../../../core/store/view.ts'
import { namesSecret } from '../secret-path.ts'
import { KEY_PREFIX, keys, versionData, versionKey, type Key } from './records.ts'
import {
  findUnversioned,
  isUnversioned,
  readUnversioned,
  removeUnversioned,
} from './unversioned.ts'
import { newKey, numberedVersions } from './versions.ts'

/** Characters of a key's id: 95 bits, so that no two are ever the same. */
const ID_CHARACTERS = 16

/** What is needed to change a key. */
export interface KeyContext {
  readonly storage: View
  readonly random: Random
  readonly nowMs: number
}

/** hot: the key as it is, for reading. */
export async function findKey(storage: View, path: string): Promise<Key | undefined> {
  if (!namesSecret(path)) return undefined
  return (await storage.get(keys, KEY_PREFIX + path)) ?? findUnversioned(storage, path)
}

/** The key, ready to be changed and given to `saveKey`. */
export async function openKey(
  { storage, random }: Pick<KeyContext, 'storage' | 'random'>,
  path: string,
): Promise<Key | undefined> {
  const found = await findKey(storage, path)
  if (found === undefined || !isUnversioned(found)) return found
  const key = { ...found, id: newId(random) }
  putData(storage, key, key.current, await readUnversioned(storage, path))
  removeUnversioned(storage, path)
  saveKey(storage, path, key)
  return key
}

/** A key that nothing was written to; it is stored with its first change. */
export function createKey({ random, nowMs }: Pick<KeyContext, 'random' | 'nowMs'>): Key {
  return newKey(newId(random), nowMs)
}

function newId(random: Random): string {
  return random.base62(ID_CHARACTERS)
}

export function saveKey(storage: View, path: string, key: Key): void {
  storage.put(keys, KEY_PREFIX + path, key)
}

/** Nothing of the key is left. */
export function removeKey(storage: View, path: string, key: Key): void {
  if (isUnversioned(key)) {
    removeUnversioned(storage, path)
    return
  }
  const withData = numberedVersions(key).filter(({ version }) => version.destroyed !== true)
  eraseData(
    storage,
    key,
    withData.map(({ number }) => number),
  )
  storage.delete(KEY_PREFIX + path)
}

/** hot: what was written as this version, which must not be destroyed. */
export async function readData(
  storage: View,
  path: string,
  key: Key,
  number: number,
): Promise<JsonObject> {
  if (isUnversioned(key)) return readUnversioned(storage, path)
  const at = versionKey(key.id, number)
  const data = await storage.get(versionData, at)
  // Where another request destroyed it meanwhile, the transaction ends in a conflict and runs again.
  if (data === undefined) throw new CorruptRecord(at)
  return data
}

export function putData(storage: View, key: Key, number: number, data: JsonObject): void {
  storage.put(versionData, versionKey(key.id, number), data)
}

export function eraseData(storage: View, key: Key, numbers: readonly number[]): void {
  for (const number of numbers) storage.delete(versionKey(key.id, number))
}

/**
 * Values that lie in the mount since it was of version 1: each is version 1 of its key until the key is changed or the
 * periodic work comes by (see upgrade.ts).
 */
import { CorruptRecord } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { View } from '../../../core/store/view.ts'
import { VALUE_PREFIX, values } from '../v1/records.ts'
import { readConfig } from './config.ts'
import type { Key } from './records.ts'
import { newKey } from './versions.ts'

export async function findUnversioned(storage: View, path: string): Promise<Key | undefined> {
  const { upgradedAtMs } = await readConfig(storage)
  if (upgradedAtMs === undefined) return undefined
  const value = await storage.get(values, VALUE_PREFIX + path)
  if (value === undefined) return undefined
  return { ...newKey('', upgradedAtMs), current: 1, versions: [{ createdAtMs: upgradedAtMs }] }
}

/** Whether the key has no record of its own yet. */
export function isUnversioned(key: Key): boolean {
  return key.id === ''
}

export async function readUnversioned(storage: View, path: string): Promise<JsonObject> {
  const value = await storage.get(values, VALUE_PREFIX + path)
  if (value === undefined) throw new CorruptRecord(VALUE_PREFIX + path)
  return value
}

export function removeUnversioned(storage: View, path: string): void {
  storage.delete(VALUE_PREFIX + path)
}

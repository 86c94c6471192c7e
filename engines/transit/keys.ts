/** Finds keys and their versions, for whoever uses or changes one. */
import { BadRequest } from '../../core/errors.ts'
import type { View } from '../../core/store/view.ts'
import { KEY_TYPES, type KeyType } from './key-types.ts'
import type { Material } from './material.ts'
import {
  keyKey,
  keyNames,
  materialKey,
  materials,
  nameKey,
  transitKeys,
  type KeyOperation,
  type KeyVersion,
  type TransitKey,
} from './records.ts'

/** What reads records: a request's storage, or what an undo is given. */
export type Reads = Pick<View, 'get'>

/** hot: the key of this name. */
export async function findKey(storage: Reads, name: string): Promise<TransitKey | undefined> {
  const found = await storage.get(keyNames, nameKey(name))
  return found && storage.get(transitKeys, keyKey(found.id))
}

/** hot: the key, to be used so. @throws {BadRequest} there is none, or it may not be */
export async function demandUsable(
  storage: Reads,
  name: string,
  operation: KeyOperation,
  missing: string,
): Promise<TransitKey> {
  const key = await findKey(storage, name)
  if (key === undefined) throw new BadRequest(missing)
  demandAllowed(key, operation)
  return key
}

/** hot. @throws {BadRequest} */
export function demandAllowed(key: TransitKey, operation: KeyOperation): void {
  if (key.softDeleted) throw new BadRequest('refusing to use soft-deleted key')
  if (key.disabled) throw new BadRequest('the key is disabled')
  if (key.deletesAtMs !== null) {
    throw new BadRequest('the key is about to be deleted; keys/NAME/cancel-deletion keeps it')
  }
  if (key.operations.length > 0 && !key.operations.includes(operation)) {
    throw new BadRequest(`the key may not be used to ${operation}; see its allowed_operations`)
  }
}

/** @throws the records say what no server wrote */
export function typeOf(key: Pick<TransitKey, 'type'>): KeyType {
  const type = KEY_TYPES.get(key.type)
  if (type === undefined) throw new Error('a stored key has an unknown type')
  return type
}

/** A version of a key with its material. */
export interface Loaded {
  readonly number: number
  readonly version: KeyVersion
  readonly material: Material
}

/** hot. @throws {BadRequest} it was destroyed, or is below the least that may be used */
export async function loadVersion(
  storage: Reads,
  key: TransitKey,
  number: number,
): Promise<Loaded> {
  const version = number < key.minDecryptionVersion ? undefined : key.versions[String(number)]
  const material = version && (await storage.get(materials, materialKey(key.id, number)))
  if (version === undefined || material === undefined) throw new BadRequest('no such key version')
  return { number, version, material }
}

/** Which version encrypts, signs or authenticates. @param asked 0: the newest @throws {BadRequest} not that one */
export function versionToUse(
  key: TransitKey,
  asked: number,
  what: 'encryption' | 'signing' | 'CMAC',
): number {
  if (asked < 0) throw new BadRequest(`requested version for ${what} is negative`)
  if (asked === 0) return key.latestVersion
  if (asked > key.latestVersion) {
    throw new BadRequest(`requested version for ${what} is higher than the latest key version`)
  }
  if (asked < key.minEncryptionVersion) {
    throw new BadRequest(
      `requested version for ${what} is less than the minimum encryption key version`,
    )
  }
  return asked
}

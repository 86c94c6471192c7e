/** Makes, rotates and removes keys, in the transaction of the request. */
import { BadRequest } from '../../core/errors.ts'
import type { MountContext } from '../../core/plugin/plugin.ts'
import type { View } from '../../core/store/view.ts'
import { generateVersion, type MadeVersion } from './generate.ts'
import type { KeyType } from './key-types.ts'
import { typeOf } from './keys.ts'
import {
  keyKey,
  keyNames,
  materialKey,
  materials,
  nameKey,
  operationsKey,
  timedKey,
  timedKeys,
  transitKeys,
  usesKey,
  type TransitKey,
} from './records.ts'

const HOUR_SECONDS = 3600
const MIN_HMAC_BYTES = 32
const MAX_HMAC_BYTES = 512

/** What a new key is to be. */
export interface NewKey {
  readonly type: KeyType
  readonly derived: boolean
  readonly convergent: boolean
  readonly exportable: boolean
  readonly allowPlaintextBackup: boolean
  readonly autoRotateSeconds: number
  readonly keySize: number | undefined
}

/** @throws {BadRequest} no key can be so */
export async function createKey(
  { storage, random, nowMs }: MountContext,
  name: string,
  wanted: NewKey,
): Promise<TransitKey> {
  demandPossible(wanted)
  const made = await generateVersion(wanted.type, wanted, random, nowMs)
  const key: TransitKey = {
    ...newKey(random.uuid(), name, wanted),
    versions: { 1: made.version },
  }
  putNewKey(storage, key)
  storage.put(materials, materialKey(key.id, 1), made.material)
  return key
}

/** A key with what every new one has; it has no version yet. */
export function newKey(id: string, name: string, wanted: NewKey): TransitKey {
  const { type, keySize, derived, convergent, exportable, allowPlaintextBackup } = wanted
  return {
    id,
    names: [name],
    type: type.name,
    ...(keySize !== undefined && { keySize }),
    derived,
    kdf: 'hkdf_sha256',
    convergent,
    exportable,
    allowPlaintextBackup,
    deletionAllowed: false,
    minDecryptionVersion: 1,
    minEncryptionVersion: 0,
    minAvailableVersion: 0,
    latestVersion: 1,
    autoRotateSeconds: wanted.autoRotateSeconds,
    imported: false,
    importedAllowRotation: false,
    softDeleted: false,
    disabled: false,
    deletesAtMs: null,
    operations: [],
    tags: {},
    maxOperations: 0,
    onLimit: 'rotate',
    requiredContext: [],
    backup: null,
    restore: null,
    versions: {},
  }
}

function demandPossible({ type, derived, convergent, keySize, autoRotateSeconds }: NewKey): void {
  demandPeriod(autoRotateSeconds)
  if (keySize !== undefined && type.family !== 'hmac') {
    throw new BadRequest(`key_size is not valid for algorithm ${type.name}`)
  }
  if (keySize === undefined && type.family === 'hmac') {
    throw new BadRequest(
      `invalid key size for HMAC key, must be between ${MIN_HMAC_BYTES} and ${MAX_HMAC_BYTES} bytes`,
    )
  }
  if (keySize !== undefined && (keySize < MIN_HMAC_BYTES || keySize > MAX_HMAC_BYTES)) {
    throw new BadRequest(`invalid key_size: it is ${MIN_HMAC_BYTES} to ${MAX_HMAC_BYTES} bytes`)
  }
  if (convergent && !derived) {
    throw new BadRequest('convergent encryption requires derivation to be enabled')
  }
  if (derived && !type.derives) {
    throw new BadRequest(
      `key derivation and convergent encryption not supported for keys of type ${type.name}`,
    )
  }
  if (convergent && type.family !== 'aead') {
    throw new BadRequest(`convergent encryption not supported for keys of type ${type.name}`)
  }
}

/** @throws {BadRequest} */
export function demandPeriod(autoRotateSeconds: number): void {
  if (autoRotateSeconds !== 0 && autoRotateSeconds < HOUR_SECONDS) {
    throw new BadRequest('auto rotate period must be 0 to disable or at least an hour')
  }
}

/** Adds a version. A key that was imported is one of our own from there on. */
export async function rotateKey(context: MountContext, key: TransitKey): Promise<TransitKey> {
  const { random, nowMs } = context
  const made = await generateVersion(typeOf(key), key, random, nowMs)
  return addVersion(context.storage, { ...key, imported: false }, made)
}

export function addVersion(storage: View, key: TransitKey, made: MadeVersion): TransitKey {
  const latestVersion = key.latestVersion + 1
  const versions = { ...key.versions, [latestVersion]: made.version }
  const next = { ...key, latestVersion, versions }
  replaceKey(storage, next)
  storage.put(materials, materialKey(key.id, latestVersion), made.material)
  return next
}

export function replaceKey(storage: View, key: TransitKey): TransitKey {
  storage.put(transitKeys, keyKey(key.id), key)
  if (key.autoRotateSeconds > 0 || key.deletesAtMs !== null) {
    storage.put(timedKeys, timedKey(key.id), { id: key.id })
  } else {
    storage.delete(timedKey(key.id))
  }
  return key
}

/** Of a key that nobody knows yet: its names too. */
export function putNewKey(storage: View, key: TransitKey): void {
  for (const name of key.names) storage.put(keyNames, nameKey(name), { id: key.id })
  replaceKey(storage, key)
}

/** Destroys the versions below one for good. */
export function trimKey(storage: View, key: TransitKey, minAvailableVersion: number): TransitKey {
  const numbers = Object.keys(key.versions).map(Number)
  for (const number of numbers.filter((one) => one < minAvailableVersion)) {
    storage.delete(materialKey(key.id, number))
  }
  const kept = Object.entries(key.versions).filter(
    ([number]) => Number(number) >= minAvailableVersion,
  )
  return replaceKey(storage, { ...key, minAvailableVersion, versions: Object.fromEntries(kept) })
}

export function removeKey(storage: View, key: TransitKey): void {
  for (const number of Object.keys(key.versions)) {
    storage.delete(materialKey(key.id, Number(number)))
  }
  storage.delete(operationsKey(key.id))
  storage.delete(usesKey(key.id))
  storage.delete(keyKey(key.id))
  storage.delete(timedKey(key.id))
  for (const name of key.names) storage.delete(nameKey(name))
}

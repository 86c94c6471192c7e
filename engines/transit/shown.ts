/** A key as answers show it (contract: engines-core.md, 2.2). */
import { rfc3339 } from '../../core/clock.ts'
import type { KeyType } from './key-types.ts'
import { typeOf } from './keys.ts'
import type { KeyVersion, TransitKey } from './records.ts'

/** Convergent keys are made as their versions say. */
const PER_VERSION = -1

/** @param publicKeys of the versions, where they are other than stored: those derived for a context */
export function shownKey(
  name: string,
  key: TransitKey,
  publicKeys: ReadonlyMap<number, string> = new Map(),
): Record<string, unknown> {
  const type = typeOf(key)
  return {
    name,
    // Vault has one type for all sets; the versions have the name of each.
    type: type.family === 'ml-dsa' ? 'ml-dsa' : key.type,
    ...(key.keySize !== undefined && { key_size: key.keySize }),
    ...(type.family === 'ml-dsa' && { parameter_set: type.parameterSet }),
    derived: key.derived,
    deletion_allowed: key.deletionAllowed,
    min_available_version: key.minAvailableVersion,
    min_decryption_version: key.minDecryptionVersion,
    min_encryption_version: key.minEncryptionVersion,
    latest_version: key.latestVersion,
    exportable: key.exportable,
    allow_plaintext_backup: key.allowPlaintextBackup,
    supports_encryption: type.encrypts,
    supports_decryption: type.encrypts,
    supports_signing: type.signs,
    supports_derivation: type.derives,
    auto_rotate_period: key.autoRotateSeconds,
    imported_key: key.imported,
    soft_deleted: key.softDeleted,
    ...lifecycle(name, key),
    ...(key.imported && { imported_key_allow_rotation: key.importedAllowRotation }),
    ...(key.backup !== null && { backup_info: shownStamp(key.backup) }),
    ...(key.restore !== null && { restore_info: shownStamp(key.restore) }),
    ...(key.derived && { kdf: key.kdf, convergent_encryption: key.convergent }),
    ...(key.convergent && { convergent_encryption_version: PER_VERSION }),
    ...(type.family !== 'hmac' && { keys: shownVersions(type, key, publicKeys) }),
  }
}

/** Beyond Vault, and so only where it is other than of every key there. */
function lifecycle(name: string, key: TransitKey): Record<string, unknown> {
  const { disabled, deletesAtMs, operations, tags, names, maxOperations, onLimit } = key
  const { requiredContext } = key
  const aliases = names.filter((one) => one !== name)
  return {
    ...((disabled || deletesAtMs !== null) && {
      state: deletesAtMs === null ? 'disabled' : 'pending_deletion',
    }),
    ...(deletesAtMs !== null && { deletion_time: rfc3339(deletesAtMs) }),
    ...(operations.length > 0 && { allowed_operations: operations }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(maxOperations > 0 && { max_operations: maxOperations }),
    ...(onLimit !== 'rotate' && { on_limit: onLimit }),
    ...(requiredContext.length > 0 && { required_context: requiredContext }),
    ...(aliases.length > 0 && { aliases }),
  }
}

function shownStamp({ atMs, version }: { atMs: number; version: number }) {
  return { time: rfc3339(atMs), version }
}

/** The numbers of the versions that may be used, in order. */
export function usableVersions(key: TransitKey): number[] {
  return Object.keys(key.versions)
    .map(Number)
    .filter((number) => number >= key.minDecryptionVersion)
}

function shownVersions(type: KeyType, key: TransitKey, publicKeys: ReadonlyMap<number, string>) {
  const shown: Record<string, unknown> = {}
  for (const number of usableVersions(key)) {
    const version = key.versions[String(number)]
    if (version !== undefined) {
      shown[number] = shownVersion(type, version, publicKeys.get(number))
    }
  }
  return shown
}

function shownVersion(type: KeyType, version: KeyVersion, publicKey = version.publicKey) {
  if (type.family === 'aead' || type.family === 'cmac')
    return Math.floor(version.createdAtMs / 1000)
  return {
    name: type.family === 'ecdsa' ? type.shownName : type.name,
    public_key: publicKey ?? '',
    certificate_chain: certificatesPem(version.certificates),
    creation_time: rfc3339(version.createdAtMs),
  }
}

const LINE = /.{1,64}/g

/** @param certificates DER in base64 */
export function certificatesPem(certificates: readonly string[]): string {
  return certificates.map(certificatePem).join('')
}

function certificatePem(der: string): string {
  const lines = der.match(LINE) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

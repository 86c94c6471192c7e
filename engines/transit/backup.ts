/** A key with all its versions as one text, as Vault and OpenBao have it (contract: engines-core.md, 2.9). */
import type { z } from 'zod'
import { rfc3339 } from '../../core/clock.ts'
import { BadRequest } from '../../core/errors.ts'
import { isJsonObject, parseJson, type JsonObject } from '../../core/json.ts'
import type { MadeVersion } from './generate.ts'
import { backupEntry, damaged, NO_ENTRY, readEntry } from './backup-entry.ts'
import { demandPeriod } from './change.ts'
import { KEY_TYPES, type KeyType } from './key-types.ts'
import { typeOf, type Loaded } from './keys.ts'
import { useSchema, type OperationCounts, type TransitKey } from './records.ts'

const NANOSECONDS = 1_000_000_000n
/** Vault's number of hmac keys, and OpenBao's of the others: the two cannot both be served. */
const VAULT_HMAC = 11
const OPENBAO_HMAC = 10

/** @param versions all that there are, in order @param counts of what they have done */
export function writeBackup(
  name: string,
  key: TransitKey,
  { versions, counts }: { readonly versions: readonly Loaded[]; readonly counts: OperationCounts },
  nowMs: number,
): string {
  const type = typeOf(key)
  const entries = new Map(versions.map((loaded) => [loaded.number, backupEntry(type, loaded)]))
  const current = [...entries].filter(([number]) => number >= key.minDecryptionVersion)
  const keys = current.map(([number, text]) => `"${number}":${text}`).join(',')
  const archived = Array.from(
    { length: key.latestVersion - key.minAvailableVersion + 1 },
    (_, i) => entries.get(i + key.minAvailableVersion) ?? NO_ENTRY,
  )
  const head = JSON.stringify({
    name,
    ...(key.keySize !== undefined && { key_size: key.keySize }),
  })
  const rest = JSON.stringify(policyMembers(key, type, counts, nowMs))
  const policy = `${head.slice(0, -1)},"keys":{${keys}},${rest.slice(1)}`
  return Buffer.from(
    `{"policy":${policy},"archived_keys":{"keys":[${archived.join(',')}]}}\n`,
  ).toString('base64')
}

function policyMembers(key: TransitKey, type: KeyType, counts: OperationCounts, nowMs: number) {
  const isHmac = type.family === 'hmac'
  return {
    derived: key.derived,
    kdf: key.derived && key.kdf === 'hkdf_sha256' ? 1 : 0,
    convergent_encryption: key.convergent,
    exportable: key.exportable,
    min_decryption_version: key.minDecryptionVersion,
    min_encryption_version: key.minEncryptionVersion,
    latest_version: key.latestVersion,
    archive_version: key.latestVersion,
    archive_min_version: key.minAvailableVersion,
    min_available_version: key.minAvailableVersion,
    deletion_allowed: key.deletionAllowed,
    convergent_version: key.convergent ? -1 : 0,
    type: isHmac ? VAULT_HMAC : type.backupNumber,
    backup_info: { time: rfc3339(nowMs), version: key.latestVersion },
    restore_info:
      key.restore === null
        ? null
        : { time: rfc3339(key.restore.atMs), version: key.restore.version },
    allow_plaintext_backup: key.allowPlaintextBackup,
    version_template: '',
    storage_prefix: '',
    auto_rotate_period: key.autoRotateSeconds * Number(NANOSECONDS),
    Imported: key.imported,
    AllowImportedKeyRotation: key.importedAllowRotation,
    // Its absence says that the number of the type is Vault's.
    ...(!isHmac && { soft_deleted: key.softDeleted }),
    // Other servers pass over it.
    ...((isUsedOtherwise(key) || Object.keys(counts).length > 0) && {
      keyhold: {
        operationCounts: counts,
        disabled: key.disabled,
        operations: key.operations,
        tags: key.tags,
        maxOperations: key.maxOperations,
        onLimit: key.onLimit,
        requiredContext: key.requiredContext,
      },
    }),
  }
}

function isUsedOtherwise(key: TransitKey): boolean {
  const { disabled, operations, tags, maxOperations, onLimit, requiredContext } = key
  const isLimited = maxOperations > 0 || onLimit !== 'rotate' || requiredContext.length > 0
  return disabled || operations.length > 0 || Object.keys(tags).length > 0 || isLimited
}

const USED_FREELY: z.infer<typeof useSchema> = {
  disabled: false,
  operations: [],
  tags: {},
  maxOperations: 0,
  onLimit: 'rotate',
  requiredContext: [],
  operationCounts: {},
}

function useOf({ keyhold }: JsonObject) {
  if (keyhold === undefined) return USED_FREELY
  const { success, data } = useSchema.safeParse(keyhold)
  if (!success) throw damaged('keyhold')
  return data
}

export interface Restored {
  readonly name: string
  readonly key: TransitKey
  readonly versions: ReadonlyMap<number, MadeVersion>
  /** What the versions had done. */
  readonly counts: OperationCounts
}

/** @param id of the new key @throws {BadRequest} it is no backup */
export function readBackup(text: Buffer, id: string, nowMs: number): Restored {
  const { policy, archived } = partsOf(text)
  const type = typeOfBackup(policy)
  const minAvailableVersion = whole(policy, 'min_available_version')
  const { operationCounts: counts, ...use } = useOf(policy)
  const key: TransitKey = {
    id,
    names: [nameOf(policy)],
    type: type.name,
    derived: policy['derived'] === true,
    kdf:
      policy['derived'] === true && whole(policy, 'kdf') === 0
        ? 'hmac-sha256-counter'
        : 'hkdf_sha256',
    convergent: policy['convergent_encryption'] === true,
    exportable: policy['exportable'] === true,
    allowPlaintextBackup: policy['allow_plaintext_backup'] === true,
    deletionAllowed: policy['deletion_allowed'] === true,
    minDecryptionVersion: whole(policy, 'min_decryption_version'),
    minEncryptionVersion: whole(policy, 'min_encryption_version'),
    minAvailableVersion,
    latestVersion: whole(policy, 'latest_version'),
    autoRotateSeconds: Number(integerOf(policy, 'auto_rotate_period') / NANOSECONDS),
    imported: policy['Imported'] === true,
    importedAllowRotation: policy['AllowImportedKeyRotation'] === true,
    softDeleted: policy['soft_deleted'] === true,
    ...use,
    deletesAtMs: null,
    backup: stampOf(policy['backup_info']),
    restore: { atMs: nowMs, version: whole(policy, 'latest_version') },
    versions: {},
  }
  demandBounds(key)
  demandPeriod(key.autoRotateSeconds)
  const versions = readVersions(type, key, { policy, archived })
  const shown = Object.fromEntries([...versions].map(([number, { version }]) => [number, version]))
  // What the policy says of its size is missing in some backups.
  const keySize = versions.get(key.latestVersion)?.material.key.symmetricKeySize
  return {
    name: nameOf(policy),
    key: { ...key, ...(type.family === 'hmac' && { keySize }), versions: shown },
    versions,
    counts,
  }
}

function nameOf({ name }: JsonObject): string {
  return typeof name === 'string' ? name : ''
}

function partsOf(text: Buffer): { policy: JsonObject; archived: readonly unknown[] } {
  let blob: unknown
  try {
    blob = parseJson(text.toString('utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new BadRequest('the backup is no JSON inside its base64')
  }
  const policy = isJsonObject(blob) ? blob['policy'] : undefined
  if (!isJsonObject(policy)) throw damaged('policy')
  const archive = isJsonObject(blob) ? blob['archived_keys'] : undefined
  const list = isJsonObject(archive) ? archive['keys'] : undefined
  return { policy, archived: Array.isArray(list) ? list : [] }
}

/** The numbers 10 and 11 mean other types in Vault than in OpenBao. */
function typeOfBackup(policy: JsonObject): KeyType {
  const number = whole(policy, 'type')
  const isOpenBao = Object.hasOwn(policy, 'soft_deleted')
  const isHmac =
    (number === OPENBAO_HMAC && isOpenBao) ||
    (number === OPENBAO_HMAC && !Object.hasOwn(policy, 'managed_key_name')) ||
    (number === VAULT_HMAC && !isOpenBao && isHmacPolicy(policy))
  const all = [...KEY_TYPES.values()]
  const found = isHmac
    ? all.find(({ family }) => family === 'hmac')
    : all.find(({ backupNumber, family }) => backupNumber === number && family !== 'hmac')
  if (found === undefined) throw damaged('type')
  return found
}

/** Of hmac keys the key is the one of its HMACs, and most say their size. */
function isHmacPolicy(policy: JsonObject): boolean {
  if (whole(policy, 'key_size') > 0) return true
  const keys = policy['keys']
  const entry = isJsonObject(keys) ? keys[String(whole(policy, 'latest_version'))] : undefined
  return isJsonObject(entry) && entry['key'] !== null && entry['key'] === entry['hmac_key']
}

function demandBounds(key: TransitKey): void {
  const { minDecryptionVersion: decryption, latestVersion: latest, minAvailableVersion } = key
  if (latest < 1 || latest > MAX_VERSIONS) throw damaged('latest_version')
  if (decryption < 1 || decryption > latest) throw damaged('min_decryption_version')
  if (key.minEncryptionVersion < 0 || key.minEncryptionVersion > latest) {
    throw damaged('min_encryption_version')
  }
  if (minAvailableVersion < 0 || minAvailableVersion > decryption) {
    throw damaged('min_available_version')
  }
}

/** A restore is one commit. */
const MAX_VERSIONS = 500

function readVersions(
  type: KeyType,
  key: TransitKey,
  { policy, archived }: ReturnType<typeof partsOf>,
): Map<number, MadeVersion> {
  const current = policy['keys']
  const found = new Map<number, MadeVersion>()
  for (let number = Math.max(key.minAvailableVersion, 1); number <= key.latestVersion; number++) {
    const own = isJsonObject(current) ? current[String(number)] : undefined
    const entry = own ?? archived[number - key.minAvailableVersion]
    if (!isJsonObject(entry)) throw damaged(`keys.${number}`)
    found.set(number, readEntry(type, entry, key))
  }
  return found
}

/** 0 where there is none. */
function whole(object: JsonObject, name: string): number {
  const number = Number(integerOf(object, name))
  if (!Number.isSafeInteger(number)) throw damaged(name)
  return number
}

const INTEGER = /^-?\d{1,19}$/

/** As large as Go's; 0 where there is none. */
function integerOf(object: JsonObject, name: string): bigint {
  const text = JSON.stringify(object[name] ?? 0)
  if (!INTEGER.test(text)) throw damaged(name)
  return BigInt(text)
}

function stampOf(value: unknown): TransitKey['backup'] {
  if (!isJsonObject(value)) return null
  const { time, version } = value
  const atMs = typeof time === 'string' ? Date.parse(time) : Number.NaN
  const fits = Number.isFinite(atMs) && typeof version === 'number' && Number.isSafeInteger(version)
  return fits ? { atMs, version } : null
}

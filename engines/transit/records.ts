/**
 * What is stored of transit. A name leads to a key, a key knows its versions, and each version's material lies in a record of
 * its own, as bytes: all else of a key can be read, listed and changed without touching it.
 */
import { z } from 'zod'
import { kind, secretKind, texts } from '../../core/store/kind.ts'
import { isKeyTypeName } from './key-types.ts'
import { Material } from './material.ts'

const stamp = z.object({ atMs: z.number(), version: z.number().int() }).readonly()

const versionSchema = z
  .object({
    createdAtMs: z.number(),
    /** Of asymmetric keys: PKIX PEM; of ed25519 the 32 bytes in base64. Empty: of a key that others are derived from. */
    publicKey: z.string().optional(),
    /** False: only the public half was imported. */
    hasPrivate: z.boolean(),
    /** DER in base64, the leaf first. */
    certificates: z.array(z.string()).readonly(),
    /** How nonces are made of convergent keys; 0: as the key says. */
    convergentVersion: z.number().int(),
  })
  .readonly()

/** What may be allowed or not. */
export const OPERATIONS = ['encrypt', 'decrypt', 'sign', 'verify', 'mac', 'agree'] as const
export type KeyOperation = (typeof OPERATIONS)[number]

/** What comes when a version has done all operations that its key allows it. */
export const ON_LIMIT = ['rotate', 'refuse'] as const

/**
 * By version, the operations that nodes have reserved: those that it has done, and those that a node may still do or has
 * lost.
 */
const countsSchema = z.record(z.string(), z.number().int()).readonly()
export type OperationCounts = z.infer<typeof countsSchema>

const USE = {
  /** An operator has taken it out of use. */
  disabled: z.boolean(),
  /** What may be done with it; empty: all that its type can. */
  operations: z.array(z.enum(OPERATIONS)).readonly(),
  tags: texts,
  /** Of each version; 0: as many as its type can do safely. */
  maxOperations: z.number().int().default(0),
  onLimit: z.enum(ON_LIMIT).default('rotate'),
  /** What the encryption context of each new ciphertext must name. */
  requiredContext: z.array(z.string()).readonly().default([]),
}
/** What there is of a key beyond Vault, and what a backup carries of it. */
export const useSchema = z.object({ ...USE, operationCounts: countsSchema.default({}) }).readonly()

const keySchema = z
  .object({
    id: z.string(),
    /** The first one is shown; the others lead to it as well. */
    names: z.array(z.string()).min(1).readonly(),
    type: z.string().refine(isKeyTypeName),
    /** Bytes, of hmac keys. */
    keySize: z.number().int().optional(),
    derived: z.boolean(),
    kdf: z.enum(['hkdf_sha256', 'hmac-sha256-counter']),
    convergent: z.boolean(),
    exportable: z.boolean(),
    allowPlaintextBackup: z.boolean(),
    deletionAllowed: z.boolean(),
    minDecryptionVersion: z.number().int(),
    /** 0: no bound. */
    minEncryptionVersion: z.number().int(),
    /** Lower ones are destroyed; 0: none is. */
    minAvailableVersion: z.number().int(),
    latestVersion: z.number().int(),
    /** 0: never. */
    autoRotateSeconds: z.number().int(),
    imported: z.boolean(),
    importedAllowRotation: z.boolean(),
    softDeleted: z.boolean(),
    ...USE,
    /** It goes then; nobody may use it from the day on that this was asked. */
    deletesAtMs: z.number().nullable(),
    backup: stamp.nullable(),
    restore: stamp.nullable(),
    /** By version number: all that were not destroyed. */
    versions: z.record(z.string(), versionSchema).readonly(),
  })
  .readonly()

export type TransitKey = z.infer<typeof keySchema>
export type KeyVersion = z.infer<typeof versionSchema>

export const keyNames = kind('transit-name', z.object({ id: z.string() }).readonly())
export const transitKeys = kind('transit-key', keySchema)
export const materials = secretKind<Material>('transit-material', {
  encode: (material) => material.encode(),
  decode: (bytes) => Material.decode(bytes),
})
export const transitConfigs = kind(
  'transit-config',
  z.object({ disableUpsert: z.boolean(), cacheSize: z.number().int() }).readonly(),
)

export const operationCounts = kind('transit-operations', countsSchema)

const operationUses = z
  .partialRecord(
    z.enum(OPERATIONS),
    z.object({ count: z.number().int(), lastAtMs: z.number() }).readonly(),
  )
  .readonly()
const userUses = z
  .object({
    /** Empty: it has none, and is known by the rest. */
    entityId: z.string(),
    namespaceId: z.string(),
    /** Of the auth method; empty: none. */
    role: z.string(),
    displayName: z.string(),
    operations: operationUses,
  })
  .readonly()
const versionUses = z
  .object({
    operations: operationUses,
    users: z.array(userUses).readonly(),
    /** There were others too. */
    more: z.boolean(),
  })
  .readonly()
export type UserUses = z.infer<typeof userUses>
export type VersionUses = z.infer<typeof versionUses>
/** By version. */
const keyUsesSchema = z.record(z.string(), versionUses).readonly()
export type KeyUses = z.infer<typeof keyUsesSchema>
export const keyUses = kind('transit-uses', keyUsesSchema, { keptWhenWritten: false })

export const NAMES_PREFIX = 'names/'
export const nameKey = (name: string) => NAMES_PREFIX + name
/** That time brings something to a key: a new version, or its end. */
export const timedKeys = kind('transit-timed', z.object({ id: z.string() }).readonly())

export const TIMED_PREFIX = 'timed/'
export const timedKey = (id: string) => TIMED_PREFIX + id
export const keyKey = (id: string) => `keys/${id}`
export const materialKey = (id: string, version: number) => `material/${id}/${version}`
export const operationsKey = (id: string) => `operations/${id}`
export const usesKey = (id: string) => `uses/${id}`
export const CONFIG_KEY = 'config'
/** Of the key that imported ones are wrapped for. */
export const WRAPPING_KEY = 'wrapping-key'

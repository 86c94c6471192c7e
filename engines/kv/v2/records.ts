/**
 * What version 2 stores: the mount's settings, of each key its metadata, and the data of each version by itself, so that
 * neither a listing nor a write reads what it does not need.
 */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { kind, texts } from '../../../core/store/kind.ts'

const configSchema = z
  .object({
    /** 0: not set. */
    maxVersions: z.number().int(),
    casRequired: z.boolean(),
    metadataCasRequired: z.boolean(),
    /** 0: not set; negative: no version of the mount is deleted by time. */
    deleteVersionAfterSeconds: z.number().int(),
    /** Only while values from before the mount was upgraded from version 1 may be left. */
    upgradedAtMs: z.number().optional(),
  })
  .readonly()
export type Config = z.infer<typeof configSchema>
export const configs = kind('kv-config', configSchema)
export const CONFIG_KEY = 'config'

const versionSchema = z
  .object({
    createdAtMs: z.number(),
    /** When it was deleted, or will be by itself. */
    deletionAtMs: z.number().optional(),
    /** By a request: gone whatever any clock says. */
    deleted: z.boolean().optional(),
    /** Its data is erased. */
    destroyed: z.boolean().optional(),
  })
  .readonly()
export type Version = z.infer<typeof versionSchema>

const keySchema = z
  .object({
    /** Under which its versions lie. A key of the same name made anew does not get the old one's. Empty: see upgrade.ts. */
    id: z.string(),
    createdAtMs: z.number(),
    updatedAtMs: z.number(),
    /** Number of the last version; 0: there is none yet. */
    current: z.number().int(),
    /** Number of the first version that is kept; 0 until the limit was reached once. */
    oldest: z.number().int(),
    /** Those that are kept, without a gap; the last one is `current`. */
    versions: z.array(versionSchema).readonly(),
    /** Rises with each write of the settings below. */
    metadataVersion: z.number().int(),
    maxVersions: z.number().int(),
    casRequired: z.boolean(),
    metadataCasRequired: z.boolean(),
    deleteVersionAfterSeconds: z.number().int(),
    customMetadata: texts.nullable(),
  })
  .readonly()
export type Key = z.infer<typeof keySchema>
export const keys = kind('kv-key', keySchema)
export const KEY_PREFIX = 'keys/'

/** Checked and not copied: values may be large. */
export const versionData = kind('kv-version', z.custom<JsonObject>(isJsonObject))
export const versionKey = (id: string, number: number) => `versions/${id}/${number}`

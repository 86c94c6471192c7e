/** Tokens as they are stored. The token itself is not: a record lies under its accessor, a keyed hash of it. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../json.ts'
import { namespacePrefix } from '../namespaces.ts'
import { kind, texts } from '../store/kind.ts'

const strings = z.array(z.string()).readonly()
const jsonObject = z.custom<JsonObject>(isJsonObject)

/** What batch and service tokens have in common. */
const commonFields = {
  namespaceId: z.string(),
  policies: strings,
  /** The path that made it: `auth/token/create`, `auth/approle/login`. */
  path: z.string(),
  displayName: z.string(),
  meta: texts.nullable(),
  /** The accessor of the parent; empty: an orphan. */
  parent: z.string(),
  parentNamespaceId: z.string(),
  entityId: z.string(),
  boundCidrs: strings,
  createdAtMs: z.number(),
  ttlSeconds: z.number(),
  /** `null`: never. */
  expiresAtMs: z.number().nullable(),
  noDefaultPolicy: z.boolean(),
  /** The role of auth/token that made it, if one did. */
  role: z.string().optional(),
  /** How many recalls there had been when it was granted (`recalls.ts`); absent: none. */
  epoch: z.number().int().optional(),
}

const serviceSchema = z
  .object({
    ...commonFields,
    type: z.literal('service'),
    accessor: z.string(),
    /** Uses left; 0: no limit. */
    numUses: z.number().int(),
    maxTtlSeconds: z.number(),
    explicitMaxTtlSeconds: z.number(),
    periodSeconds: z.number(),
    renewable: z.boolean(),
    lastRenewalAtMs: z.number().nullable(),
    /** The mount that granted it, which is asked again at renewal; empty: the server itself did. */
    mountUuid: z.string(),
    internal: jsonObject,
  })
  .readonly()

const batchSchema = z
  .object({
    ...commonFields,
    type: z.literal('batch'),
    /** The mount that granted it. */
    mountUuid: z.string().default(''),
  })
  .readonly()

export type ServiceToken = z.infer<typeof serviceSchema>
export type BatchToken = z.infer<typeof batchSchema>
export type TokenRecord = ServiceToken | BatchToken

export const serviceTokens = kind('service-token', serviceSchema)
/** The content of a batch token, which carries it itself. */
export const batchTokens = kind('batch-token', batchSchema)

/** What leads to a token is written with each and read of few; in the cache it would take as much room as they. */
const INDEX = { keptWhenWritten: false }
/** That a token is the child of another; the key says it all. */
export const childRecords = kind(
  'token-child',
  z.object({ namespaceId: z.string() }).readonly(),
  INDEX,
)
/** The key of the hash under which tokens lie. */
export const tokenSalt = kind('token-salt', z.object({ salt: z.string() }).readonly())
/** When a token ends; the key begins with the time, so that the due ones are a range. */
export const expiryRecords = kind(
  'expiry',
  z.object({ namespaceId: z.string(), accessor: z.string() }).readonly(),
  INDEX,
)

/** Tokens that were revoked and whose children, cubbyhole and indices are still to be removed. */
export const revocationRecords = kind(
  'revocation',
  z
    .object({
      namespaceId: z.string(),
      accessor: z.string(),
      /** The children live on, without a parent. */
      orphans: z.boolean(),
    })
    .readonly(),
)

export const TOKEN_SALT_KEY = 'core/token-salt'
export const EXPIRY_PREFIX = 'expiry/'
export const REVOCATION_PREFIX = 'revocation/'

/** The names in it are the accessors of the namespace's service tokens. */
export const tokenPrefix = (namespaceId: string) => `${namespacePrefix(namespaceId)}token/`
export const tokenKey = (namespaceId: string, accessor: string) =>
  `${tokenPrefix(namespaceId)}${accessor}`
export const childPrefix = (parent: string) => `token-child/${parent}/`
export const childKey = (parent: string, accessor: string) => `${childPrefix(parent)}${accessor}`
export const revocationKey = (accessor: string) => `${REVOCATION_PREFIX}${accessor}`

/** Digits of a time in the key, enough until the year 5138. */
const TIME_DIGITS = 14
export const expiryKey = (expiresAtMs: number, accessor: string) =>
  `${EXPIRY_PREFIX}${String(Math.floor(expiresAtMs)).padStart(TIME_DIGITS, '0')}.${accessor}`
/** The time that an expiry's name begins with. */
export const expiryTimeMs = (name: string) => Number(name.slice(0, TIME_DIGITS))

/** `keys/NAME/config`, `keys/NAME/trim`, and the settings of the mount (contract: engines-core.md, 2.2). */
import { BadRequest } from '../../../core/errors.ts'
import {
  boolean,
  duration,
  integer,
  keyValues,
  list,
  oneOf,
  string,
} from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { demandPeriod, replaceKey, trimKey } from '../change.ts'
import { findKey, typeOf } from '../keys.ts'
import { MOST_ENCRYPTIONS } from '../operations.ts'
import {
  CONFIG_KEY,
  ON_LIMIT,
  OPERATIONS,
  transitConfigs,
  type KeyOperation,
  type TransitKey,
} from '../records.ts'
import { shownKey } from '../shown.ts'
import { name } from './keys.ts'

const configFields = {
  name,
  min_decryption_version: integer('Lower versions neither decrypt nor verify.'),
  min_encryption_version: integer('Lower versions neither encrypt nor sign; 0: no bound.'),
  deletion_allowed: boolean('The key may be deleted.'),
  exportable: boolean('The key may be exported; for good.'),
  allow_plaintext_backup: boolean('The key may be backed up in the clear; for good.'),
  auto_rotate_period: duration('A new version after so long; 0: never.'),
  state: string('`enabled`, or `disabled`: nobody may use it.'),
  allowed_operations: list(`What may be done with it: ${OPERATIONS.join(', ')}; empty: all.`),
  max_operations: integer(
    'Encryptions, signatures and MACs of each version, at most 2^32; 0: 2^32 encryptions.',
  ),
  on_limit: oneOf(ON_LIMIT, 'Then: `rotate` to a new version, or `refuse`.'),
  required_context: list('Names that the encryption context of each new ciphertext must have.'),
  tags: keyValues('Texts to remember about it; they replace those before.'),
}
const trimFields = {
  name,
  min_available_version: integer('Lower versions are destroyed.'),
}

const LEAST_CACHE = 10
const NO_CONFIG = { disableUpsert: false, cacheSize: 0 }

export const configPaths = [
  path('keys/:name/config', {
    summary: 'Settings of a key',
    fields: configFields,
    operations: { update: configure },
  }),
  path('keys/:name/trim', {
    summary: 'Destroys the versions below one, for good',
    fields: trimFields,
    operations: { update: trim },
  }),
  path('config/keys', {
    summary: 'Settings for all keys of the mount',
    fields: {
      disable_upsert: boolean('Encrypting with a key that is not there is refused.'),
    },
    operations: {
      async read({ storage }) {
        const { disableUpsert } = (await storage.get(transitConfigs, CONFIG_KEY)) ?? NO_CONFIG
        return { data: { disable_upsert: disableUpsert } }
      },
      async update({ storage, data }) {
        const before = (await storage.get(transitConfigs, CONFIG_KEY)) ?? NO_CONFIG
        const disableUpsert = data.disable_upsert ?? before.disableUpsert
        storage.put(transitConfigs, CONFIG_KEY, { ...before, disableUpsert })
        return { data: { disable_upsert: disableUpsert } }
      },
    },
  }),
  path('cache-config', {
    summary: 'Kept for clients that set it: keys are cached as all records are',
    fields: { size: integer('0, or 10 and more.').default(0) },
    operations: {
      async read({ storage }) {
        const { cacheSize } = (await storage.get(transitConfigs, CONFIG_KEY)) ?? NO_CONFIG
        return { data: { size: cacheSize } }
      },
      async update({ storage, data }) {
        const { size } = data
        if (size !== 0 && size < LEAST_CACHE) {
          throw new BadRequest('size must be 0 or a value greater or equal to 10')
        }
        const before = (await storage.get(transitConfigs, CONFIG_KEY)) ?? NO_CONFIG
        storage.put(transitConfigs, CONFIG_KEY, { ...before, cacheSize: size })
        return { data: { size } }
      },
    },
  }),
]

async function configure({ storage, data }: Request<typeof configFields>): Promise<Response> {
  const key = await findKey(storage, data.name)
  if (key === undefined) throw new BadRequest(`no existing key named ${data.name} could be found`)
  const warnings: string[] = []
  let minDecryptionVersion = data.min_decryption_version ?? key.minDecryptionVersion
  if (minDecryptionVersion === 0) {
    minDecryptionVersion = 1
    warnings.push(
      'since Vault 0.3 (prior to the OpenBao fork), transit key numbering starts at 1; forcing minimum to 1',
    )
  }
  const changed: TransitKey = {
    ...key,
    minDecryptionVersion,
    minEncryptionVersion: data.min_encryption_version ?? key.minEncryptionVersion,
    deletionAllowed: data.deletion_allowed ?? key.deletionAllowed,
    // What was let go once cannot be called back.
    exportable: key.exportable || data.exportable === true,
    allowPlaintextBackup: key.allowPlaintextBackup || data.allow_plaintext_backup === true,
    autoRotateSeconds: data.auto_rotate_period ?? key.autoRotateSeconds,
    ...useOf(key, data),
  }
  demandBounds(changed)
  demandPeriod(changed.autoRotateSeconds)
  return { data: shownKey(data.name, replaceKey(storage, changed)), warnings }
}

/** @throws {BadRequest} */
function useOf(key: TransitKey, data: Request<typeof configFields>['data']) {
  const { state, allowed_operations: allowed, tags, max_operations: maxOperations } = data
  if (state !== undefined && state !== 'enabled' && state !== 'disabled') {
    throw new BadRequest('state must be "enabled" or "disabled"')
  }
  return {
    disabled: state === undefined ? key.disabled : state === 'disabled',
    operations: allowed === undefined ? key.operations : allowed.map(demandOperation),
    tags: tags === undefined ? key.tags : demandTags(tags),
    maxOperations: maxOperations === undefined ? key.maxOperations : demandMost(maxOperations),
    onLimit: data.on_limit ?? key.onLimit,
    requiredContext: demandNames(key, data.required_context),
  }
}

/** Names of a context that a key may demand. */
const MOST_REQUIRED = 20

function demandNames(key: TransitKey, names: readonly string[] = key.requiredContext) {
  if (names.length > 0 && typeOf(key).family !== 'aead') {
    throw new BadRequest('required_context is for keys that encrypt with associated data')
  }
  if (names.length <= MOST_REQUIRED) return names
  throw new BadRequest(`required_context: at most ${MOST_REQUIRED} names`)
}

function demandMost(maxOperations: number): number {
  if (maxOperations >= 0 && maxOperations <= MOST_ENCRYPTIONS) return maxOperations
  throw new BadRequest(`max_operations must be 0 to ${MOST_ENCRYPTIONS}; 0: no limit of its own`)
}

function demandOperation(text: string): KeyOperation {
  const found = OPERATIONS.find((operation) => operation === text)
  if (found !== undefined) return found
  throw new BadRequest(`allowed_operations may hold ${OPERATIONS.join(', ')}`)
}

/** As AWS KMS has them. */
const MOST_TAGS = 50
const LONGEST_TAG = { name: 128, value: 256 }

function demandTags(tags: Readonly<Record<string, string>>) {
  const entries = Object.entries(tags)
  const fits = entries.every(
    ([name, value]) =>
      name !== '' && name.length <= LONGEST_TAG.name && value.length <= LONGEST_TAG.value,
  )
  if (entries.length <= MOST_TAGS && fits) return tags
  throw new BadRequest(
    `tags: at most ${MOST_TAGS}, names of 1 to ${LONGEST_TAG.name} and values of at most ${LONGEST_TAG.value} characters`,
  )
}

/** @throws {BadRequest} the bounds do not go together */
function demandBounds(key: TransitKey): void {
  const { minDecryptionVersion: decryption, minEncryptionVersion: encryption } = key
  const { latestVersion: latest, minAvailableVersion: available } = key
  if (decryption < 0) throw new BadRequest('min decryption version cannot be negative')
  if (encryption < 0) throw new BadRequest('min encryption version cannot be negative')
  for (const [what, version] of [
    ['decryption', decryption],
    ['encryption', encryption],
  ] as const) {
    if (version > latest) {
      throw new BadRequest(
        `cannot set min ${what} version of ${version}, latest key version is ${latest}`,
      )
    }
  }
  if (encryption > 0 && encryption < decryption) {
    throw new BadRequest(
      `cannot set min encryption/decryption values; min encryption version of ${encryption} must be greater than or equal to min decryption version of ${decryption}`,
    )
  }
  if (encryption > 0 && encryption < available) {
    throw new BadRequest('min encryption version should not be less than min available version')
  }
  if (decryption < available) {
    throw new BadRequest('min decryption version should not be less then min available version')
  }
}

async function trim({ storage, data }: Request<typeof trimFields>): Promise<Response> {
  const key = await findKey(storage, data.name)
  if (key === undefined) throw new BadRequest('invalid key name')
  const { min_available_version: wanted } = data
  if (wanted === undefined) throw new BadRequest('missing min_available_version')
  demandTrim(key, wanted)
  return { data: shownKey(data.name, trimKey(storage, key, wanted)) }
}

function demandTrim(key: TransitKey, wanted: number): void {
  const refuse = (text: string) => new BadRequest(`minimum available version ${text}`)
  if (wanted < key.minAvailableVersion) throw refuse('cannot be decremented')
  if (key.minEncryptionVersion === 0) {
    throw refuse('cannot be set when minimum encryption version is not set')
  }
  if (wanted > key.minEncryptionVersion) {
    throw refuse('cannot be greater than minmum encryption version')
  }
  if (wanted > key.minDecryptionVersion) {
    throw refuse('cannot be greater than minimum decryption version')
  }
  if (wanted < 0) throw refuse('cannot be negative')
  if (wanted === 0) throw refuse('should be positive')
}

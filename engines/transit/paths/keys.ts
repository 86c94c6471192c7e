/** `keys/`: making, showing, changing and removing keys (contract: engines-core.md, 2.2). */
import { BadRequest } from '../../../core/errors.ts'
import { boolean, duration, integer, string } from '../../../core/plugin/fields.ts'
import { listPath } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { demandBase64 } from '../../../core/plugin/base64.ts'
import { createKey, removeKey, replaceKey, rotateKey } from '../change.ts'
import { DEFAULT_KEY_TYPE, KEY_TYPES, type KeyType } from '../key-types.ts'
import { findKey, loadVersion } from '../keys.ts'
import { NAMES_PREFIX, type TransitKey } from '../records.ts'
import { shownKey, usableVersions } from '../shown.ts'
import { derivedEd25519, publicBase64 } from '../sign-ed25519.ts'

export const name = string('Name of the key.').required()

const fields = {
  name,
  type: string(`What kind of key: ${[...KEY_TYPES.keys()].join(', ')}.`).default(DEFAULT_KEY_TYPE),
  derived: boolean('Each use names a context, and a key of its own is derived for it.').default(
    false,
  ),
  convergent_encryption: boolean(
    'The same plaintext in the same context gives the same ciphertext.',
  ).default(false),
  exportable: boolean('The key may be exported; for good.').default(false),
  allow_plaintext_backup: boolean('The key may be backed up in the clear; for good.').default(
    false,
  ),
  auto_rotate_period: duration('A new version after so long; 0: never.').default(0),
  key_size: integer('Bytes of an hmac key.').default(0),
  parameter_set: string('Of the type `ml-dsa`: 44, 65 or 87.').default(''),
  context: string('Shows the public key for this context, in base64.').inQuery().default(''),
}
type KeyRequest = Request<typeof fields>

export const keyPaths = [
  listPath('keys', { summary: 'The names of the keys', prefix: NAMES_PREFIX }),
  path('keys/:name', {
    summary: 'A key',
    fields,
    operations: { read: show, update: create, delete: remove },
  }),
  path('keys/:name/rotate', {
    summary: 'Adds a version, which is used from then on',
    fields: { name },
    operations: { update: rotate },
  }),
  path('keys/:name/soft-delete', {
    summary: 'Refuses every use of a key until it is restored',
    fields: { name },
    operations: { delete: (request) => setSoftDeleted(request, true) },
  }),
  path('keys/:name/soft-delete-restore', {
    summary: 'Allows the use of a key again',
    fields: { name },
    operations: { update: (request) => setSoftDeleted(request, false) },
  }),
]

/** @param parameterSet of ML-DSA, where the type does not name it @throws {BadRequest} there is no such type */
export function demandType(text: string, parameterSet = ''): KeyType {
  // Vault: `ml-dsa` and its parameter set. OpenBao: `mldsa-44`.
  const name = text === 'ml-dsa' ? `${text}-${parameterSet}` : text.replace(/^mldsa-/, 'ml-dsa-')
  const type = KEY_TYPES.get(name)
  if (type === undefined && text === 'ml-dsa') {
    throw new BadRequest('parameter_set of ml-dsa must be 44, 65 or 87')
  }
  if (type === undefined) {
    throw new BadRequest(`unknown key type; it is one of ${[...KEY_TYPES.keys()].join(', ')}`)
  }
  return type
}

/** One that is there stays as it is. */
async function create(request: KeyRequest): Promise<Response> {
  const { storage, data } = request
  const before = await findKey(storage, data.name)
  if (before !== undefined) return { data: shownKey(data.name, before) }
  const key = await createKey(request, data.name, {
    type: demandType(data.type, data.parameter_set),
    derived: data.derived,
    convergent: data.convergent_encryption,
    exportable: data.exportable,
    allowPlaintextBackup: data.allow_plaintext_backup,
    autoRotateSeconds: data.auto_rotate_period,
    keySize: data.key_size === 0 ? undefined : data.key_size,
  })
  return { data: shownKey(data.name, key) }
}

async function show(request: KeyRequest): Promise<Response | undefined> {
  const { storage, data } = request
  const key = await findKey(storage, data.name)
  if (key === undefined) return undefined
  return { data: shownKey(data.name, key, await publicKeysFor(request, key)) }
}

/** Of a derived ed25519 key, the public keys for the context that is asked. */
async function publicKeysFor(
  { storage, data }: KeyRequest,
  key: TransitKey,
): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>()
  if (!key.derived || key.type !== 'ed25519' || data.context === '') return found
  const context = demandBase64(data.context)
  for (const number of usableVersions(key)) {
    const loaded = await loadVersion(storage, key, number)
    found.set(number, publicBase64(derivedEd25519(key, loaded, context)))
  }
  return found
}

async function remove({ storage, data }: KeyRequest): Promise<void> {
  const key = await findKey(storage, data.name)
  if (key === undefined) {
    throw new BadRequest(`error deleting policy ${data.name}: could not delete key; not found`)
  }
  if (!key.deletionAllowed) {
    throw new BadRequest(`error deleting policy ${data.name}: deletion is not allowed for this key`)
  }
  removeKey(storage, key)
}

async function rotate(request: Request<{ name: typeof name }>): Promise<Response> {
  const { storage, data } = request
  const key = await findKey(storage, data.name)
  if (key === undefined) throw new BadRequest('key not found')
  if (key.imported && !key.importedAllowRotation) {
    throw new BadRequest(`imported key ${data.name} does not allow rotation within Vault`)
  }
  return { data: shownKey(data.name, await rotateKey(request, key)) }
}

async function setSoftDeleted(
  { storage, data }: RequestBase & { readonly data: { readonly name: string } },
  softDeleted: boolean,
): Promise<Response | undefined> {
  const key = await findKey(storage, data.name)
  if (key === undefined) return undefined
  if (key.softDeleted === softDeleted) {
    const warning = softDeleted ? 'the key is soft-deleted already' : 'the key is not soft-deleted'
    return { data: shownKey(data.name, key), warnings: [warning] }
  }
  return { data: shownKey(data.name, replaceKey(storage, { ...key, softDeleted })) }
}

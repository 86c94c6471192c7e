/** `wrapping_key`, `keys/NAME/import`, `import_version`, `byok-export` (contract: engines-core.md, 2.2 and 2.8). */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { demandBase64 } from '../../../core/plugin/base64.ts'
import { BadRequest } from '../../../core/errors.ts'
import { boolean, duration, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { addVersion, demandPeriod, newKey, putNewKey, replaceKey } from '../change.ts'
import { publicPem, versionOf } from '../generate.ts'
import { importKey, importPublicKey, isPair } from '../import.ts'
import { DEFAULT_KEY_TYPE, type KeyType } from '../key-types.ts'
import { findKey, loadVersion, typeOf } from '../keys.ts'
import type { Material } from '../material.ts'
import { materialKey, materials, WRAPPING_KEY, type TransitKey } from '../records.ts'
import { oaepHash, unwrapKey, wrapKey } from '../wrap.ts'
import { versionsAsked } from './export.ts'
import { demandType, name } from './keys.ts'

const WRAPPING_BITS = 4096
const generatePair = promisify(generateKeyPair)

const wrappedFields = {
  name,
  ciphertext: string('The key, wrapped for this mount’s wrapping key, in base64.').default(''),
  public_key: string('Instead: its public half alone, in PEM.').default(''),
  hash_function: string('Of RSA-OAEP: SHA1, SHA224, SHA256, SHA384 or SHA512.').default('SHA256'),
}
const importFields = {
  ...wrappedFields,
  type: string('What kind of key.').default(DEFAULT_KEY_TYPE),
  allow_rotation: boolean('The server may add versions of its own.').default(false),
  derived: boolean('Each use names a context, and a key of its own is derived for it.').default(
    false,
  ),
  exportable: boolean('The key may be exported; for good.').default(false),
  allow_plaintext_backup: boolean('The key may be backed up in the clear; for good.').default(
    false,
  ),
  auto_rotate_period: duration('A new version after so long; 0: never.').default(0),
}
const versionFields = {
  ...wrappedFields,
  version: integer('Which version the private half is of.'),
}
const byokFields = {
  destination: string('Name of the RSA key that it is wrapped for.').required(),
  source: string('Name of the key.').required(),
  version: string('Its number, or `latest`; without, all.').default(''),
  hash: string('Of RSA-OAEP.').inQuery().default('SHA256'),
}
type VersionRequest = Request<typeof versionFields>

export const importPaths = [
  path('wrapping_key', {
    summary: 'The public key that keys are wrapped for on their way here',
    operations: {
      async read(request) {
        return { data: { public_key: publicPem(await wrappingKey(request)) } }
      },
    },
  }),
  path('keys/:name/import', {
    summary: 'Takes in a key from elsewhere',
    fields: importFields,
    operations: { update: importNew },
  }),
  path('keys/:name/import_version', {
    summary: 'Takes in a version of a key from elsewhere',
    fields: versionFields,
    operations: { update: importVersion },
  }),
  path(['byok-export/:destination/:source', 'byok-export/:destination/:source/:version'], {
    summary: 'A key, wrapped for another server',
    fields: byokFields,
    operations: { read: exportWrapped },
  }),
]

/** Made at its first use. */
async function wrappingKey({ storage, random }: RequestBase): Promise<KeyObject> {
  const stored = await storage.get(materials, WRAPPING_KEY)
  if (stored !== undefined) return stored.key
  const { privateKey } = await generatePair('rsa', { modulusLength: WRAPPING_BITS })
  const none = versionOf(demandType('rsa-4096'), privateKey, NO_RULES, random, 0).material
  storage.put(materials, WRAPPING_KEY, none)
  return privateKey
}

const NO_RULES = { derived: false, convergent: false, keySize: undefined }

const NO_PUBLIC_BASE =
  'unable to import only public key for derived Ed25519 key: keys are derived of both halves'

/** The key of a request. @throws {BadRequest} */
async function keyOf(
  request: Request<typeof wrappedFields>,
  type: KeyType,
  { derived }: { readonly derived: boolean },
): Promise<KeyObject> {
  const { data } = request
  const hash = oaepHash(data.hash_function)
  if (data.ciphertext === '') {
    if (derived && type.family === 'ed25519') throw new BadRequest(NO_PUBLIC_BASE)
    return importPublicKey(type, data.public_key)
  }
  const target = unwrapKey(await wrappingKey(request), demandBase64(data.ciphertext), hash)
  try {
    return importKey(type, target)
  } finally {
    target.fill(0)
  }
}

async function importNew(request: Request<typeof importFields>): Promise<void> {
  const { storage, data, random, nowMs } = request
  const type = demandType(data.type)
  oaepHash(data.hash_function)
  if ((await findKey(storage, data.name)) !== undefined) {
    throw new BadRequest(
      'the import path cannot be used with an existing key; use import-version to rotate an existing imported key',
    )
  }
  demandPeriod(data.auto_rotate_period)
  if (data.auto_rotate_period > 0 && !data.allow_rotation) {
    throw new BadRequest('allow_rotation must be set to true if auto-rotation is enabled')
  }
  if (data.derived && !type.derives) {
    throw new BadRequest(
      `key derivation and convergent encryption not supported for keys of type ${type.name}`,
    )
  }
  const object = await keyOf(request, type, data)
  const keySize = type.family === 'hmac' ? object.symmetricKeySize : undefined
  const key: TransitKey = {
    ...newKey(random.uuid(), data.name, {
      type,
      derived: data.derived,
      convergent: false,
      exportable: data.exportable,
      allowPlaintextBackup: data.allow_plaintext_backup,
      autoRotateSeconds: data.auto_rotate_period,
      keySize,
    }),
    latestVersion: 0,
    imported: true,
    importedAllowRotation: data.allow_rotation,
  }
  putNewKey(storage, key)
  addVersion(storage, key, versionOf(type, object, key, random, nowMs))
}

async function importVersion(request: VersionRequest): Promise<void> {
  const { storage, data, random, nowMs } = request
  const key = await findKey(storage, data.name)
  if (key === undefined) {
    throw new BadRequest(
      `no key found with name ${data.name}; to import a new key, use the import/ endpoint`,
    )
  }
  if (!key.imported) {
    throw new BadRequest('the import_version endpoint can only be used with an imported key')
  }
  const type = typeOf(key)
  const object = await keyOf(request, type, key)
  const number = await versionToComplete(request, key, object)
  if (number !== undefined) completeVersion(request, key, number, object)
  else addVersion(storage, key, versionOf(type, object, key, random, nowMs))
}

/** The version whose private half it is; none: it is a new version. @throws {BadRequest} it is not of that version */
async function versionToComplete(
  { storage, data }: VersionRequest,
  key: TransitKey,
  object: KeyObject,
): Promise<number | undefined> {
  const number = data.version ?? key.latestVersion
  if (object.type !== 'private') return undefined
  const loaded = await loadVersion(storage, key, number)
  const matches = !loaded.version.hasPrivate && isPair(object, loaded.material.key)
  if (matches) return number
  if (data.version === undefined) return undefined
  throw new BadRequest('cannot import key, key pair does not match')
}

function completeVersion(
  { storage, random, nowMs }: VersionRequest,
  key: TransitKey,
  number: number,
  object: KeyObject,
): void {
  const before = key.versions[String(number)]
  const made = versionOf(typeOf(key), object, key, random, nowMs)
  const version = { ...made.version, createdAtMs: before?.createdAtMs ?? nowMs }
  replaceKey(storage, { ...key, versions: { ...key.versions, [number]: version } })
  storage.put(materials, materialKey(key.id, number), made.material)
}

async function exportWrapped(request: Request<typeof byokFields>): Promise<Response> {
  const { storage, data, random } = request
  const hash = oaepHash(data.hash)
  const to = await findKey(storage, data.destination)
  if (to === undefined) throw new BadRequest('no such destination key to export to')
  const source = await findKey(storage, data.source)
  if (source === undefined) throw new BadRequest('no such source key for export')
  if (!source.exportable) throw new BadRequest('key is not exportable')
  if (typeOf(to).family !== 'rsa') throw new BadRequest('the destination key is no RSA key')
  const { material } = await loadVersion(storage, to, to.latestVersion)
  const keys: Record<string, string> = {}
  for (const number of versionsAsked(source, data.version)) {
    const loaded = await loadVersion(storage, source, number)
    const target = bytesOf(loaded.material)
    keys[number] = wrapKey(material.key, target, hash, random).toString('base64')
    target.fill(0)
  }
  return { data: { name: data.source, type: source.type, keys } }
}

/** @throws {BadRequest} there is only the public half */
function bytesOf({ key }: Material): Buffer {
  if (key.type === 'secret') return key.export()
  if (key.type === 'private') return key.export({ format: 'der', type: 'pkcs8' })
  throw new BadRequest('the key version has only a public half')
}

/** `metadata/PATH`: what is known of a key beside its data, and its settings. */
import { BadRequest } from '../../../../core/errors.ts'
import { duration, integer, object } from '../../../../core/plugin/fields.ts'
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import { demandSecretPath, folderPath } from '../../secret-path.ts'
import { describeKey, nothingToPatch } from '../answers.ts'
import { readConfig } from '../config.ts'
import { parseCustomMetadata, patchCustomMetadata } from '../custom-metadata.ts'
import { createKey, findKey, openKey, removeKey, saveKey } from '../keys.ts'
import { listKeys, pageFields, pageOf, scanKeys } from '../listing.ts'
import type { Config, Key } from '../records.ts'
import { isGiven, maxVersionsWarnings, settingFields, storedMaxVersions } from '../settings.ts'

const fields = {
  path: folderPath,
  ...settingFields,
  delete_version_after: duration(
    'After how long a version is deleted; 0: as the mount says. The smaller one of the two holds.',
  ),
  custom_metadata: object(
    'Up to 64 short texts by name, kept beside the key. Replaced as a whole.',
  ),
  metadata_cas: integer('The `current_metadata_version` that the key must have; 0: none yet.'),
  ...pageFields,
}
type MetadataRequest = Request<typeof fields>

/** A write of none of these changes nothing. */
const SETTINGS = [
  'max_versions',
  'cas_required',
  'metadata_cas_required',
  'delete_version_after',
  'custom_metadata',
]

export const metadataPath = path('metadata/:path*', {
  summary: 'What is known of a secret, and its settings',
  description:
    'To write sets what is sent and makes the key where it is not there. A patch changes single entries of ' +
    '`custom_metadata`, and `null` resets a setting. To delete removes the key with all its versions for good.',
  fields,
  exists: async ({ storage, data }) => (await findKey(storage, data.path)) !== undefined,
  operations: { read, update: write, patch, delete: remove, list, scan },
  examples: [
    {
      summary: 'Note who owns a secret',
      operation: 'update',
      path: 'metadata/app/database',
      request: { custom_metadata: { owner: 'team-a' }, max_versions: 5 },
    },
  ],
})

async function read({ storage, data }: MetadataRequest) {
  const key = await findKey(storage, data.path)
  return key && { data: describeKey(key) }
}

async function write(request: MetadataRequest) {
  const { storage, body, data, nowMs } = request
  demandSecretPath(data.path)
  if (!changesSettings(request)) return undefined
  const config = await readConfig(storage)
  const replaced = isGiven(body, 'custom_metadata') && {
    customMetadata: parseCustomMetadata(data.custom_metadata ?? {}),
  }
  const before = await openKey(request, data.path)
  checkMetadataCas(request, config, before)
  const key = withSettings(request, before ?? createKey(request))
  saveKey(storage, data.path, { ...key, ...replaced, updatedAtMs: nowMs })
  return { warnings: warningsOf(request, config) }
}

async function patch(request: MetadataRequest) {
  const { storage, body, data, nowMs } = request
  demandSecretPath(data.path)
  if (!changesSettings(request)) return undefined
  const before = await openKey(request, data.path)
  const patched = isGiven(body, 'custom_metadata') && {
    customMetadata:
      data.custom_metadata === undefined
        ? null
        : patchCustomMetadata(before?.customMetadata ?? null, data.custom_metadata),
  }
  if (before === undefined) return nothingToPatch()
  const config = await readConfig(storage)
  checkMetadataCas(request, config, before)
  const key = withSettings(request, before)
  saveKey(storage, data.path, { ...key, ...patched, updatedAtMs: nowMs })
  return { warnings: warningsOf(request, config) }
}

function changesSettings({ body }: MetadataRequest): boolean {
  return SETTINGS.some((name) => isGiven(body, name))
}

function withSettings({ body, data }: MetadataRequest, key: Key): Key {
  return {
    ...key,
    metadataVersion: key.metadataVersion + 1,
    ...(isGiven(body, 'max_versions') && {
      maxVersions: storedMaxVersions(data.max_versions ?? 0),
    }),
    ...(isGiven(body, 'cas_required') && { casRequired: data.cas_required ?? false }),
    ...(isGiven(body, 'metadata_cas_required') && {
      metadataCasRequired: data.metadata_cas_required ?? false,
    }),
    ...(isGiven(body, 'delete_version_after') && {
      deleteVersionAfterSeconds: Math.trunc(data.delete_version_after ?? 0),
    }),
  }
}

function checkMetadataCas(
  { body, data }: MetadataRequest,
  config: Config,
  key: Key | undefined,
): void {
  if (!isGiven(body, 'metadata_cas')) {
    if (!config.metadataCasRequired && key?.metadataCasRequired !== true) return
    throw new BadRequest('metadata check-and-set parameter required for this call')
  }
  if ((data.metadata_cas ?? 0) === (key?.metadataVersion ?? 0)) return
  throw new BadRequest(
    key === undefined
      ? 'metadata_cas must be 0 when creating new metadata'
      : 'metadata check-and-set parameter does not match the current version',
  )
}

/** About what the mount's settings overrule. */
function warningsOf({ body, data }: MetadataRequest, config: Config): string[] {
  const overruled = (name: string) =>
    `"${name}" set to false, but is mandated by backend config. This value will be ignored.`
  const warnings = maxVersionsWarnings(data.max_versions)
  if (isGiven(body, 'cas_required') && config.casRequired && data.cas_required !== true) {
    warnings.push(overruled('cas_required'))
  }
  const metadataCas = isGiven(body, 'metadata_cas_required') && config.metadataCasRequired
  if (metadataCas && data.metadata_cas_required !== true) {
    warnings.push(overruled('metadata_cas_required'))
  }
  return warnings
}

async function remove({ storage, data }: MetadataRequest): Promise<void> {
  const key = await findKey(storage, data.path)
  if (key !== undefined) removeKey(storage, data.path, key)
}

async function list({ storage, data, nowMs }: MetadataRequest) {
  return { data: { keys: await listKeys({ storage, folder: data.path, nowMs }, pageOf(data)) } }
}

async function scan({ storage, data, nowMs }: MetadataRequest) {
  const keys = await scanKeys({ storage, folder: data.path, nowMs })
  return { data: keys.length === 0 ? {} : { keys } }
}

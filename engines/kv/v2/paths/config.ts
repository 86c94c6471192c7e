/** `config`: the settings of the mount. */
import { goDuration } from '../../../../core/duration.ts'
import { signedDuration } from '../../../../core/plugin/fields.ts'
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import { readConfig } from '../config.ts'
import { CONFIG_KEY, configs, type Config } from '../records.ts'
import { isGiven, maxVersionsWarnings, settingFields, storedMaxVersions } from '../settings.ts'

const fields = {
  ...settingFields,
  delete_version_after: signedDuration(
    'After how long a version is deleted; 0: never, unless its key says so; negative: never, whatever its key says.',
  ),
}
type ConfigRequest = Request<typeof fields>

/** How "whatever its key says" is shown. */
const NEVER_SECONDS = -1

export const configPath = path('config', {
  summary: 'Settings of the mount',
  description: 'They hold for all keys. What is not sent stays as it is.',
  fields,
  operations: { read, update: write },
  examples: [
    {
      summary: 'Keep five versions, and demand check-and-set',
      operation: 'update',
      path: 'config',
      request: { max_versions: 5, cas_required: true },
    },
  ],
})

async function read({ storage }: ConfigRequest) {
  const config = await readConfig(storage)
  return {
    data: {
      max_versions: config.maxVersions,
      cas_required: config.casRequired,
      metadata_cas_required: config.metadataCasRequired,
      delete_version_after: goDuration(config.deleteVersionAfterSeconds),
    },
  }
}

async function write({ storage, body, data }: ConfigRequest) {
  if (!Object.keys(fields).some((name) => isGiven(body, name))) return undefined
  const before = await readConfig(storage)
  const deleteAfterSeconds = Math.trunc(data.delete_version_after ?? 0)
  const config: Config = {
    ...before,
    ...(isGiven(body, 'max_versions') && {
      maxVersions: storedMaxVersions(data.max_versions ?? 0),
    }),
    ...(isGiven(body, 'cas_required') && { casRequired: data.cas_required ?? false }),
    ...(isGiven(body, 'metadata_cas_required') && {
      metadataCasRequired: data.metadata_cas_required ?? false,
    }),
    ...(isGiven(body, 'delete_version_after') && {
      deleteVersionAfterSeconds: Math.max(NEVER_SECONDS, deleteAfterSeconds),
    }),
  }
  storage.put(configs, CONFIG_KEY, config)
  return { warnings: maxVersionsWarnings(data.max_versions) }
}

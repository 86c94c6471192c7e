/** Keys and versions as clients see them. */
import { rfc3339 } from '../../../core/clock.ts'
import { goDuration } from '../../../core/duration.ts'
import type { Key, Version } from './records.ts'
import { numberedVersions, type NumberedVersion } from './versions.ts'

/** Stands in every answer about one version. Members in order of their names, which the encoder likes best. */
export type VersionAnswer = Readonly<{
  created_time: string
  custom_metadata: Key['customMetadata']
  deletion_time: string
  destroyed: boolean
  version: number
}>

const described = new WeakMap<Version, VersionAnswer>()

/** hot: made once for a version as it is stored, and frozen, so that it is encoded but once, for the audit log too. */
export function describeVersion(key: Key, found: NumberedVersion): VersionAnswer {
  const known = described.get(found.version)
  if (known !== undefined && known.custom_metadata === key.customMetadata) return known
  const answer = Object.freeze(describeNew(key, found))
  described.set(found.version, answer)
  return answer
}

/** hot: the answer to its write, which is given once. */
export function describeNew(key: Key, { number, version }: NumberedVersion): VersionAnswer {
  const { created_time, deletion_time, destroyed } = versionFacts(version)
  const custom_metadata = key.customMetadata
  return { created_time, custom_metadata, deletion_time, destroyed, version: number }
}

export function describeKey(key: Key) {
  return {
    versions: Object.fromEntries(
      numberedVersions(key).map(({ number, version }) => [String(number), versionFacts(version)]),
    ),
    current_version: key.current,
    oldest_version: key.oldest,
    created_time: rfc3339(key.createdAtMs),
    updated_time: rfc3339(key.updatedAtMs),
    max_versions: key.maxVersions,
    cas_required: key.casRequired,
    delete_version_after: goDuration(key.deleteVersionAfterSeconds),
    custom_metadata: key.customMetadata,
    current_metadata_version: key.metadataVersion,
    metadata_cas_required: key.metadataCasRequired,
  }
}

function versionFacts({ createdAtMs, deletionAtMs, destroyed }: Version) {
  return {
    created_time: rfc3339(createdAtMs),
    deletion_time: deletionAtMs === undefined ? '' : rfc3339(deletionAtMs),
    destroyed: destroyed === true,
  }
}

/** A 404 without any body, as the reference answers a patch of what is not there. */
export function nothingToPatch() {
  return { status: 404, raw: { contentType: 'application/json', body: '' } }
}

/** Keys and versions as clients see them. */
import { rfc3339 } from '../../../core/clock.ts'
import { goDuration } from '../../../core/duration.ts'
import type { Key, Version } from './records.ts'
import { numberedVersions, type NumberedVersion } from './versions.ts'

/** Stands in every answer about one version. */
export function describeVersion(key: Key, { number, version }: NumberedVersion) {
  return { version: number, ...versionFacts(version), custom_metadata: key.customMetadata }
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

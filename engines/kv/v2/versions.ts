/** The life of a key's versions: how they come, are deleted and restored, and which are kept. Pure. */
import type { Config, Key, Version } from './records.ts'

/** Where neither the key nor the mount says how many. */
const DEFAULT_VERSIONS_KEPT = 10
/**
 * The most that are kept, whatever is asked for: all of a key can then be removed in one commit, and its metadata stays
 * below 100 kB.
 */
export const MAX_VERSIONS_KEPT = 1000

export function newKey(id: string, nowMs: number): Key {
  return {
    id,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    current: 0,
    oldest: 0,
    versions: [],
    metadataVersion: 0,
    maxVersions: 0,
    casRequired: false,
    metadataCasRequired: false,
    deleteVersionAfterSeconds: 0,
    customMetadata: null,
  }
}

export interface NumberedVersion {
  readonly number: number
  readonly version: Version
}

/** @param wanted 0 or less: the current one */
export function findVersion(key: Key, wanted = 0): NumberedVersion | undefined {
  const number = wanted > 0 ? wanted : key.current
  const version = key.versions[number - firstNumber(key)]
  return version && { number, version }
}

export function numberedVersions(key: Key): NumberedVersion[] {
  const first = firstNumber(key)
  return key.versions.map((version, i) => ({ number: first + i, version }))
}

function firstNumber(key: Key): number {
  return key.current - key.versions.length + 1
}

/** Deleted, by a request or by time, or destroyed: it has no data to show. */
export function isGone(version: Version, nowMs: number): boolean {
  return version.destroyed === true || isDeleted(version, nowMs)
}

function isDeleted({ deleted, deletionAtMs }: Version, nowMs: number): boolean {
  return deleted === true || (deletionAtMs !== undefined && deletionAtMs <= nowMs)
}

/** A version that begins now; the smaller of the two spans after which it is deleted holds. */
export function newVersion(config: Config, key: Key, nowMs: number): Version {
  const deletionAtMs = deletionTimeMs(config, key, nowMs)
  return { createdAtMs: nowMs, ...(deletionAtMs !== undefined && { deletionAtMs }) }
}

function deletionTimeMs(config: Config, key: Key, nowMs: number): number | undefined {
  if (config.deleteVersionAfterSeconds < 0) return undefined
  const spans = [config.deleteVersionAfterSeconds, key.deleteVersionAfterSeconds]
  const set = spans.filter((seconds) => seconds > 0)
  return set.length === 0 ? undefined : nowMs + Math.min(...set) * 1000
}

/** The key with one version more, and the numbers of those that it no longer keeps. */
export function addVersion(
  config: Config,
  key: Key,
  version: Version,
): { readonly key: Key; readonly pruned: readonly number[] } {
  const current = key.current + 1
  const oldest = Math.max(key.oldest, current - versionsKept(config, key) + 1)
  const first = firstNumber(key)
  const dropped = Math.max(0, oldest - first)
  return {
    key: {
      ...key,
      current,
      oldest,
      versions: [...key.versions.slice(dropped), version],
      updatedAtMs: version.createdAtMs,
    },
    pruned: numberedVersions(key)
      .slice(0, dropped)
      .map(({ number }) => number),
  }
}

/** The larger of what the key and the mount say, as in the reference. */
function versionsKept(config: Config, key: Key): number {
  const asked = Math.max(config.maxVersions, key.maxVersions)
  return Math.min(asked === 0 ? DEFAULT_VERSIONS_KEPT : asked, MAX_VERSIONS_KEPT)
}

/** @param numbers those that the key does not have are passed over */
export function deleteVersions(key: Key, numbers: readonly number[], nowMs: number): Key {
  return changeVersions(key, numbers, (version) =>
    isGone(version, nowMs) ? version : { ...version, deletionAtMs: nowMs, deleted: true },
  )
}

/** Those that were destroyed stay so; a span after which versions are deleted begins anew. */
export function undeleteVersions(
  config: Config,
  key: Key,
  numbers: readonly number[],
  nowMs: number,
): Key {
  const deletionAtMs = deletionTimeMs(config, key, nowMs)
  return changeVersions(key, numbers, (version) =>
    version.destroyed === true
      ? version
      : { createdAtMs: version.createdAtMs, ...(deletionAtMs !== undefined && { deletionAtMs }) },
  )
}

export function destroyVersions(key: Key, numbers: readonly number[]): Key {
  return changeVersions(key, numbers, (version) => ({ ...version, destroyed: true }))
}

function changeVersions(
  key: Key,
  numbers: readonly number[],
  change: (version: Version) => Version,
): Key {
  const wanted = new Set(numbers)
  const versions = numberedVersions(key).map(({ number, version }) =>
    wanted.has(number) ? change(version) : version,
  )
  return { ...key, versions }
}

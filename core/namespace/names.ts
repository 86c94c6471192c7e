/** What a namespace may be called, and what may be remembered about it. Texts are those that clients know. */
import { BadRequest } from '../errors.ts'
import { MAX_NAMESPACE_NAME_BYTES, RESERVED_NAMESPACE_NAMES } from '../namespaces.ts'

/** Levels of namespaces: each costs a request two look-ups on its way down. */
const MAX_NAMESPACE_LEVELS = 16
/** Entries of the custom metadata, and bytes of each key and value, as those of a kv key. */
const MAX_METADATA_ENTRIES = 64
const MAX_METADATA_KEY_BYTES = 128
const MAX_METADATA_VALUE_BYTES = 512

/**
 * One segment, without the slashes around it.
 *
 * @throws {BadRequest} no namespace can have that name
 */
export function parseNamespaceName(given: string): string {
  const name = given.replace(/^\/|\/$/g, '')
  if (name === '') throw new BadRequest('namespace name cannot be empty')
  if (name.includes('/')) throw new BadRequest('namespace name cannot contain /')
  if (RESERVED_NAMESPACE_NAMES.has(name)) {
    throw new BadRequest(`"${name}/" is a reserved path and cannot be used as a namespace name`)
  }
  return name
}

/** @throws {BadRequest} a new namespace may not have that name, or stand so deep */
export function demandNewName(name: string, parentPath: string): void {
  if (/\s/u.test(name)) {
    throw new BadRequest(
      `"${name}" contains space characters that cannot be used in a namespace name`,
    )
  }
  const wildcard = /[+*]/.exec(name)?.[0]
  if (wildcard !== undefined) {
    throw new BadRequest(
      `"${name}" contains wildcard characters that cannot be used in a namespace name: '${wildcard}'`,
    )
  }
  if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u.test(name)) {
    throw new BadRequest('a namespace name must be of characters that can be seen')
  }
  if (Buffer.byteLength(name) > MAX_NAMESPACE_NAME_BYTES) {
    throw new BadRequest(`a namespace name has at most ${MAX_NAMESPACE_NAME_BYTES} bytes`)
  }
  if (parentPath.split('/').length > MAX_NAMESPACE_LEVELS) {
    throw new BadRequest(`namespaces stand at most ${MAX_NAMESPACE_LEVELS} deep`)
  }
}

/** @throws {BadRequest} there is too much of it */
export function demandMetadata(metadata: Readonly<Record<string, string>>): void {
  const entries = Object.entries(metadata)
  const fits =
    entries.length <= MAX_METADATA_ENTRIES &&
    entries.every(
      ([key, value]) =>
        Buffer.byteLength(key) <= MAX_METADATA_KEY_BYTES &&
        Buffer.byteLength(value) <= MAX_METADATA_VALUE_BYTES,
    )
  if (fits) return
  throw new BadRequest(
    `custom_metadata has at most ${MAX_METADATA_ENTRIES} entries, their keys at most ${MAX_METADATA_KEY_BYTES} bytes, their values at most ${MAX_METADATA_VALUE_BYTES}`,
  )
}

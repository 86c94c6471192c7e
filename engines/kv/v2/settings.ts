/** What the settings of a mount and those of a key have in common. */
import type { JsonObject } from '../../../core/json.ts'
import { boolean, integer } from '../../../core/plugin/fields.ts'
import { MAX_VERSIONS_KEPT } from './versions.ts'

export const settingFields = {
  max_versions: integer(
    `How many versions of a key are kept; 0: as the mount says, else 10. At most ${MAX_VERSIONS_KEPT} are.`,
  ),
  cas_required: boolean('Whether each write of data needs `options.cas`.'),
  metadata_cas_required: boolean('Whether each write of metadata needs `metadata_cas`.'),
}

/** Whether the client sent the field. One sent as `null` counts: it means the zero of its type. */
export function isGiven(body: JsonObject, name: string): boolean {
  return Object.hasOwn(body, name)
}

const MAX_UINT32 = 0xffff_ffff

/** As the reference stores it: a negative number is the largest one, which asks for as many as there can be. */
export function storedMaxVersions(sent: number): number {
  return sent < 0 ? MAX_UINT32 : Math.min(sent, MAX_UINT32)
}

/** What the writer has to know where more was asked for than is kept. */
export function maxVersionsWarnings(sent: number | undefined): string[] {
  if (sent === undefined || sent <= MAX_VERSIONS_KEPT) return []
  return [
    `"max_versions" is larger than ${MAX_VERSIONS_KEPT}; so many versions of a key are kept at the most.`,
  ]
}

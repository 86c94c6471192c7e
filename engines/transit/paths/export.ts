/** `export`: keys in the clear, where they may leave (contract: engines-core.md, 2.7). */
import { BadRequest } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { EXPORT_FORMATS, EXPORT_KINDS, exportVersion, isPrivate } from '../export.ts'
import { findKey, loadVersion } from '../keys.ts'
import type { TransitKey } from '../records.ts'
import { usableVersions } from '../shown.ts'
import { name } from './keys.ts'

const NUMBER = /^v?(\d{1,9})$/

const fields = {
  kind: string(`What of the key: ${EXPORT_KINDS.join(', ')}.`).required(),
  name,
  version: string('Its number, or `latest`; without, all.').default(''),
  format: string('`raw`, `der` or `pem`; without, the form that the type has.')
    .inQuery()
    .default(''),
}

export const exportPaths = [
  path(['export/:kind/:name', 'export/:kind/:name/:version'], {
    summary: 'A key in the clear',
    fields,
    operations: { read: answer },
  }),
]

async function answer({ storage, data }: Request<typeof fields>): Promise<Response | undefined> {
  const kind = oneOf(EXPORT_KINDS, data.kind, 'export type')
  const format = oneOf(EXPORT_FORMATS, data.format, 'format')
  const key = await findKey(storage, data.name)
  if (key === undefined) return undefined
  if (isPrivate(kind) && !key.exportable) {
    throw new BadRequest('private key material is not exportable')
  }
  const keys: Record<string, string> = {}
  for (const number of versionsAsked(key, data.version)) {
    keys[number] = exportVersion(key, await loadVersion(storage, key, number), kind, format)
  }
  return { data: { keys, name: data.name, type: key.type } }
}

function oneOf<const V extends string>(values: readonly V[], text: string, what: string): V {
  const found = values.find((value) => value === text)
  if (found !== undefined) return found
  const choices = values.filter((value) => value !== '').join(', ')
  throw new BadRequest(`invalid ${what}; it is one of ${choices}`)
}

/** @throws {BadRequest} there is no such version, or it may not be used any more */
export function versionsAsked(key: TransitKey, text: string): number[] {
  if (text === '') return usableVersions(key)
  if (text === 'latest') return [key.latestVersion]
  const number = Number(NUMBER.exec(text)?.[1] ?? Number.NaN)
  if (Number.isNaN(number)) throw new BadRequest('invalid key version')
  if (number < key.minDecryptionVersion) {
    throw new BadRequest('version for export is below minimum decryption version')
  }
  if (key.versions[String(number)] === undefined) {
    throw new BadRequest('version does not exist or cannot be found')
  }
  return [number]
}

/** `subkeys/PATH`: the names in a secret, without its values. */
import { integer } from '../../../../core/plugin/fields.ts'
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import { secretPath } from '../../secret-path.ts'
import { describeVersion } from '../answers.ts'
import { findKey, readData } from '../keys.ts'
import { stripValues } from '../strip-values.ts'
import { findVersion, isGone } from '../versions.ts'

const fields = {
  path: secretPath,
  version: integer('The version to read; 0: the current one.').inQuery(),
  depth: integer('Levels of names that are shown; 0: all.').inQuery(),
}

export const subkeysPath = path('subkeys/:path*', {
  summary: 'The names in a secret, without its values',
  fields,
  operations: { read },
})

async function read({ storage, data, nowMs }: Request<typeof fields>) {
  const key = await findKey(storage, data.path)
  const found = key && findVersion(key, data.version)
  if (key === undefined || found === undefined) return undefined
  const metadata = describeVersion(key, found)
  if (isGone(found.version, nowMs)) return { status: 404, data: { subkeys: null, metadata } }
  const value = await readData(storage, data.path, key, found.number)
  return { data: { subkeys: stripValues(value, data.depth ?? 0), metadata } }
}

/** `detailed-metadata/FOLDER`: as a listing of `metadata/`, with the metadata of each key. */
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import { folderPath } from '../../secret-path.ts'
import { describeKeys, listKeys, pageFields, pageOf, scanKeys } from '../listing.ts'

const fields = { path: folderPath, ...pageFields }
type DetailsRequest = Request<typeof fields>

export const detailedMetadataPath = path('detailed-metadata/:path*', {
  summary: 'The secrets of a folder, and what is known of each',
  fields,
  operations: { list, scan },
})

async function list({ storage, data, nowMs }: DetailsRequest) {
  const listing = { storage, folder: data.path, nowMs }
  const keys = await listKeys(listing, pageOf(data))
  return keys.length === 0
    ? undefined
    : { data: { keys, key_info: await describeKeys(listing, keys) } }
}

async function scan({ storage, data, nowMs }: DetailsRequest) {
  const listing = { storage, folder: data.path, nowMs }
  const keys = await scanKeys(listing)
  return { data: keys.length === 0 ? {} : { keys, key_info: await describeKeys(listing, keys) } }
}

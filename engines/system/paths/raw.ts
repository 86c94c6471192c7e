/**
 * `sys/raw`: the records of the storage as the text that they are, past every rule of the engines that own them. For an
 * operator who looks for a fault or mends one by hand; it is there only where the configuration says
 * `raw_storage_endpoint = true` (contract: sys-auth.md, Tools).
 */
import { isUtf8 } from 'node:buffer'
import { isCoreRecord } from '../../../core/barrier/record-keys.ts'
import { BadRequest } from '../../../core/errors.ts'
import type { UnsealedParts } from '../../../core/pipeline.ts'
import { boolean, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import { rawText } from '../../../core/store/raw-text.ts'

const fields = {
  path: string('A key of the storage, or a folder of keys.').default(''),
  value: string('The text of the record; in base64 where `encoding` says so.').default(''),
  encoding: string('`base64`: that is how the value is sent and shown.').default('').inQuery(),
  compressed: boolean('Kept for compatibility: no record is compressed here.')
    .default(true)
    .inQuery(),
  compression_type: string('Kept for compatibility: no record is compressed here.').default(''),
  after: string('Only names that sort after this one.').default('').inQuery(),
  limit: integer('At most so many names.').default(0).inQuery(),
}
type RawRequest = Request<typeof fields>
type Unsealed = () => Pick<UnsealedParts, 'store'>

export function rawPaths(unsealed: Unsealed) {
  const shared = { rootOnly: true, sudo: true, fields }
  return [
    path('raw', {
      ...shared,
      summary: 'The names at the top of the storage',
      operations: { list: listKeys },
    }),
    path('raw/:path*', {
      ...shared,
      summary: 'A record of the storage as it is, or the names in a folder',
      description:
        'What is written is not checked: a record that its owner cannot read is answered with an error from then on.',
      exists: async ({ data }) => (await readText(unsealed(), data.path)) !== undefined,
      operations: {
        read: (request) => show(unsealed(), request),
        update: write,
        delete: remove,
        list: listKeys,
      },
    }),
  ]
}

async function show(parts: Pick<UnsealedParts, 'store'>, { data }: RawRequest) {
  demandEncoding(data.encoding)
  const text = await readText(parts, data.path)
  if (text === undefined) return undefined
  const value = data.encoding === 'base64' ? Buffer.from(text).toString('base64') : text
  return { data: { value } }
}

function write({ data, storage }: RawRequest): void {
  demandKey(data.path)
  demandEncoding(data.encoding)
  if (data.compression_type !== '') {
    throw new BadRequest('compression_type: no record is compressed here; leave it out')
  }
  storage.put(
    rawText,
    data.path,
    data.encoding === 'base64' ? fromBase64(data.value) : wellFormed(data.value),
  )
}

function remove({ data, storage }: RawRequest): void {
  demandKey(data.path)
  storage.delete(data.path)
}

async function listKeys({ data, storage }: RawRequest) {
  const folder = data.path === '' || data.path.endsWith('/') ? data.path : `${data.path}/`
  if (isCoreRecord(folder.slice(0, -1))) throw new BadRequest(PROTECTED)
  const limit = data.limit > 0 ? { limit: data.limit } : {}
  return { data: { keys: await storage.list(folder, { after: data.after, ...limit }) } }
}

async function readText({ store }: Pick<UnsealedParts, 'store'>, key: string) {
  demandKey(key)
  return store.readText(key)
}

const PROTECTED = 'path: the barrier keeps this key for itself; it is neither shown nor written'

function demandKey(key: string): void {
  if (key === '') throw new BadRequest('path: name a key of the storage')
  if (isCoreRecord(key)) throw new BadRequest(PROTECTED)
}

function demandEncoding(encoding: string): void {
  if (encoding !== '' && encoding !== 'base64') {
    throw new BadRequest('invalid encoding: it is base64, or empty for text')
  }
}

function fromBase64(text: string): string {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new BadRequest('value: it is not base64')
  if (!isUtf8(bytes)) {
    throw new BadRequest('value: a record is text in UTF-8, which these bytes are not')
  }
  return bytes.toString('utf8')
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new BadRequest('value: it holds a half of a character')
  return text
}

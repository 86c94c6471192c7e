/** `backup` and `restore` (contract: engines-core.md, 2.2 and 2.9). */
import { BadRequest } from '../../../core/errors.ts'
import { demandBase64 } from '../../../core/plugin/base64.ts'
import { boolean, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { readBackup, writeBackup } from '../backup.ts'
import { putNewKey, removeKey, replaceKey } from '../change.ts'
import { findKey, type Loaded } from '../keys.ts'
import { countsOf, putCounts } from '../operations.ts'
import { materialKey, materials } from '../records.ts'
import { name } from './keys.ts'

const NAME = /^\w(?:[\w.-]*\w)?$/

const restoreFields = {
  name: string('Name of the key; without, the one in the backup.').default(''),
  backup: string('What `backup` gave.').default(''),
  force: boolean('Replaces a key of that name.').default(false),
}

export const backupPaths = [
  path('backup/:name', {
    summary: 'A key with all its versions, in the clear',
    fields: { name },
    operations: { read: backup },
  }),
  path(['restore', 'restore/:name'], {
    summary: 'Takes in what a backup holds',
    fields: restoreFields,
    operations: { update: restore },
  }),
]

async function backup({ storage, data, nowMs }: Request<{ name: typeof name }>): Promise<Response> {
  const key = await findKey(storage, data.name)
  if (key === undefined) throw new BadRequest(`key "${data.name}" not found`)
  if (!key.exportable) throw new BadRequest('exporting is disallowed on the policy')
  if (!key.allowPlaintextBackup) {
    throw new BadRequest('plaintext backup is disallowed on the policy')
  }
  const versions: Loaded[] = []
  for (const [number, version] of Object.entries(key.versions)) {
    const material = await storage.get(materials, materialKey(key.id, Number(number)))
    if (material !== undefined) versions.push({ number: Number(number), version, material })
  }
  const counts = await countsOf(storage, key)
  const text = writeBackup(data.name, key, { versions, counts }, nowMs)
  replaceKey(storage, { ...key, backup: { atMs: nowMs, version: key.latestVersion } })
  return { data: { backup: text } }
}

async function restore({
  storage,
  data,
  random,
  nowMs,
}: Request<typeof restoreFields>): Promise<void> {
  if (data.backup === '') throw new BadRequest("'backup' must be supplied")
  const bytes = demandBase64(data.backup)
  const restored = readBackup(bytes, random.uuid(), nowMs)
  bytes.fill(0)
  const to = data.name === '' ? restored.name : data.name
  if (!NAME.test(to)) throw new BadRequest('key names cannot be paths')
  const before = await findKey(storage, to)
  if (before !== undefined && !data.force) throw new BadRequest(`key "${to}" already exists`)
  // It may be the same key, and have done more since.
  const done = before === undefined ? {} : await countsOf(storage, before)
  if (before !== undefined) removeKey(storage, before)
  const { versions } = restored
  const key = { ...restored.key, names: before?.names ?? [to] }
  putNewKey(storage, key)
  putCounts(storage, key, restored.counts, done)
  for (const [number, { material }] of versions) {
    storage.put(materials, materialKey(key.id, number), material)
  }
}

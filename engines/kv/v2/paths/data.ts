/** `data/PATH`: the versions of a secret. */
import { BadRequest } from '../../../../core/errors.ts'
import { integer, object } from '../../../../core/plugin/fields.ts'
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import type { JsonObject } from '../../../../core/json.ts'
import { demandSecretPath, secretPath } from '../../secret-path.ts'
import { describeNew, describeVersion, nothingToPatch } from '../answers.ts'
import { checkCas } from '../check-and-set.ts'
import { readConfig } from '../config.ts'
import { createKey, eraseData, findKey, openKey, putData, readData, saveKey } from '../keys.ts'
import { mergePatch } from '../merge-patch.ts'
import type { Config, Key } from '../records.ts'
import { isGiven } from '../settings.ts'
import { addVersion, deleteVersions, findVersion, isGone, newVersion } from '../versions.ts'

const fields = {
  path: secretPath,
  version: integer('The version to read; 0: the current one.').inQuery(),
  options: object('`cas`: the version that the key must have for the write; 0: none yet.'),
  data: object('What is written: any JSON object. A patch is merged into the current version.'),
}
type DataRequest = Request<typeof fields>

export const dataPath = path('data/:path*', {
  summary: 'A secret and its versions',
  description:
    'Each write makes a new version; a patch (RFC 7396) makes one out of the current version. To delete marks the ' +
    'current version as deleted, which can be undone.',
  fields,
  exists: async ({ storage, data }) => (await findKey(storage, data.path)) !== undefined,
  operations: { read, update: write, patch, delete: remove },
  examples: [
    {
      summary: 'Write a secret that must not be there yet',
      operation: 'update',
      path: 'data/app/database',
      request: { data: { password: 'correct horse' }, options: { cas: 0 } },
    },
    {
      summary: 'Change one member of it',
      operation: 'patch',
      path: 'data/app/database',
      request: { data: { password: 'battery staple' } },
    },
  ],
})

/** hot: test/bench measures it. */
async function read({ storage, data, nowMs }: DataRequest) {
  const key = await findKey(storage, data.path)
  const found = key && findVersion(key, data.version)
  if (key === undefined || found === undefined) return undefined
  const metadata = describeVersion(key, found)
  if (isGone(found.version, nowMs)) return { status: 404, data: { data: null, metadata } }
  return { data: { data: await readData(storage, data.path, key, found.number), metadata } }
}

/** hot: test/bench measures it. */
async function write(request: DataRequest) {
  const { storage, data } = request
  demandSecretPath(data.path)
  const config = await readConfig(storage)
  const sent = sentData(request)
  const key = (await openKey(request, data.path)) ?? createKey(request)
  checkCas(config, key, data.options)
  return store(request, config, key, sent)
}

async function patch(request: DataRequest) {
  const { storage, data, nowMs } = request
  demandSecretPath(data.path)
  const sent = sentData(request)
  const key = await openKey(request, data.path)
  if (key === undefined) return nothingToPatch()
  const config = await readConfig(storage)
  checkCas(config, key, data.options)
  const current = findVersion(key)
  if (current === undefined) return nothingToPatch()
  if (isGone(current.version, nowMs)) return { status: 404, data: describeVersion(key, current) }
  const before = await readData(storage, data.path, key, current.number)
  return store(request, config, key, mergePatch(before, sent))
}

/** `null` stands for an empty object. */
function sentData({ body, data }: DataRequest): JsonObject {
  if (!isGiven(body, 'data')) throw new BadRequest('no data provided')
  return data.data ?? {}
}

function store(
  { storage, data, nowMs }: DataRequest,
  config: Config,
  before: Key,
  sent: JsonObject,
) {
  const version = newVersion(config, before, nowMs)
  const { key, pruned } = addVersion(config, before, version)
  putData(storage, key, key.current, sent)
  eraseData(storage, key, pruned)
  saveKey(storage, data.path, key)
  return { data: describeNew(key, { number: key.current, version }) }
}

async function remove(request: DataRequest): Promise<void> {
  const { storage, data, nowMs } = request
  const key = await openKey(request, data.path)
  if (key !== undefined) saveKey(storage, data.path, deleteVersions(key, [key.current], nowMs))
}

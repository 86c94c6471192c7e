/** `keys/NAME/csr` and `keys/NAME/set-certificate` (contract: engines-core.md, 2.2). */
import { BadRequest } from '../../../core/errors.ts'
import { integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { replaceKey } from '../change.ts'
import { makeRequest, readChain } from '../csr.ts'
import { demandUsable, loadVersion, typeOf, type Loaded } from '../keys.ts'
import type { TransitKey } from '../records.ts'
import { versionToMake } from '../use.ts'
import { name } from './keys.ts'

const version = integer('Version of the key; 0: the newest.').default(0)
const csrFields = {
  name,
  csr: string('A request to take subject and extensions from, in PEM.').default(''),
  version,
}
const certificateFields = {
  name,
  certificate_chain: string('Certificates in PEM, that of the key first.').default(''),
  version,
}

export const csrPaths = [
  path('keys/:name/csr', {
    summary: 'A certificate request of a key',
    fields: csrFields,
    operations: { update: request },
  }),
  path('keys/:name/set-certificate', {
    summary: 'Keeps the certificate of a key',
    fields: certificateFields,
    operations: { update: setCertificate },
  }),
]

async function request(given: Request<typeof csrFields>): Promise<Response> {
  const { key, loaded } = await signingVersion(given)
  const { number } = loaded
  await versionToMake(given, key, { version: number, asked: number, operation: 'sign' })
  const csr = makeRequest(typeOf(key), loaded.material.key, given.data.csr)
  return { data: { name: given.data.name, type: key.type, csr } }
}

async function setCertificate(given: Request<typeof certificateFields>): Promise<Response> {
  const { storage, data } = given
  const { key, loaded } = await signingVersion(given)
  const certificates = readChain(data.certificate_chain, loaded.material.key)
  const versions = { ...key.versions, [loaded.number]: { ...loaded.version, certificates } }
  replaceKey(storage, { ...key, versions })
  return {
    data: { name: data.name, type: key.type, certificate_chain: data.certificate_chain },
  }
}

/** @throws {BadRequest} there is no such version, or it cannot sign */
async function signingVersion(
  request: RequestBase & {
    readonly data: { readonly name: string; readonly version: number }
  },
): Promise<{ key: TransitKey; loaded: Loaded }> {
  const { storage, data } = request
  const key = await demandUsable(storage, data.name, 'sign', 'key not found')
  const type = typeOf(key)
  if (!type.signs) throw new BadRequest(`key type '${type.name}' does not support signing`)
  if (key.derived) {
    throw new BadRequest('a key that others are derived from has no certificate of its own')
  }
  const loaded = await loadVersion(storage, key, data.version || key.latestVersion)
  if (!loaded.version.hasPrivate) {
    throw new BadRequest('requested version for signing does not contain a private part')
  }
  return { key, loaded }
}

/** `derive-key`: a key that two servers agree upon, ECDH then HKDF (contract: engines-core.md, 2.2; RFC 5869). */
import { createSecretKey, diffieHellman, hkdfSync } from 'node:crypto'
import { BadRequest } from '../../../core/errors.ts'
import { boolean, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import { addVersion, newKey, putNewKey } from '../change.ts'
import { versionOf } from '../generate.ts'
import { importPublicKey } from '../import.ts'
import { DEFAULT_KEY_TYPE } from '../key-types.ts'
import { demandUsable, findKey, typeOf } from '../keys.ts'
import { versionOfMade } from '../use.ts'
import { demandType, name } from './keys.ts'

const fields = {
  name,
  base_key_name: string('Name of the EC key that is agreed with.').default(''),
  base_key_version: integer('Its version; 0: the newest.').default(0),
  peer_public_key: string('Of the other side, in PEM.').default(''),
  derived_key_type: string('What kind of key is made.').default(DEFAULT_KEY_TYPE),
  key_derivation_algorithm: string('`ecdh`.').default('ecdh'),
  exportable: boolean('The key may be exported; for good.').default(false),
}

export const deriveKeyPath = path('derive-key/:name', {
  summary: 'A key that is agreed with the holder of another EC key',
  fields,
  operations: { update: derive },
})

async function derive(request: Request<typeof fields>): Promise<void> {
  const { storage, data, random, nowMs } = request
  if (data.peer_public_key === '') throw new BadRequest('peer public key not provided')
  if (data.base_key_name === '') throw new BadRequest('base key name not provided')
  if (data.key_derivation_algorithm !== 'ecdh') {
    throw new BadRequest('unsupported key derivation algorithm; it is "ecdh"')
  }
  if ((await findKey(storage, data.name)) !== undefined) {
    throw new BadRequest(`key "${data.name}" already exists`)
  }
  const type = demandType(data.derived_key_type)
  if (type.family !== 'aead') throw new BadRequest('the derived key must be one for encryption')
  const secret = await agree(request)
  try {
    const bytes = Buffer.from(hkdfSync('sha256', secret, '', '', type.keyBytes))
    const object = createSecretKey(bytes)
    bytes.fill(0)
    const key = {
      ...newKey(random.uuid(), data.name, {
        type,
        derived: false,
        convergent: false,
        exportable: data.exportable,
        allowPlaintextBackup: false,
        autoRotateSeconds: 0,
        keySize: undefined,
      }),
      latestVersion: 0,
      imported: true,
    }
    putNewKey(storage, key)
    addVersion(storage, key, versionOf(type, object, key, random, nowMs))
  } finally {
    secret.fill(0)
  }
}

/** The x-coordinate of the shared point, which the caller zeroes. @throws {BadRequest} the keys do not go together */
async function agree(request: Request<typeof fields>): Promise<Buffer> {
  const { storage, data } = request
  const base = await demandUsable(storage, data.base_key_name, 'decrypt', 'no such base key')
  const type = typeOf(base)
  if (type.family !== 'ecdsa') throw new BadRequest('the base key must be an EC key')
  const publicKey = importPublicKey(type, data.peer_public_key)
  const number = data.base_key_version || base.latestVersion
  const { material } = await versionOfMade(request, base, number, 'decrypt')
  if (material.key.type !== 'private') {
    throw new BadRequest('the version of the base key has only a public half')
  }
  return diffieHellman({ privateKey: material.key, publicKey })
}

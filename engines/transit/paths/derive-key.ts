/** `derive-key`: a key that two servers agree upon, ECDH then HKDF (contract: engines-core.md, 2.2; RFC 5869). */
import { createSecretKey, hkdfSync } from 'node:crypto'
import { BadRequest } from '../../../core/errors.ts'
import { boolean, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import { agreeWith } from '../agree.ts'
import { addVersion, newKey, putNewKey } from '../change.ts'
import { versionOf } from '../generate.ts'
import { DEFAULT_KEY_TYPE } from '../key-types.ts'
import { findKey } from '../keys.ts'
import { demandType, name } from './keys.ts'

const fields = {
  name,
  base_key_name: string('Name of the EC or x25519 key that is agreed with.').default(''),
  base_key_version: integer('Its version; 0: the newest.').default(0),
  peer_public_key: string('Of the other side, in PEM.').default(''),
  derived_key_type: string('What kind of key is made.').default(DEFAULT_KEY_TYPE),
  key_derivation_algorithm: string('`ecdh`.').default('ecdh'),
  exportable: boolean('The key may be exported; for good.').default(false),
}

export const deriveKeyPath = path('derive-key/:name', {
  summary: 'A key that is agreed with the holder of another key of that type',
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
  const { secret } = await agreeWith(request, {
    key: { name: data.base_key_name, version: data.base_key_version },
    publicKey: data.peer_public_key,
    missing: 'no such base key',
  })
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

/** `derive-shared-secret`, beyond Vault: what a key and a public one agree upon, as AWS KMS's DeriveSharedSecret. */
import { BadRequest } from '../../../core/errors.ts'
import { integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { agreeWith } from '../agree.ts'
import { NO_KEY } from './encrypt.ts'
import { name } from './keys.ts'

const fields = {
  name,
  peer_public_key: string('Of the other side, in PEM.').default(''),
  key_version: integer('Version of the key; 0: the newest.').default(0),
}

export const sharedSecretPath = path('derive-shared-secret/:name', {
  summary: 'The secret that a key and another public key give',
  description:
    'ECDH or X25519, in base64: the x-coordinate of the point. It is no key yet: derive one from it, with HKDF for instance.',
  fields,
  operations: { update: answer },
})

async function answer(request: Request<typeof fields>): Promise<Response> {
  const { data } = request
  if (data.peer_public_key === '')
    throw new BadRequest('peer_public_key must be a public key in PEM')
  const { secret, version } = await agreeWith(request, {
    key: { name: data.name, version: data.key_version },
    publicKey: data.peer_public_key,
    missing: NO_KEY,
  })
  const text = secret.toString('base64')
  secret.fill(0)
  return { data: { shared_secret: text, key_version: version } }
}

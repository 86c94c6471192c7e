/** `datakey-pair`, beyond Vault: a new key pair, its private half encrypted, as AWS KMS's GenerateDataKeyPair. */
import { BadRequest } from '../../../core/errors.ts'
import { integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { generateKey, publicPem } from '../generate.ts'
import { demandUsable } from '../keys.ts'
import { encryptBytes, encryptionContext, NO_KEY } from './encrypt.ts'
import { demandType, name } from './keys.ts'

const NO_RULES = { derived: false, convergent: false, keySize: undefined }

const fields = {
  name,
  form: string('`plaintext` or `wrapped`.').required(),
  type: string('What kind of pair: an asymmetric type.').default('ecdsa-p256'),
  context: string('What the key is derived for, in base64.').default(''),
  associated_data: string('What is authenticated with it, in base64.').default(''),
  encryption_context: encryptionContext,
  key_version: integer('Version of the key; 0: the newest.').default(0),
}

export const dataKeyPairPath = path('datakey-pair/:form/:name', {
  summary: 'A new key pair for data',
  description:
    'The public key is PEM, the private one PKCS #8 in DER: in base64 with `plaintext`, and encrypted in `ciphertext`.',
  fields,
  operations: { update: answer },
})

async function answer(request: Request<typeof fields>): Promise<Response> {
  const { storage, data, random } = request
  if (data.form !== 'plaintext' && data.form !== 'wrapped') {
    throw new BadRequest("Invalid path, must be 'plaintext' or 'wrapped'")
  }
  const key = await demandUsable(storage, data.name, 'encrypt', NO_KEY)
  const type = demandType(data.type)
  if (!type.hasPublicHalf) throw new BadRequest('the pair must be of an asymmetric type')
  const pair = await generateKey(type, NO_RULES, random)
  const bytes = pair.export({ format: 'der', type: 'pkcs8' })
  try {
    const wrapped = await encryptBytes(request, key, bytes, {
      context: data.context,
      associatedData: data.associated_data,
      encryptionContext: data.encryption_context,
      keyVersion: data.key_version,
    })
    const plaintext = data.form === 'plaintext' ? bytes.toString('base64') : undefined
    return { data: { ...wrapped, public_key: publicPem(pair), type: type.name, plaintext } }
  } finally {
    bytes.fill(0)
  }
}

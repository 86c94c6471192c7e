/** `datakey`: a new key for data, in the clear and encrypted, or encrypted alone (contract: engines-core.md, 2.3). */
import { BadRequest } from '../../../core/errors.ts'
import { integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { choiceFields, refuseChoices } from '../choices.ts'
import { demandUsable } from '../keys.ts'
import { encryptBytes, encryptionContext, NO_KEY } from './encrypt.ts'
import { name } from './keys.ts'

const BITS: ReadonlySet<number> = new Set([128, 256, 512])

const fields = {
  name,
  form: string('`plaintext` or `wrapped`.').required(),
  context: string('What the key is derived for, in base64.').default(''),
  associated_data: string('What is authenticated with it, in base64.').default(''),
  encryption_context: encryptionContext,
  bits: integer('128, 256 or 512.').default(256),
  key_version: integer('Version of the key; 0: the newest.').default(0),
  ...choiceFields,
}

export const dataKeyPaths = [
  path('datakey/:form/:name', {
    summary: 'A new key for data',
    fields,
    operations: { update: answer },
  }),
]

async function answer(request: Request<typeof fields>): Promise<Response> {
  const { storage, data, random } = request
  refuseChoices(data)
  if (data.form !== 'plaintext' && data.form !== 'wrapped') {
    throw new BadRequest("Invalid path, must be 'plaintext' or 'wrapped'")
  }
  const key = await demandUsable(storage, data.name, 'encrypt', NO_KEY)
  if (!BITS.has(data.bits)) throw new BadRequest('invalid bit length')
  const bytes = random.bytes(data.bits / 8)
  try {
    const wrapped = await encryptBytes(request, key, bytes, {
      context: data.context,
      associatedData: data.associated_data,
      encryptionContext: data.encryption_context,
      keyVersion: data.key_version,
    })
    const plaintext = data.form === 'plaintext' ? bytes.toString('base64') : undefined
    return { data: { ...wrapped, plaintext } }
  } finally {
    bytes.fill(0)
  }
}

/** `encrypt`, `decrypt`, `rewrap` (contract: engines-core.md, 2.3). */
import { BadRequest } from '../../../core/errors.ts'
import type { Json, JsonObject } from '../../../core/json.ts'
import { anything, boolean, integer, object, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import {
  batchResponse,
  demandSameContexts,
  eachItem,
  readBatch,
  type BatchItem,
  type ItemResult,
} from '../batch.ts'
import { decodeBase64, demandBase64, illegalBase64 } from '../../../core/plugin/base64.ts'
import { createKey } from '../change.ts'
import { choiceFields, refuseChoices, refuseItemChoices, rewrapChoiceFields } from '../choices.ts'
import { cannot, decrypt, encrypt, type Circumstances } from '../cipher.ts'
import { contextBytes, contextRequired, isLikeContext } from '../encryption-context.ts'
import { DEFAULT_KEY_TYPE } from '../key-types.ts'
import { demandAllowed, demandUsable, findKey, typeOf, versionToUse } from '../keys.ts'
import { reserveFirst } from '../operations.ts'
import { CONFIG_KEY, transitConfigs, type TransitKey } from '../records.ts'
import { versionOfMade, versionToMake, type User } from '../use.ts'
import { readVersioned, versionedText } from '../versioned.ts'
import { demandType, name } from './keys.ts'

export const NO_KEY = 'encryption key not found'
const NO_PLAINTEXT = 'missing plaintext to encrypt'
const NO_CIPHERTEXT = 'missing ciphertext to decrypt'
const NO_BASE64 = 'invalid ciphertext: could not decode base64'

const context = string('What the key is derived for, in base64.').default('')
const associatedData = string('What is authenticated with it, in base64.').default('')
export const encryptionContext = object(
  'Names and values that are authenticated with it and shown in the clear by the audit log; instead of `associated_data`.',
).clearInAudit()
const keyVersion = integer('Version of the key; 0: the newest.').default(0)
const batchInput = anything('Several messages, each an object of the fields that one has.')
const partialFailure = integer('Status where some of a batch fail and some do not.')

const encryptFields = {
  name,
  plaintext: string('What is encrypted, in base64.'),
  context,
  associated_data: associatedData,
  encryption_context: encryptionContext,
  key_version: keyVersion,
  batch_input: batchInput,
  partial_failure_response_code: partialFailure,
  type: string('Of the key that is made where there is none.').default(DEFAULT_KEY_TYPE),
  convergent_encryption: boolean('Of the key that is made where there is none.').default(false),
  ...choiceFields,
}
const decryptFields = {
  name,
  ciphertext: string('What is decrypted.').default(''),
  context,
  associated_data: associatedData,
  encryption_context: encryptionContext,
  batch_input: batchInput,
  partial_failure_response_code: partialFailure,
  ...choiceFields,
}
const rewrapFields = {
  name,
  ciphertext: string('What is encrypted anew.').default(''),
  context,
  encryption_context: encryptionContext,
  key_version: keyVersion,
  batch_input: batchInput,
  ...rewrapChoiceFields,
}
type EncryptRequest = Request<typeof encryptFields>
type DecryptRequest = Request<typeof decryptFields>
type RewrapRequest = Request<typeof rewrapFields>

export const cipherPaths = [
  path('encrypt/:name', {
    summary: 'Encrypts',
    description: 'A key that is not there is made, for callers with the capability "create".',
    fields: encryptFields,
    exists: async ({ storage, data }) => (await findKey(storage, data.name)) !== undefined,
    operations: { create: answerEncrypt, update: answerEncrypt },
  }),
  path('decrypt/:name', {
    summary: 'Decrypts',
    fields: decryptFields,
    operations: { update: answerDecrypt },
  }),
  path('rewrap/:name', {
    summary: 'Decrypts, and encrypts with the newest version, without showing the plaintext',
    fields: rewrapFields,
    operations: { update: answerRewrap },
  }),
]

/** One message, from the fields of the request or from an item of its batch. */
export interface Message {
  readonly context: string
  readonly associatedData: string
  readonly encryptionContext: Json | undefined
  readonly keyVersion: number
}

async function answerEncrypt(request: EncryptRequest): Promise<Response> {
  const { data } = request
  refuseChoices(data)
  if (data.batch_input === undefined) {
    if (data.plaintext === undefined) throw new BadRequest(NO_PLAINTEXT)
    const key = await encryptionKey(request, data.context !== '', 1)
    return { data: await encryptOne(request, key, data.plaintext, messageOf(data)) }
  }
  const items = readBatch(data.batch_input, { name: 'plaintext', missing: NO_PLAINTEXT })
  demandSameContexts(items)
  const derived = (items[0]?.text('context') ?? '') !== ''
  const key = await encryptionKey(request, derived, items.length)
  const done = await eachItem(items, (item) =>
    encryptOne(
      request,
      key,
      item.text('plaintext') ?? '',
      messageOfItem(item, data.encryption_context),
    ),
  )
  return batchResponse(done, data.partial_failure_response_code)
}

function messageOf(data: {
  readonly context: string
  readonly associated_data?: string
  readonly encryption_context: JsonObject | undefined
  readonly key_version?: number
}): Message {
  const { associated_data: associated = '', key_version: version = 0 } = data
  return {
    context: data.context,
    associatedData: associated,
    encryptionContext: data.encryption_context,
    keyVersion: version,
  }
}

/**
 * @param encryptionContext of the request, for items that have none of their own
 * @throws {BadRequest} it asks for what nobody may choose
 */
function messageOfItem(item: BatchItem, encryptionContext: Json | undefined): Message {
  refuseItemChoices(item)
  return {
    context: item.text('context') ?? '',
    associatedData: item.text('associated_data') ?? '',
    encryptionContext: item.value('encryption_context') ?? encryptionContext,
    keyVersion: item.keyVersion,
  }
}

/** The key, made where there is none. The pipeline has asked for the capability to. */
async function encryptionKey(
  request: EncryptRequest,
  derived: boolean,
  operations: number,
): Promise<TransitKey> {
  const { storage, data, operation } = request
  if (operation !== 'create') return demandUsable(storage, data.name, 'encrypt', NO_KEY)
  if ((await storage.get(transitConfigs, CONFIG_KEY))?.disableUpsert) throw new BadRequest(NO_KEY)
  const type = demandType(data.type)
  if (type.family !== 'aead') {
    throw new BadRequest(`key type ${type.name} not supported for this operation`)
  }
  const key = await createKey(request, data.name, {
    type,
    derived,
    convergent: data.convergent_encryption,
    exportable: false,
    allowPlaintextBackup: false,
    autoRotateSeconds: 0,
    keySize: undefined,
  })
  reserveFirst(request, key, operations)
  return key
}

/** hot */
async function encryptOne(
  request: User & Pick<RequestBase, 'random'>,
  key: TransitKey,
  plaintext: string,
  message: Message,
): Promise<{ ciphertext: string; key_version: number }> {
  const bytes = demandBase64(plaintext)
  try {
    return await encryptBytes(request, key, bytes, message)
  } finally {
    bytes.fill(0)
  }
}

/** hot */
export async function encryptBytes(
  request: User & Pick<RequestBase, 'random'>,
  key: TransitKey,
  plaintext: Buffer,
  message: Message,
): Promise<{ ciphertext: string; key_version: number }> {
  const circumstances = circumstancesOf(key, message, key.requiredContext)
  if (!typeOf(key).encrypts) throw cannot('encryption', typeOf(key))
  const version = versionToUse(key, message.keyVersion, 'encryption')
  const loaded = await versionToMake(request, key, {
    version,
    asked: message.keyVersion,
    operation: 'encrypt',
  })
  const sealed = encrypt(key, loaded, plaintext, circumstances, request.random)
  const { number } = loaded
  return { ciphertext: versionedText(number, sealed.toString('base64')), key_version: number }
}

/**
 * hot
 *
 * @param required names that the encryption context must have
 * @throws {BadRequest} they are no base64, or the key cannot take them
 */
function circumstancesOf(
  key: TransitKey,
  message: Message,
  required: readonly string[] = [],
): Circumstances {
  const type = typeOf(key)
  if (message.encryptionContext !== undefined) return inContext(key, message, required)
  if (required.length > 0) throw contextRequired(required)
  if (message.associatedData !== '' && type.family !== 'aead' && type.encrypts) {
    throw new BadRequest(`'[0].associated_data' provided for non-AEAD cipher suite ${type.name}`)
  }
  const associated = decodeBase64(message.associatedData)
  if (typeof associated === 'number') {
    throw new BadRequest(
      `unable to get associated_data/additional_data from factory[0]: ${illegalBase64(associated)}`,
    )
  }
  if (associated.length > 0 && isLikeContext(associated)) throw new BadRequest(LIKE_CONTEXT)
  const context = demandBase64(message.context)
  return { context, associatedData: associated }
}

const LIKE_CONTEXT =
  'associated_data must not begin as an encryption context does; give encryption_context instead'

function inContext(
  key: TransitKey,
  { context, associatedData, encryptionContext: given = null }: Message,
  required: readonly string[],
): Circumstances {
  if (associatedData !== '') {
    throw new BadRequest('give associated_data or encryption_context, not both')
  }
  const type = typeOf(key)
  if (type.family !== 'aead' && type.encrypts) {
    throw new BadRequest(`encryption_context is for AEAD keys, and this one is ${type.name}`)
  }
  return {
    context: demandBase64(context),
    associatedData: contextBytes(given, required),
  }
}

async function answerDecrypt(request: DecryptRequest): Promise<Response> {
  const { storage, data } = request
  refuseChoices(data)
  if (data.batch_input === undefined) {
    if (data.ciphertext === '') throw new BadRequest(NO_CIPHERTEXT)
    const key = await demandUsable(storage, data.name, 'decrypt', NO_KEY)
    return { data: await decryptOne(request, key, data.ciphertext, messageOf(data)) }
  }
  const items = readBatch(data.batch_input, { name: 'ciphertext', missing: NO_CIPHERTEXT })
  demandSameContexts(items)
  const key = await demandUsable(storage, data.name, 'decrypt', NO_KEY)
  const done = await eachItem(
    items,
    (item) =>
      decryptOne(
        request,
        key,
        demandCiphertext(item),
        messageOfItem(item, data.encryption_context),
      ),
    { plaintext: '' },
  )
  return batchResponse(done, data.partial_failure_response_code)
}

function demandCiphertext(item: BatchItem): string {
  const text = item.text('ciphertext') ?? ''
  if (text === '') throw new BadRequest(NO_CIPHERTEXT)
  return text
}

async function decryptOne(
  user: User,
  key: TransitKey,
  ciphertext: string,
  message: Message,
): Promise<{ plaintext: string }> {
  const bytes = await decryptBytes(user, key, ciphertext, message)
  const plaintext = bytes.toString('base64')
  bytes.fill(0)
  return { plaintext }
}

/** hot: the plaintext, which the caller zeroes. @throws {BadRequest} */
async function decryptBytes(
  user: User,
  key: TransitKey,
  ciphertext: string,
  message: Message,
): Promise<Buffer> {
  const circumstances = circumstancesOf(key, message)
  if (!typeOf(key).encrypts) throw cannot('decryption', typeOf(key))
  const { version, body } = readVersioned(ciphertext, key, 'invalid ciphertext')
  const sealed = decodeBase64(body)
  if (typeof sealed === 'number') throw new BadRequest(NO_BASE64)
  const loaded = await versionOfMade(user, key, version, 'decrypt')
  return decrypt(key, loaded, sealed, circumstances)
}

async function answerRewrap(request: RewrapRequest): Promise<Response> {
  const { storage, data } = request
  refuseChoices(data)
  if (data.batch_input === undefined) {
    if (data.ciphertext === '') throw new BadRequest(NO_CIPHERTEXT)
    const key = await demandUsable(storage, data.name, 'decrypt', NO_KEY)
    demandAllowed(key, 'encrypt')
    return { data: await rewrapOne(request, key, data.ciphertext, messageOf(data)) }
  }
  const items = readBatch(data.batch_input)
  demandSameContexts(items)
  const key = await demandUsable(storage, data.name, 'decrypt', NO_KEY)
  demandAllowed(key, 'encrypt')
  const { results } = await eachItem(items, (item) =>
    rewrapOne(request, key, demandCiphertext(item), messageOfItem(item, data.encryption_context)),
  )
  return { data: { batch_results: results } }
}

async function rewrapOne(
  request: User & Pick<RequestBase, 'random'>,
  key: TransitKey,
  ciphertext: string,
  message: Message,
): Promise<ItemResult> {
  // There is no way to say what was authenticated with it.
  const plain = { ...message, associatedData: '' }
  const bytes = await decryptBytes(request, key, ciphertext, plain)
  try {
    return await encryptBytes(request, key, bytes, plain)
  } finally {
    bytes.fill(0)
  }
}

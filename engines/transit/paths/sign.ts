/** `sign`, `verify`, `hmac` (contract: engines-core.md, 2.5 and 2.6). */
import { BadRequest } from '../../../core/errors.ts'
import { anything, boolean, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { decodeBase64, demandBase64, illegalBase64 } from '../../../core/plugin/base64.ts'
import { eachItem, readBatch, type BatchItem, type ItemResult } from '../batch.ts'
import { isCmac } from '../cmac.ts'
import { HASHES, type HashAlgorithm } from '../hashes.ts'
import { isHmac, makeHmac } from '../hmac.ts'
import { demandUsable, typeOf, versionToUse } from '../keys.ts'
import type { TransitKey } from '../records.ts'
import { cannotSign, isSigned, readScheme, signMessage, type Scheme } from '../signature.ts'
import { versionOfMade, versionToMake } from '../use.ts'
import { readVersioned, versionedText } from '../versioned.ts'
import { NO_KEY } from './encrypt.ts'
import { name } from './keys.ts'

const DEFAULT_HASH = 'sha2-256'
const NO_INPUT = 'missing input for HMAC'

const schemeFields = {
  name,
  urlalgorithm: string('Hash algorithm, in the path.'),
  input: string('What is signed, in base64.'),
  hash_algorithm: string(`Hash algorithm: ${[...HASHES.keys()].join(', ')}, none.`),
  algorithm: string('For HMACs: an older name of `hash_algorithm`.'),
  prehashed: boolean('The input is the digest already.').default(false),
  signature_algorithm: string('Of RSA keys: `pss` or `pkcs1v15`.').default(''),
  marshaling_algorithm: string('`asn1`, or `jws`: as JSON Web Signatures have it.').default('asn1'),
  salt_length: string('Of PSS: `auto`, `hash` or a number of bytes.').default('auto'),
  context: string('What the key is derived for, in base64.').default(''),
  batch_input: anything('Several messages, each an object of the fields that one has.'),
}
const signFields = {
  ...schemeFields,
  key_version: integer('Version of the key; 0: the newest.').default(0),
}
const verifyFields = {
  ...schemeFields,
  signature: string('The signature.'),
  hmac: string('The HMAC, instead of a signature.'),
  cmac: string('The CMAC, instead of a signature.'),
  mac_length: integer('Bytes of the CMAC, 8 to 16; 0: 16.').default(0),
}
const hmacFields = {
  name,
  urlalgorithm: schemeFields.urlalgorithm,
  input: string('What is authenticated, in base64.'),
  algorithm: string('Hash algorithm.').default(DEFAULT_HASH),
  key_version: integer('Version of the key; 0: the newest.').default(0),
  batch_input: anything('Several messages, each an object with `input`.'),
}
type SignRequest = Request<typeof signFields>
type VerifyRequest = Request<typeof verifyFields>
type HmacRequest = Request<typeof hmacFields>

export const signPaths = [
  path(['sign/:name', 'sign/:name/:urlalgorithm'], {
    summary: 'Signs',
    fields: signFields,
    operations: { update: answerSign },
  }),
  path(['verify/:name', 'verify/:name/:urlalgorithm'], {
    summary: 'Verifies a signature or an HMAC',
    fields: verifyFields,
    operations: { update: answerVerify },
  }),
  path(['hmac/:name', 'hmac/:name/:urlalgorithm'], {
    summary: 'Makes an HMAC',
    fields: hmacFields,
    operations: { update: answerHmac },
  }),
]

function schemeOf(data: SignRequest['data'] | VerifyRequest['data']): Scheme {
  return readScheme({
    hash: data.urlalgorithm ?? data.hash_algorithm ?? DEFAULT_HASH,
    prehashed: data.prehashed,
    signatureAlgorithm: data.signature_algorithm,
    marshaling: data.marshaling_algorithm,
    saltLength: data.salt_length,
  })
}

async function answerSign(request: SignRequest): Promise<Response> {
  const { storage, data } = request
  const scheme = schemeOf(data)
  const key = await demandUsable(storage, data.name, 'sign', 'signing key not found')
  if (!typeOf(key).signs) throw cannotSign(typeOf(key), 'signing')
  if (data.batch_input === undefined) {
    const { publicKey, ...signed } = await signOne(request, key, scheme, data.input, data.context)
    return { data: { ...signed, ...(publicKey !== undefined && { public_key: publicKey }) } }
  }
  const items = readBatch(data.batch_input)
  const { results } = await eachItem(
    items,
    async (item) => {
      const { text } = item
      const { publicKey, ...signed } = await signOne(
        request,
        key,
        scheme,
        text('input'),
        text('context') ?? '',
      )
      return { ...signed, ...(publicKey !== undefined && { publickey: publicKey }) }
    },
    { key_version: 0 },
  )
  return { data: { batch_results: results } }
}

/** hot */
async function signOne(
  request: SignRequest,
  key: TransitKey,
  scheme: Scheme,
  text: string | undefined,
  context: string,
): Promise<{ signature: string; key_version: number; publicKey?: string | undefined }> {
  const { random, data } = request
  const input = demandInput(text ?? '')
  const version = versionToUse(key, data.key_version, 'signing')
  const loaded = await versionToMake(request, key, {
    version,
    asked: data.key_version,
    operation: 'sign',
  })
  const message = { input, context: demandBase64(context) }
  const { signature, publicKey } = await signMessage(key, loaded, message, scheme, random)
  const body = signature.toString(scheme.marshaling === 'jws' ? 'base64url' : 'base64')
  const { number } = loaded
  return { signature: versionedText(number, body), key_version: number, publicKey }
}

/** @throws {BadRequest} */
export function demandInput(text: string): Buffer {
  const bytes = decodeBase64(text)
  if (typeof bytes === 'number') {
    throw new BadRequest(`unable to decode input as base64: ${illegalBase64(bytes)}`)
  }
  return bytes
}

async function answerVerify(request: VerifyRequest): Promise<Response> {
  const { data } = request
  if (data.batch_input === undefined) {
    const { signature, hmac } = data
    if (signature !== undefined) {
      const { key, scheme } = await verifier(request)
      const one = { text: data.input ?? '', context: data.context, signature }
      return { data: { valid: await verifyOne(request, key, scheme, one) } }
    }
    if (data.cmac !== undefined) {
      return { data: { valid: await verifyCmac(request, data.input, data.cmac) } }
    }
    if (hmac === undefined) {
      throw new BadRequest("neither a 'signature' nor an 'hmac' were given to verify")
    }
    const { key, hash } = await hmacVerifier(request)
    return { data: { valid: await verifyHmac(request, key, hash, data.input, hmac) } }
  }
  return verifyBatch(request, readBatch(data.batch_input))
}

async function verifier(request: VerifyRequest): Promise<{ key: TransitKey; scheme: Scheme }> {
  const scheme = schemeOf(request.data)
  const { storage, data } = request
  const key = await demandUsable(
    storage,
    data.name,
    'verify',
    'signature verification key not found',
  )
  if (!typeOf(key).signs) throw cannotSign(typeOf(key), 'verification')
  return { key, scheme }
}

async function hmacVerifier({ storage, data }: VerifyRequest) {
  const hash = demandHmacHash(
    data.urlalgorithm ?? data.hash_algorithm ?? data.algorithm ?? DEFAULT_HASH,
  )
  return { hash, key: await demandUsable(storage, data.name, 'verify', NO_KEY) }
}

/** All have a signature, or all have an HMAC. */
async function verifyBatch(request: VerifyRequest, items: readonly BatchItem[]): Promise<Response> {
  const kind = kindOf(items)
  if (kind === 'hmac') {
    const { key, hash } = await hmacVerifier(request)
    const { results } = await eachItem(items, async ({ text }) => {
      const valid = await verifyHmac(request, key, hash, text('input'), text('hmac') ?? '')
      return valid ? { valid } : {}
    })
    return { data: { batch_results: results } }
  }
  if (kind === 'cmac') {
    const { results } = await eachItem(items, async ({ text }) => ({
      valid: await verifyCmac(request, text('input'), text('cmac') ?? ''),
    }))
    return { data: { batch_results: results } }
  }
  const { key, scheme } = await verifier(request)
  const work = async ({ text }: BatchItem): Promise<ItemResult> => {
    const one = {
      text: text('input') ?? '',
      context: text('context') ?? '',
      signature: text('signature') ?? '',
    }
    return { valid: await verifyOne(request, key, scheme, one) }
  }
  const { results } = await eachItem(items, work, { valid: false })
  return { data: { batch_results: results } }
}

const KINDS = ['signature', 'hmac', 'cmac'] as const

function kindOf(items: readonly BatchItem[]): (typeof KINDS)[number] {
  const counts = KINDS.map((kind) => ({
    kind,
    count: items.filter(({ text }) => text(kind) !== undefined).length,
  })).filter(({ count }) => count > 0)
  const [first, second] = counts
  if (first === undefined) {
    throw new BadRequest("no batch_input elements have 'signature' or 'hmac'")
  }
  if (second !== undefined) {
    throw new BadRequest(
      "elements of batch_input must all provide 'signature' or all provide 'hmac'",
    )
  }
  if (first.count < items.length) {
    throw new BadRequest(`some elements of batch_input are missing '${first.kind}'`)
  }
  return first.kind
}

async function verifyCmac(
  request: VerifyRequest,
  text: string | undefined,
  cmac: string,
): Promise<boolean> {
  const { storage, data } = request
  if (text === undefined) throw new BadRequest('missing input for CMAC')
  const key = await demandUsable(storage, data.name, 'verify', NO_KEY)
  return isCmac(request, key, demandInput(text), { text: cmac, length: data.mac_length })
}

/** hot */
async function verifyOne(
  request: VerifyRequest,
  key: TransitKey,
  scheme: Scheme,
  one: { readonly text: string; readonly context: string; readonly signature: string },
): Promise<boolean> {
  const input = demandInput(one.text)
  const { version, body } = readVersioned(one.signature, key, 'invalid signature')
  const signature = demandSignature(body, scheme)
  const loaded = await versionOfMade(request, key, version, 'verify')
  const context = demandBase64(one.context)
  return isSigned(key, loaded, { input, context, signature }, scheme)
}

const BASE64URL = /^[A-Za-z0-9_-]*$/

/** @throws {BadRequest} */
function demandSignature(body: string, { marshaling }: Scheme): Buffer {
  if (marshaling === 'jws') {
    if (BASE64URL.test(body)) return Buffer.from(body, 'base64url')
    throw new BadRequest('invalid base64 signature value')
  }
  const bytes = decodeBase64(body)
  if (typeof bytes === 'number') throw new BadRequest('invalid base64 signature value')
  return bytes
}

async function verifyHmac(
  request: VerifyRequest,
  key: TransitKey,
  hash: HashAlgorithm,
  text: string | undefined,
  hmac: string,
): Promise<boolean> {
  if (text === undefined) throw new BadRequest(NO_INPUT)
  return isHmac(request, key, demandInput(text), hmac, hash)
}

async function answerHmac(request: HmacRequest): Promise<Response> {
  const { storage, data } = request
  const hash = demandHmacHash(data.urlalgorithm ?? data.algorithm)
  const key = await demandUsable(storage, data.name, 'mac', NO_KEY)
  const one = async (text: string | undefined) => {
    if (text === undefined) throw new BadRequest(NO_INPUT)
    return { hmac: await makeHmac(request, key, demandInput(text), data.key_version, hash) }
  }
  if (data.batch_input === undefined) return { data: await one(data.input) }
  const items = readBatch(data.batch_input)
  const { results } = await eachItem(items, ({ text }) => one(text('input')))
  return { data: { batch_results: results } }
}

/** @throws {BadRequest} there is none of that name; the text is what clients know */
function demandHmacHash(text: string): HashAlgorithm {
  const hash = HASHES.get(text)
  if (hash === undefined) throw new BadRequest(String.raw`unsupported algorithm '\x00'`)
  return hash
}

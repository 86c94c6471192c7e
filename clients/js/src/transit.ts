/** Encryption as a service: bytes go in and come out, their base64 is this file's concern. */
import { numberIn, textIn } from './answer.ts'
import { askBatch, type BatchResult } from './batch.ts'
import { fromBase64, toBase64 } from './bytes.ts'
import type { Client } from './client.ts'
import type { JsonObject } from './json.ts'

export interface Circumstances {
  /** Of derived keys: what the key is derived for. */
  readonly context?: Uint8Array
  /** Authenticated with it, and needed again to decrypt. */
  readonly associatedData?: Uint8Array
}

/** Which version of the key; default: the newest. */
interface KeyVersion {
  readonly keyVersion?: number
}

export interface PlaintextItem extends Circumstances, KeyVersion {
  readonly plaintext: Uint8Array
}

export interface CiphertextItem extends Circumstances {
  readonly ciphertext: string
}

export interface Encrypted {
  /** `vault:vN:…` */
  readonly ciphertext: string
  readonly keyVersion: number
}

export interface DataKey extends Encrypted {
  /** Zero it when it is not needed any more. */
  readonly plaintext: Uint8Array
}

export interface SignOptions extends KeyVersion {
  /** Default: `sha2-256`. */
  readonly hashAlgorithm?: string
  /** The input is the digest already. */
  readonly prehashed?: boolean
  /** Of RSA keys: `pss` (default) or `pkcs1v15`. */
  readonly signatureAlgorithm?: string
  /** `asn1` (default), or `jws`. */
  readonly marshalingAlgorithm?: string
  readonly context?: Uint8Array
}

interface HmacOptions extends KeyVersion {
  /** Default: `sha2-256`. */
  readonly algorithm?: string
}

/** `key` is always the name of the key. Refusals are `ResponseError`s; those of items are in the batch's results. */
export class Transit {
  readonly #client: Client
  readonly #mount: string

  constructor(client: Client, mount: string) {
    this.#client = client
    this.#mount = mount
  }

  async encrypt(
    key: string,
    plaintext: Uint8Array,
    options: Omit<PlaintextItem, 'plaintext'> = {},
  ): Promise<Encrypted> {
    return encryptedOf(await this.#ask('encrypt', key, plaintextBody({ plaintext, ...options })))
  }

  encryptBatch(
    key: string,
    items: readonly PlaintextItem[],
  ): Promise<readonly BatchResult<Encrypted>[]> {
    const body = { batch_input: items.map(plaintextBody) }
    return askBatch(this.#ask('encrypt', key, body), encryptedOf)
  }

  async decrypt(key: string, ciphertext: string, options: Circumstances = {}): Promise<Uint8Array> {
    return plaintextOf(await this.#ask('decrypt', key, ciphertextBody({ ciphertext, ...options })))
  }

  decryptBatch(
    key: string,
    items: readonly CiphertextItem[],
  ): Promise<readonly BatchResult<Uint8Array>[]> {
    const body = { batch_input: items.map(ciphertextBody) }
    return askBatch(this.#ask('decrypt', key, body), plaintextOf)
  }

  /** Encrypts anew with the newest version (or `keyVersion`). What has associated data cannot be rewrapped. */
  async rewrap(
    key: string,
    ciphertext: string,
    { context, keyVersion }: Pick<Circumstances, 'context'> & KeyVersion = {},
  ): Promise<Encrypted> {
    const body = { ciphertext, context: base64Of(context), key_version: keyVersion }
    return encryptedOf(await this.#ask('rewrap', key, body))
  }

  rewrapBatch(
    key: string,
    items: readonly (Pick<CiphertextItem, 'ciphertext' | 'context'> & KeyVersion)[],
  ): Promise<readonly BatchResult<Encrypted>[]> {
    const batch = items.map(({ ciphertext, context, keyVersion }) => ({
      ciphertext,
      context: base64Of(context),
      key_version: keyVersion,
    }))
    return askBatch(this.#ask('rewrap', key, { batch_input: batch }), encryptedOf)
  }

  /** A new key for data, in the clear and encrypted; `bits` is 256 (default), 512 or 128. */
  async dataKey(
    key: string,
    options: Pick<Circumstances, 'context'> & KeyVersion & { readonly bits?: 128 | 256 | 512 } = {},
  ): Promise<DataKey> {
    const body = {
      context: base64Of(options.context),
      key_version: options.keyVersion,
      bits: options.bits,
    }
    const data = await this.#ask('datakey/plaintext', key, body)
    return { ...encryptedOf(data), plaintext: plaintextOf(data) }
  }

  /** @returns `vault:vN:…` */
  async sign(key: string, input: Uint8Array, options: SignOptions = {}): Promise<string> {
    const body = { input: toBase64(input), ...signBody(options) }
    return textIn(await this.#ask('sign', key, body), 'signature')
  }

  signBatch(
    key: string,
    inputs: readonly Uint8Array[],
    { context, ...options }: SignOptions = {},
  ): Promise<readonly BatchResult<string>[]> {
    const batch = inputs.map((input) => ({ input: toBase64(input), context: base64Of(context) }))
    const body = { batch_input: batch, ...signBody(options) }
    return askBatch(this.#ask('sign', key, body), (data) => textIn(data, 'signature'))
  }

  async verify(
    key: string,
    input: Uint8Array,
    signature: string,
    options: SignOptions = {},
  ): Promise<boolean> {
    const body = { input: toBase64(input), signature, ...signBody(options) }
    return isValid(await this.#ask('verify', key, body))
  }

  verifyBatch(
    key: string,
    items: readonly { readonly input: Uint8Array; readonly signature: string }[],
    { context, ...options }: SignOptions = {},
  ): Promise<readonly BatchResult<boolean>[]> {
    const batch = items.map(({ input, signature }) => ({
      input: toBase64(input),
      signature,
      context: base64Of(context),
    }))
    return askBatch(this.#ask('verify', key, { batch_input: batch, ...signBody(options) }), isValid)
  }

  /** @returns `vault:vN:…` */
  async hmac(key: string, input: Uint8Array, options: HmacOptions = {}): Promise<string> {
    const body = { input: toBase64(input), ...hmacBody(options) }
    return textIn(await this.#ask('hmac', key, body), 'hmac')
  }

  hmacBatch(
    key: string,
    inputs: readonly Uint8Array[],
    options: HmacOptions = {},
  ): Promise<readonly BatchResult<string>[]> {
    const batch = inputs.map((input) => ({ input: toBase64(input) }))
    const body = { batch_input: batch, ...hmacBody(options) }
    return askBatch(this.#ask('hmac', key, body), (data) => textIn(data, 'hmac'))
  }

  async verifyHmac(
    key: string,
    input: Uint8Array,
    hmac: string,
    { algorithm }: Pick<HmacOptions, 'algorithm'> = {},
  ): Promise<boolean> {
    const body = { input: toBase64(input), hmac, hash_algorithm: algorithm }
    return isValid(await this.#ask('verify', key, body))
  }

  async #ask(verb: string, key: string, body: JsonObject): Promise<JsonObject> {
    const path = `${this.#mount}/${verb}/${key}`
    return (await this.#client.ask({ method: 'POST', path, body })).data
  }
}

function base64Of(bytes: Uint8Array | undefined): string | undefined {
  return bytes && toBase64(bytes)
}

function plaintextBody(item: PlaintextItem): JsonObject {
  return {
    plaintext: toBase64(item.plaintext),
    context: base64Of(item.context),
    associated_data: base64Of(item.associatedData),
    key_version: item.keyVersion,
  }
}

function ciphertextBody(item: CiphertextItem): JsonObject {
  return {
    ciphertext: item.ciphertext,
    context: base64Of(item.context),
    associated_data: base64Of(item.associatedData),
  }
}

function signBody(options: SignOptions): JsonObject {
  return {
    context: base64Of(options.context),
    key_version: options.keyVersion,
    hash_algorithm: options.hashAlgorithm,
    prehashed: options.prehashed,
    signature_algorithm: options.signatureAlgorithm,
    marshaling_algorithm: options.marshalingAlgorithm,
  }
}

function hmacBody({ algorithm, keyVersion }: HmacOptions): JsonObject {
  return { algorithm, key_version: keyVersion }
}

function encryptedOf(data: JsonObject): Encrypted {
  return { ciphertext: textIn(data, 'ciphertext'), keyVersion: numberIn(data, 'key_version') }
}

function plaintextOf(data: JsonObject): Uint8Array {
  return fromBase64(textIn(data, 'plaintext'))
}

/** A batch leaves it out where it is false. */
function isValid(data: JsonObject): boolean {
  return data['valid'] === true
}

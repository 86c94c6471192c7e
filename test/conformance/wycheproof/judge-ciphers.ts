/** Judges of what encrypts, wraps, derives and authenticates. */
import { constants, createSecretKey, generateKeyPairSync, publicEncrypt } from 'node:crypto'
import type { Kind } from '../../../core/store/kind.ts'
import { NOT_LOCAL } from '../../../core/plugin/local.ts'
import { systemRandom } from '../../../core/random.ts'
import { open, seal } from '../../../engines/transit/aead.ts'
import { isCmac, makeCmac } from '../../../engines/transit/cmac.ts'
import { decrypt } from '../../../engines/transit/cipher.ts'
import { deriveBytes } from '../../../engines/transit/derive.ts'
import { isHmac, makeHmac } from '../../../engines/transit/hmac.ts'
import { importKey } from '../../../engines/transit/import.ts'
import { HASHES } from '../../../engines/transit/hashes.ts'
import { DEFAULT_KEY_TYPE, KEY_TYPES } from '../../../engines/transit/key-types.ts'
import { Material } from '../../../engines/transit/material.ts'
import type { User } from '../../../engines/transit/use.ts'
import { versionedText } from '../../../engines/transit/versioned.ts'
import { unwrapKey, wrapKey } from '../../../engines/transit/wrap.ts'
import { EMPTY, keyWith, taken, typeNamed, type JudgeOf } from './judges.ts'
import { bytesOf, numberOf, textOf } from './vectors.ts'

/** Opened; and where it is valid, sealed again with that nonce to the same bytes. */
export const aead =
  (...names: readonly string[]): JudgeOf =>
  (group) => {
    const type = [...KEY_TYPES.values()]
      .filter(({ name }) => names.includes(name))
      .filter((one) => one.family === 'aead')
      .find(
        ({ keyBytes, nonceBytes }) =>
          keyBytes * 8 === numberOf(group, 'keySize') &&
          nonceBytes * 8 === numberOf(group, 'ivSize'),
      )
    if (type === undefined || numberOf(group, 'tagSize') !== 128) return undefined
    return (one) => {
      const key = createSecretKey(bytesOf(one, 'key'))
      const [nonce, aad, plaintext] = [bytesOf(one, 'iv'), bytesOf(one, 'aad'), bytesOf(one, 'msg')]
      const sealed = Buffer.concat([nonce, bytesOf(one, 'ct'), bytesOf(one, 'tag')])
      return [
        taken(() => open(type, key, sealed, aad).equals(plaintext)),
        seal(type, key, nonce, plaintext, aad).equals(sealed),
      ]
    }
  }

/** Of messages without a label, and SHA-256 for hash and mask. */
export const oaep: JudgeOf = (group) => {
  const type = typeNamed(`rsa-${numberOf(group, 'keySize')}`)
  const hashes = [textOf(group, 'sha'), textOf(group, 'mgfSha')]
  if (type === undefined || hashes.some((hash) => hash !== 'SHA-256')) return undefined
  const { key, loaded } = keyWith(type, importKey(type, bytesOf(group, 'privateKeyPkcs8')))
  const none = { context: EMPTY, associatedData: EMPTY }
  return (one) =>
    textOf(one, 'label') === ''
      ? [taken(() => decrypt(key, loaded, bytesOf(one, 'ct'), none).equals(bytesOf(one, 'msg')))]
      : []
}

const WRAPPING = generateKeyPairSync('rsa', { modulusLength: 2048 })
const WRAPPING_BYTES = 256
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const

/** AES-KWP as an import finds it, behind the AES key for the wrapping key; and as a byok-export makes it. */
export const keyWrap: JudgeOf = (group) => {
  if (numberOf(group, 'keySize') !== 256) return undefined
  return (one) => {
    const [key, target, wrapped] = [bytesOf(one, 'key'), bytesOf(one, 'msg'), bytesOf(one, 'ct')]
    const forUs = publicEncrypt({ key: WRAPPING.publicKey, ...OAEP }, key)
    const blob = Buffer.concat([forUs, wrapped])
    const random = { ...systemRandom, bytes: () => Buffer.from(key) }
    const made = wrapKey(WRAPPING.publicKey, target, 'sha256', random)
    return [
      taken(() => unwrapKey(WRAPPING.privateKey, blob, 'sha256').equals(target)),
      made.subarray(WRAPPING_BYTES).equals(wrapped),
    ]
  }
}

/** Transit derives without a salt. */
export const hkdf: JudgeOf = () => (one) => {
  if (textOf(one, 'salt') !== '') return []
  const key = createSecretKey(bytesOf(one, 'ikm'))
  const derived = deriveBytes('hkdf_sha256', key, bytesOf(one, 'info'), numberOf(one, 'size'))
  return [derived.equals(bytesOf(one, 'okm'))]
}

/** CMACs that are not cut short. */
export const cmac: JudgeOf = (group) => {
  const type = typeNamed(`aes${numberOf(group, 'keySize')}-cmac`)
  if (type === undefined || numberOf(group, 'tagSize') !== 128) return undefined
  return async (one) => {
    const { key, loaded } = keyWith(type, createSecretKey(bytesOf(one, 'key')))
    const user = userOf(loaded.material)
    const [input, mac] = [bytesOf(one, 'msg'), bytesOf(one, 'tag').toString('base64')]
    const text = versionedText(1, mac)
    return [
      await isCmac(user, key, input, { text, length: 0 }),
      (await makeCmac(user, key, input, { asked: 0, length: 0 })) === text,
    ]
  }
}

/** Who uses a key of this material, and is nobody in particular. */
function userOf(material: Material): User {
  const storage = { get: <T>(kind: Kind<T>, name: string) => kind.decode(name, material.encode()) }
  return { storage, local: NOT_LOCAL, caller: undefined, nowMs: 0 }
}

/** HMACs that are not cut short, over the key that a version has for them. */
export const hmac =
  (hashName: string): JudgeOf =>
  (group) => {
    const hash = HASHES.get(hashName)
    const type = typeNamed(DEFAULT_KEY_TYPE)
    if (type === undefined || hash === undefined) return undefined
    if (numberOf(group, 'tagSize') !== hash.bytes * 8) return undefined
    const { key } = keyWith(type, createSecretKey(Buffer.alloc(32)))
    return async (one) => {
      const own = createSecretKey(bytesOf(one, 'key'))
      const material = new Material(own, own)
      const user = userOf(material)
      const [input, mac] = [bytesOf(one, 'msg'), bytesOf(one, 'tag').toString('base64')]
      const given = versionedText(1, mac)
      return [
        await isHmac(user, key, input, given, hash),
        (await makeHmac(user, key, input, 0, hash)) === given,
      ]
    }
  }

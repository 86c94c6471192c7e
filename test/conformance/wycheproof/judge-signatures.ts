/** Judges of signatures: of the message, and of its digest alone, which goes another way (`prehashed`). */
import { createHash } from 'node:crypto'
import { BadRequest } from '../../../core/errors.ts'
import { systemRandom } from '../../../core/random.ts'
import { importKey, importPublicKey } from '../../../engines/transit/import.ts'
import type { HashAlgorithm } from '../../../engines/transit/hashes.ts'
import { isSigned, signMessage, type Scheme } from '../../../engines/transit/signature.ts'
import { EMPTY, hashNamed, keyWith, taken, typeNamed, type JudgeOf } from './judges.ts'
import { bytesOf, numberOf, textOf, type Group } from './vectors.ts'

/** @param marshaling as the file has them: DER, or both numbers side by side */
export const ecdsa =
  (typeName: string, marshaling: Scheme['marshaling']): JudgeOf =>
  (group) =>
    bothWays(group, typeName, { ...PLAIN, marshaling })

/** Whatever hash and `prehashed` say, it is pure Ed25519. */
export const ed25519: JudgeOf = (group) => {
  const verifies = verifierOf(group, 'ed25519')
  if (verifies === undefined) return undefined
  return (one) => [verifies(bytesOf(one, 'msg'), bytesOf(one, 'sig'), { ...PLAIN, hash: ANY })]
}

/** ML-DSA without a context. A key that an import refuses verifies nothing. */
export const mlDsa =
  (typeName: string): JudgeOf =>
  (group) => {
    const der = typeof group['publicKeyDer'] === 'string' ? bytesOf(group, 'publicKeyDer') : EMPTY
    const pem = `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
    const verifies = refusable(() => verifierOf({ ...group, publicKeyPem: pem }, typeName))
    return (one) =>
      'ctx' in one && one['ctx'] !== ''
        ? []
        : [verifies?.(bytesOf(one, 'msg'), bytesOf(one, 'sig'), { ...PLAIN, hash: ANY }) ?? false]
  }

function refusable<T>(attempt: () => T): T | undefined {
  try {
    return attempt()
  } catch (error) {
    if (error instanceof BadRequest) return undefined
    throw error
  }
}

/** PSS with the same hash in its mask. With the salt's length as the file says it; and with `auto`, which takes others too. */
export const pss: JudgeOf = (group) => {
  if (textOf(group, 'sha') !== textOf(group, 'mgfSha')) return undefined
  const type = `rsa-${numberOf(group, 'keySize')}`
  const exact = bothWays(group, type, { ...PLAIN, saltLength: numberOf(group, 'sLen') })
  const auto = bothWays(group, type, { ...PLAIN, saltLength: 'auto' })
  if (exact === undefined || auto === undefined) return undefined
  return (one) => {
    const hasOtherSalt = one.comment.startsWith('s_len changed')
    return [...exact(one), ...auto(one).map(async (verdict) => (await verdict) !== hasOtherSalt)]
  }
}

/** PKCS #1 v1.5; also as `hash_algorithm=none` with the DigestInfo as the input. */
export const pkcs1: JudgeOf = (group) => {
  const hash = hashNamed(textOf(group, 'sha'))
  const type = `rsa-${numberOf(group, 'keySize')}`
  const scheme: Settings = { ...PLAIN, padding: 'pkcs1v15' }
  const both = bothWays(group, type, scheme)
  const verifies = verifierOf(group, type)
  if (hash === undefined || both === undefined || verifies === undefined) return undefined
  return (one) => {
    const info = Buffer.concat([hash.digestInfo, digestOf(hash, bytesOf(one, 'msg'))])
    const raw = { ...scheme, hash: undefined, prehashed: true }
    return [...both(one), verifies(info, bytesOf(one, 'sig'), raw)]
  }
}

/** PKCS #1 v1.5 leaves nothing to choose: what is signed here is the very signature of the file. */
export const pkcs1Made: JudgeOf = (group) => {
  const hash = hashNamed(textOf(group, 'sha'))
  const type = typeNamed(`rsa-${numberOf(group, 'keySize')}`)
  if (hash === undefined || type === undefined) return undefined
  const { key, loaded } = keyWith(type, importKey(type, bytesOf(group, 'privateKeyPkcs8')))
  return async (one) => {
    const signatureOf = async (input: Buffer, prehashed: boolean) => {
      const scheme: Scheme = { ...PLAIN, padding: 'pkcs1v15', hash, prehashed }
      const message = { input, context: EMPTY }
      return (await signMessage(key, loaded, message, scheme, systemRandom)).signature
    }
    const input = bytesOf(one, 'msg')
    const made = [await signatureOf(input, false), await signatureOf(digestOf(hash, input), true)]
    return made.map((signature) => signature.equals(bytesOf(one, 'sig')))
  }
}

/** ML-DSA of a seed: the file's signature is of that key, and so is what is signed here, which is never the same twice. */
export const mlDsaMade =
  (typeName: string): JudgeOf =>
  (group) => {
    const type = typeNamed(typeName)
    if (type === undefined || !('privateKeyPkcs8' in group)) return undefined
    const own = refusable(() => keyWith(type, importKey(type, bytesOf(group, 'privateKeyPkcs8'))))
    return async (one) => {
      if ('ctx' in one || !('msg' in one)) return []
      if (own === undefined) return [false]
      const { key, loaded } = own
      const scheme: Scheme = { ...PLAIN, hash: ANY }
      const message = { input: bytesOf(one, 'msg'), context: EMPTY }
      const { signature } = await signMessage(key, loaded, message, scheme, systemRandom)
      return Promise.all(
        [signature, bytesOf(one, 'sig')].map((sig) =>
          taken(() => isSigned(key, loaded, { ...message, signature: sig }, scheme)),
        ),
      )
    }
  }

type Settings = Omit<Scheme, 'hash' | 'prehashed'>
const PLAIN = { padding: 'pss', marshaling: 'asn1', saltLength: 'auto', prehashed: false } as const
const ANY = hashNamed('SHA-256')

type Verifies = (input: Buffer, signature: Buffer, scheme: Scheme) => Promise<boolean>

function verifierOf(group: Group, typeName: string): Verifies | undefined {
  const type = typeNamed(typeName)
  if (type === undefined) return undefined
  const { key, loaded } = keyWith(type, importPublicKey(type, textOf(group, 'publicKeyPem')))
  return (input, signature, scheme) =>
    taken(() => isSigned(key, loaded, { input, context: EMPTY, signature }, scheme))
}

function bothWays(group: Group, typeName: string, settings: Settings) {
  const hash = hashNamed(textOf(group, 'sha'))
  const verifies = verifierOf(group, typeName)
  if (hash === undefined || verifies === undefined) return undefined
  return (one: Parameters<typeof bytesOf>[0]) => {
    const [input, signature] = [bytesOf(one, 'msg'), bytesOf(one, 'sig')]
    return [
      verifies(input, signature, { ...settings, hash, prehashed: false }),
      verifies(digestOf(hash, input), signature, { ...settings, hash, prehashed: true }),
    ]
  }
}

function digestOf({ openssl }: HashAlgorithm, input: Buffer): Buffer {
  return createHash(openssl).update(input).digest()
}

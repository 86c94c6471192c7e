/** Keys as they leave the server, where their owner allowed that (contract: engines-core.md, 2.7). */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { BadRequest } from '../../core/errors.ts'
import { ed25519PublicBytes, mlDsaPublicBytes } from './generate.ts'
import type { KeyType } from './key-types.ts'
import { typeOf, type Loaded } from './keys.ts'
import type { TransitKey } from './records.ts'
import { certificatesPem } from './shown.ts'
import { ed25519Pair } from './sign-ed25519.ts'

export const EXPORT_KINDS = [
  'encryption-key',
  'signing-key',
  'hmac-key',
  'cmac-key',
  'agreement-key',
  'public-key',
  'certificate-chain',
] as const
export type ExportKind = (typeof EXPORT_KINDS)[number]
export const EXPORT_FORMATS = ['', 'raw', 'der', 'pem'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Whether it takes the permission of the key's owner. */
export function isPrivate(kind: ExportKind): boolean {
  return kind !== 'public-key' && kind !== 'certificate-chain'
}

/** @throws {BadRequest} the key is of another kind, or has no such form */
export function exportVersion(
  key: TransitKey,
  { version, material }: Loaded,
  kind: ExportKind,
  format: ExportFormat,
): string {
  const type = typeOf(key)
  switch (kind) {
    case 'hmac-key':
      return rawText(material.hmacKey, format)
    case 'cmac-key':
      if (type.family !== 'cmac') throw new BadRequest('CMAC not supported for the key')
      return rawText(material.key, format)
    case 'encryption-key':
      if (!type.encrypts) throw new BadRequest('encryption not supported for the key')
      return privateText(type, material.key, format)
    case 'signing-key':
      if (!type.signs) throw new BadRequest('signing not supported for the key')
      return privateText(type, material.key, format)
    case 'agreement-key':
      if (!type.agrees) throw new BadRequest('key agreement not supported for the key')
      return privateText(type, material.key, format)
    case 'public-key':
      return publicText(type, material.key, format)
    case 'certificate-chain':
      if (version.certificates.length > 0) return certificatesPem(version.certificates)
      throw new BadRequest('selected key version does not have a certificate chain imported')
  }
}

function rawText(key: KeyObject, format: ExportFormat): string {
  if (format !== '' && format !== 'raw') {
    throw new BadRequest('unknown format for HMAC key; supported values are `` or `raw`')
  }
  return base64AndZero(key.export())
}

function base64AndZero(bytes: Buffer): string {
  const text = bytes.toString('base64')
  bytes.fill(0)
  return text
}

/** Of a version that has only its public half, nothing. */
function privateText(type: KeyType, key: KeyObject, format: ExportFormat): string {
  if (type.family === 'aead') return rawText(key, format)
  if (key.type !== 'private') return ''
  switch (format) {
    case 'der':
      return base64AndZero(key.export({ format: 'der', type: 'pkcs8' }))
    case 'pem':
      return String(key.export({ format: 'pem', type: 'pkcs8' }))
    case 'raw':
      if (type.family !== 'ed25519') throw noRaw(type)
      return base64AndZero(ed25519Pair(key))
    case '':
      return ownForm(type, key)
  }
}

/** As Go's older forms have it. The one of EC keys ends without a newline. */
function ownForm(type: KeyType, key: KeyObject): string {
  switch (type.family) {
    case 'ed25519':
      return base64AndZero(ed25519Pair(key))
    case 'ecdsa':
      return String(key.export({ format: 'pem', type: 'sec1' })).trimEnd()
    case 'ml-dsa':
    case 'x25519':
      return String(key.export({ format: 'pem', type: 'pkcs8' }))
    default:
      return String(key.export({ format: 'pem', type: 'pkcs1' }))
  }
}

function publicText(type: KeyType, key: KeyObject, format: ExportFormat): string {
  if (!type.hasPublicHalf) {
    throw new BadRequest(`unknown key type ${type.name} for export type public-key`)
  }
  const half = key.type === 'private' ? createPublicKey(key) : key
  if (format === 'der') return half.export({ format: 'der', type: 'spki' }).toString('base64')
  const pem = String(half.export({ format: 'pem', type: 'spki' }))
  if (format === 'pem') return pem
  if (type.family === 'ed25519') return ed25519PublicBytes(half).toString('base64')
  if (type.family === 'ml-dsa') return mlDsaPublicBytes(type, half).toString('base64')
  if (format === 'raw') throw noRaw(type)
  return type.family === 'ecdsa' ? pem.trimEnd() : pem
}

function noRaw({ family }: KeyType): BadRequest {
  const name = family === 'ecdsa' ? 'ec' : family
  return new BadRequest(
    `unknown key format for ${name} key; supported values are \`\`, \`der\`, or \`pem\``,
  )
}

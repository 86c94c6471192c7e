/** Values that a step needs made before it is sent. */
import { constants, createCipheriv, publicEncrypt, randomBytes } from 'node:crypto'
import { isJsonObject, type Json } from '../../../core/json.ts'
import { BadRecording, optionalString, string } from './recording.ts'

/** @param fill puts variables in */
export function compute(recipe: Json, fill: (text: string) => string): string {
  if (!isJsonObject(recipe)) throw new BadRecording('a recipe is an object')
  switch (recipe['fn']) {
    case 'transit-import-blob':
      return importBlob(
        fill(string(recipe, 'wrapping_key')),
        Buffer.from(string(recipe, 'target'), 'base64'),
        optionalString(recipe, 'hash') ?? 'sha256',
      )
    default:
      throw new BadRecording('the recipe is not known')
  }
}

/** A key as transit imports it: written from RFC 5649 and RFC 8017, not from our own code. */
function importBlob(wrappingKey: string, target: Buffer, oaepHash: string): string {
  const aesKey = randomBytes(32)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const wrapped = publicEncrypt({ key: wrappingKey, padding, oaepHash }, aesKey)
  const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([wrapped, cipher.update(target), cipher.final()]).toString('base64')
}

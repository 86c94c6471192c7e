/** What a kind of Wycheproof's files is judged by: transit's own functions, as its paths call them. */
import { BadRequest } from '../../../core/errors.ts'
import { systemRandom } from '../../../core/random.ts'
import { newKey } from '../../../engines/transit/change.ts'
import { versionOf } from '../../../engines/transit/generate.ts'
import { HASHES, type HashAlgorithm } from '../../../engines/transit/hashes.ts'
import { KEY_TYPES, type KeyType } from '../../../engines/transit/key-types.ts'
import type { Loaded } from '../../../engines/transit/keys.ts'
import type { TransitKey } from '../../../engines/transit/records.ts'
import type { KeyObject } from 'node:crypto'
import type { Case, Group } from './vectors.ts'

/** Says of a case, in each way that it can come to us, whether it is taken; nothing where it is of no use to transit. */
export type Judge = (one: Case) => Verdicts | Promise<Verdicts>
type Verdicts = readonly (boolean | Promise<boolean>)[]

/** `undefined`: transit offers nothing of what the group is about. */
export type JudgeOf = (group: Group) => Judge | undefined

export const EMPTY = Buffer.alloc(0)
const SETTINGS = {
  derived: false,
  convergent: false,
  exportable: false,
  allowPlaintextBackup: false,
  autoRotateSeconds: 0,
  keySize: undefined,
}

/** A key of transit whose only version is this one. */
export function keyWith(type: KeyType, key: KeyObject): { key: TransitKey; loaded: Loaded } {
  const made = versionOf(type, key, SETTINGS, systemRandom, 0)
  const record = { ...newKey('id', 'k', { ...SETTINGS, type }), versions: { 1: made.version } }
  return { key: record, loaded: { number: 1, ...made } }
}

/** False where the answer would be 400. Any other error is a fault, and thrown. */
export async function taken(attempt: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await attempt()
  } catch (error) {
    if (error instanceof BadRequest) return false
    throw error
  }
}

export function typeNamed(name: string): KeyType | undefined {
  return KEY_TYPES.get(name)
}

/** @param name as Wycheproof has it: `SHA-256`, `SHA3-256` */
export function hashNamed(name: string): HashAlgorithm | undefined {
  const [family, bits] = name.toLowerCase().split('-')
  if (name === 'SHA-1') return HASHES.get('sha1')
  return HASHES.get(family === 'sha' ? `sha2-${bits}` : `${family}-${bits}`)
}

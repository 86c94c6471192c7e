/**
 * Named keys: one signs, the next is published already, and those before verify until their end. They rotate when a token
 * is asked for and their time has come: a key that nobody uses need not change.
 */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { BadRequest } from '../../../core/errors.ts'
import type { IdentityContext, Place } from '../../../core/identity/entities.ts'
import {
  namedKeyFolder,
  namedKeyKey,
  namedKeys,
  privateKeyKey,
  privateKeys,
  type Algorithm,
  type NamedKey,
  type PublicKey,
} from './records.ts'

/** It is there always, and made when it is first needed. */
export const DEFAULT_KEY = 'default'
export const DAY_SECONDS = 24 * 3600
const RSA_BITS = 2048
/** Of one named key: each time it is rotated by hand adds one. */
const MOST_PUBLIC_KEYS = 64

export type KeySettings = Pick<
  NamedKey,
  'algorithm' | 'rotationSeconds' | 'verificationSeconds' | 'allowedClientIds'
>

export const DEFAULT_SETTINGS: KeySettings = {
  algorithm: 'RS256',
  rotationSeconds: DAY_SECONDS,
  verificationSeconds: DAY_SECONDS,
  allowedClientIds: [],
}
/** Of the key that is there always. */
export const OPEN_SETTINGS: KeySettings = { ...DEFAULT_SETTINGS, allowedClientIds: ['*'] }

/** The key of this name; also the default one that was not needed yet, as it will be. */
export async function settingsOf(place: Place, name: string): Promise<KeySettings | undefined> {
  return (await findKey(place, name)) ?? (name === DEFAULT_KEY ? OPEN_SETTINGS : undefined)
}

export function findKey({ root, namespaceId }: Place, name: string) {
  return root.get(namedKeys, namedKeyKey(namespaceId, name))
}

/** The key of this name, made if it is the default one. @throws {BadRequest} there is none */
export async function demandKey(context: IdentityContext, name: string): Promise<NamedKey> {
  const found = await findKey(context, name)
  if (found !== undefined) return found
  if (name !== DEFAULT_KEY) throw new BadRequest('there is no key of this name')
  return createKey(context, name, OPEN_SETTINGS)
}

export async function createKey(
  context: IdentityContext,
  name: string,
  settings: KeySettings,
): Promise<NamedKey> {
  const signing = await makeKey(context, settings.algorithm)
  const next = await makeKey(context, settings.algorithm)
  const key: NamedKey = {
    name,
    ...settings,
    signingId: signing.id,
    nextId: next.id,
    rotatesAtMs: context.nowMs + settings.rotationSeconds * 1000,
    publicKeys: [signing, next],
  }
  putKey(context, key)
  return key
}

export function putKey({ root, namespaceId }: Place, key: NamedKey): void {
  root.put(namedKeys, namedKeyKey(namespaceId, key.name), key)
}

/** With the algorithm its keys change as well: those before verify on. */
export async function changeKey(
  context: IdentityContext,
  key: NamedKey,
  settings: KeySettings,
): Promise<void> {
  const changed = { ...key, ...settings }
  if (settings.algorithm === key.algorithm) return putKey(context, changed)
  const next = await makeKey(context, settings.algorithm)
  const replaced = { ...retired(context, changed, [key.nextId]), nextId: next.id }
  const publicKeys = [...replaced.publicKeys, next]
  await rotateKey(context, { ...replaced, publicKeys }, settings.verificationSeconds)
}

/**
 * The next key signs from now on, and another one is published. The private half of the former is removed.
 *
 * @param verificationSeconds how long the former still verifies
 * @throws {BadRequest} too many verify still
 */
export async function rotateKey(
  context: IdentityContext,
  key: NamedKey,
  verificationSeconds: number,
): Promise<NamedKey> {
  const made = await makeKey(context, key.algorithm)
  const former = { ...key, verificationSeconds }
  const rotated: NamedKey = {
    ...key,
    signingId: key.nextId,
    nextId: made.id,
    rotatesAtMs: context.nowMs + key.rotationSeconds * 1000,
    publicKeys: [...retired(context, former, [key.signingId]).publicKeys, made],
  }
  if (rotated.publicKeys.length > MOST_PUBLIC_KEYS) {
    throw new BadRequest(
      `${MOST_PUBLIC_KEYS} keys verify tokens of this name still; rotate with a shorter verification_ttl, or later`,
    )
  }
  putKey(context, rotated)
  return rotated
}

/** hot: the key as it signs now, rotated if its time has come. */
export async function keyToSign(
  context: IdentityContext,
  name: string,
): Promise<{ readonly key: NamedKey; readonly privateKey: KeyObject }> {
  const { root, namespaceId, nowMs } = context
  const found = await demandKey(context, name)
  const due = nowMs >= found.rotatesAtMs
  const key = due ? await rotateKey(context, found, found.verificationSeconds) : found
  const privateKey = await root.get(privateKeys, privateKeyKey(namespaceId, key.signingId))
  if (privateKey === undefined) throw new Error('a key for identity tokens has no private half')
  return { key, privateKey }
}

export function removeKey({ root, namespaceId }: Place, key: NamedKey): void {
  for (const id of [key.signingId, key.nextId]) root.delete(privateKeyKey(namespaceId, id))
  root.delete(namedKeyKey(namespaceId, key.name))
}

/** All that verifies tokens of the namespace now. */
export async function publicKeysOf(place: Place, nowMs: number): Promise<readonly PublicKey[]> {
  const { root, namespaceId } = place
  const found: PublicKey[] = []
  for (const name of await root.list(namedKeyFolder(namespaceId))) {
    const key = await findKey(place, name)
    found.push(...(key?.publicKeys ?? []).filter((one) => isGood(one, nowMs)))
  }
  return found
}

/** These sign no more. What has ended is left out. */
function retired(
  { root, namespaceId, nowMs }: IdentityContext,
  key: NamedKey,
  ids: readonly string[],
): NamedKey {
  for (const id of ids) root.delete(privateKeyKey(namespaceId, id))
  const endsAtMs = nowMs + key.verificationSeconds * 1000
  const publicKeys = key.publicKeys
    .map((one) => (ids.includes(one.id) ? { ...one, endsAtMs } : one))
    .filter((one) => isGood(one, nowMs))
  return { ...key, publicKeys }
}

function isGood({ endsAtMs }: PublicKey, nowMs: number): boolean {
  return endsAtMs === null || nowMs < endsAtMs
}

async function makeKey(
  { root, namespaceId, random }: IdentityContext,
  algorithm: Algorithm,
): Promise<PublicKey> {
  const id = random.uuid()
  const { privateKey, publicKey } = await generate(algorithm)
  root.put(privateKeys, privateKeyKey(namespaceId, id), privateKey)
  const { kty = '', crv, x, y, n, e } = publicKey.export({ format: 'jwk' })
  const members = Object.entries({ use: 'sig', kty, kid: id, crv, alg: algorithm, n, e, x, y })
  const jwk = Object.fromEntries(members.flatMap(([name, text]) => (text ? [[name, text]] : [])))
  return { id, jwk, endsAtMs: null }
}

const keyPair = promisify(generateKeyPair)
const CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const

/** On a thread of libuv: RSA keys take long. */
function generate(algorithm: Algorithm) {
  switch (algorithm) {
    case 'EdDSA':
      return keyPair('ed25519')
    case 'ES256':
    case 'ES384':
    case 'ES512':
      return keyPair('ec', { namedCurve: CURVES[algorithm] })
    default:
      return keyPair('rsa', { modulusLength: RSA_BITS })
  }
}

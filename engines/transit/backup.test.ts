/** Backups as they come: of real servers, with parts that are wrong, and of ours. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadRequest } from '../../core/errors.ts'
import { isJsonObject } from '../../core/json.ts'
import { systemRandom } from '../../core/random.ts'
import { objectsOf, parseObject } from '../../test/support/json.ts'
import { readBackup, writeBackup, type Restored } from './backup.ts'
import { newKey } from './change.ts'
import { generateVersion, type MadeVersion } from './generate.ts'
import { KEY_TYPES, type KeyType } from './key-types.ts'
import { OPERATIONS, transitKeys, type TransitKey } from './records.ts'

/** Some of the keys are of RSA, which take milliseconds. */
const RUNS = 600
const NOW_MS = Date.UTC(2026, 0, 1)
const FILE = join(import.meta.dirname, '../../test/vectors/transit-vectors.json')
/** The text inside of each, by the name of its key. */
const REAL: ReadonlyMap<string, string> = new Map(
  objectsOf(parseObject(readFileSync(FILE, 'utf8'))['keys']).map((key) => [
    String(key['name']),
    Buffer.from(String(key['backup']), 'base64').toString(),
  ]),
)
const TYPES = [...KEY_TYPES.values()]

const real = (part: string) => [...REAL].find(([name]) => name.includes(part))?.[1] ?? ''
const read = (text: string) => readBackup(Buffer.from(text), 'id', NOW_MS)

describe('a period of rotation', () => {
  test.each([0, 3600, 9_007_199, 9_007_200, 31_536_000, 9_000_000_000])(
    'of %i seconds is kept, in nanoseconds beyond what a JavaScript number holds',
    (seconds) => {
      const text = real('aes256').replace(
        /"auto_rotate_period":\d+/,
        `"auto_rotate_period":${seconds}000000000`.replace(':0000000000', ':0'),
      )
      const { key, versions } = read(text)
      expect(key.autoRotateSeconds).toBe(seconds)
      expect(read(again('k', key, versions)).key.autoRotateSeconds).toBe(seconds)
    },
  )
})

describe('an hmac key', () => {
  const SIZE = /"key_size":\d+,/
  const asOpenBao = /"type":\d+/
  test.each([
    ['of OpenBao, with its size', (text: string) => text],
    ['of OpenBao, without', (text: string) => text.replace(SIZE, '')],
    ['of Vault', (text: string) => vaults(text)],
    ['of Vault, without its size', (text: string) => vaults(text).replace(SIZE, '')],
  ])('%s is one, and in the next backup too', (_, change) => {
    const text = real('hmac')
    expect(text).toMatch(asOpenBao)
    const { key, versions } = read(change(text))
    const size = versions.get(key.latestVersion)?.material.key.symmetricKeySize
    expect(key).toMatchObject({ type: 'hmac', keySize: size })
    expect(read(again('k', key, versions)).key).toMatchObject({ type: 'hmac', keySize: size })
  })
})

/** Vault's number, and without what only OpenBao writes. */
function vaults(text: string): string {
  return text.replace(/"type":10\b/, '"type":11').replace(/,"soft_deleted":(true|false)/, '')
}

const RSA_PEM = JSON.stringify(
  createPublicKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey).export({
    format: 'pem',
    type: 'spki',
  }),
)
const LONG = '1'.repeat(400)

test.each<readonly [string, string, (text: string) => string]>([
  [
    'an HMAC key of 70,000 bytes',
    'aes256',
    (text) => withMember(text, 'hmac_key', `"${'A'.repeat(93_336)}"`),
  ],
  [
    'a time that no clock shows',
    'aes256',
    (text) => withMember(withMember(text, 'time', '""'), 'creation_time', LONG),
  ],
  ['a version of nonces to come', 'aes256', (text) => withMember(text, 'convergent_version', '4')],
  ['another one', 'aes256', (text) => withMember(text, 'convergent_version', LONG)],
  [
    'a period before the beginning',
    'aes256',
    (text) => withMember(text, 'auto_rotate_period', '-5000000000'),
  ],
  [
    'a period of a second',
    'aes256',
    (text) => withMember(text, 'auto_rotate_period', '1000000000'),
  ],
  [
    'a key of half its bytes',
    'aes256',
    (text) => withMember(text, 'key', '"AAAAAAAAAAAAAAAAAAAAAA=="'),
  ],
  [
    'an RSA key as one of EC',
    'ecdsa-p256',
    (text) => withMember(withMember(text, 'ec_x', 'null'), 'public_key', RSA_PEM),
  ],
  ['a point that is not on the curve', 'ecdsa-p256', (text) => withMember(text, 'ec_x', '7')],
  [
    'a modulus of other primes',
    'rsa-2048',
    (text) => text.replaceAll(/"N":(\d+)\d\d/g, (_, digits) => `"N":${digits}00`),
  ],
  ['another size of modulus', 'rsa-2048', (text) => withMember(text, 'type', '4')],
  ['a long Ed25519 key', 'ed25519', (text) => text.replaceAll(/"key":"/g, '"key":"AAAA')],
  ['no type of ours', 'aes256', (text) => withMember(text, 'type', '77')],
  ['no versions', 'aes256', (text) => withMember(text, 'latest_version', '0')],
])('%s is refused', (_, of, change) => {
  const text = real(of)
  expect(() => read(text)).not.toThrow()
  expect(change(text)).not.toBe(text)
  expect(() => read(change(text))).toThrow(BadRequest)
})

/** Everywhere where it stands. @param value as JSON */
function withMember(text: string, name: string, value: string): string {
  return text.replaceAll(
    new RegExp(`"${name}":(?:"(?:[^"\\\\]|\\\\.)*"|-?\\d+|null|true|false)`, 'g'),
    () => `"${name}":${value}`,
  )
}

test('whatever stands in a backup, it is refused or becomes a key that can be stored', () => {
  const member = /"(\w+)":(?:"(?:[^"\\]|\\.)*"|-?\d+|null|true|false)/g
  const value = fc.oneof(
    fc.json({ maxDepth: 2 }),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
    fc.base64String().map((text) => JSON.stringify(text)),
  )
  fc.assert(
    fc.property(fc.constantFrom(...REAL.keys()), fc.nat(), value, (name, at, replaced) => {
      const text = REAL.get(name) ?? ''
      const places = [...text.matchAll(member)]
      const place = places[at % places.length]
      if (place === undefined) throw new Error('the backup has no members')
      const [whole, named = ''] = place
      const changed = `${text.slice(0, place.index)}"${named}":${replaced}${text.slice(place.index + whole.length)}`
      const restored = orRefused(() => read(changed))
      if (restored === undefined) return
      const { key, versions } = restored
      expect(transitKeys.decode('key', transitKeys.encode(key))).toEqual(key)
      for (const { material } of versions.values()) material.encode()
      expect(orRefused(() => read(again('k', key, versions)))).toBeDefined()
    }),
    { numRuns: RUNS },
  )
})

function orRefused<T>(attempt: () => T): T | undefined {
  try {
    return attempt()
  } catch (error) {
    if (error instanceof BadRequest) return undefined
    throw error
  }
}

const POOL = new Map<string, MadeVersion[]>()
for (const type of TYPES) {
  const rules = { derived: false, convergent: false, keySize: 48 }
  const made: MadeVersion[] = []
  for (let i = 0; i < 4; i++) {
    made.push(await generateVersion(type, rules, systemRandom, NOW_MS - i * 1000))
  }
  POOL.set(type.name, made)
}

/** A key of that type with settings as they can be. */
function keys(type: KeyType): fc.Arbitrary<{ key: TransitKey; made: readonly MadeVersion[] }> {
  const bounds = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(), fc.nat(), fc.nat())
    .map(([latest, a, b, c]) => {
      const minDecryptionVersion = 1 + (a % latest)
      return {
        latestVersion: latest,
        minDecryptionVersion,
        minAvailableVersion: b % (minDecryptionVersion + 1),
        minEncryptionVersion: c % (latest + 1),
      }
    })
  const settings = fc.record({
    allowPlaintextBackup: fc.boolean(),
    exportable: fc.boolean(),
    deletionAllowed: fc.boolean(),
    disabled: fc.boolean(),
    operations: fc.subarray([...OPERATIONS]),
    tags: fc.dictionary(fc.stringMatching(/^[a-z:]{1,9}$/), fc.string(), { maxKeys: 3 }),
    imported: fc.boolean(),
    importedAllowRotation: fc.boolean(),
    autoRotateSeconds: fc.oneof(fc.constant(0), fc.integer({ min: 3600, max: 9_000_000_000 })),
  })
  return fc.tuple(bounds, settings).map(([own, chosen]) => {
    const base = newKey('id', 'k', {
      type,
      derived: false,
      convergent: false,
      exportable: true,
      allowPlaintextBackup: true,
      autoRotateSeconds: 0,
      keySize: type.family === 'hmac' ? 48 : undefined,
    })
    const made = (POOL.get(type.name) ?? []).slice(0, own.latestVersion)
    const first = Math.max(own.minAvailableVersion, 1)
    const kept = made.map(({ version }, i) => [i + 1, version] as const)
    const versions = Object.fromEntries(kept.filter(([number]) => number >= first))
    return { key: { ...base, ...own, ...chosen, versions }, made }
  })
}

test.each(TYPES.map((type) => [type.name, type] as const))(
  'any key of type %s is the same after a backup and a restore',
  (_, type) => {
    fc.assert(
      fc.property(keys(type), ({ key, made }) => {
        const versions = new Map(made.map((one, i) => [i + 1, one]))
        const restored = read(again('k', key, versions))
        const { restore: _restore, backup: _backup, ...rest } = restored.key
        const { restore: _before, backup: _none, ...wanted } = key
        expect(rest).toEqual(wanted)
        for (const number of Object.keys(key.versions).map(Number)) {
          const [mine, theirs] = [versions.get(number), restored.versions.get(number)]
          expect(theirs?.material.encode()).toEqual(mine?.material.encode())
        }
      }),
      { numRuns: 40 },
    )
  },
)

/** The text inside of a backup of this key. */
function again(name: string, key: TransitKey, versions: Restored['versions']): string {
  const loaded = [...versions]
    .filter(([number]) => String(number) in key.versions)
    .map(([number, made]) => ({ number, ...made }))
  return Buffer.from(
    writeBackup(name, key, { versions: loaded, counts: {} }, NOW_MS),
    'base64',
  ).toString()
}

test('a backup is one JSON text of the members that Go knows', () => {
  const { key, versions } = read(real('aes256'))
  const names = (text: string) => {
    const { policy } = parseObject(text)
    return isJsonObject(policy) ? Object.keys(policy).toSorted() : []
  }
  expect(names(again('k', key, versions))).toEqual(names(real('aes256')))
})

/**
 * What `server -dev-tls` shows its clients: an authority made for this one start, whose key is forgotten at once, and a
 * certificate of it. P-256; by RFC 5280, so that strict clients take it (key identifiers, key usage, alternative names).
 */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  bitString,
  boolean,
  der,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8String,
} from '../../core/der.ts'
import type { Random } from '../../core/random.ts'

/** The names of Vault and OpenBao: scripts look for them. */
const CA_FILE = 'vault-ca.pem'
const CERT_FILE = 'vault-cert.pem'
const KEY_FILE = 'vault-key.pem'

const YEAR_MS = 365 * 24 * 3_600_000
/** The clock of a client may be behind. */
const EARLIER_MS = 60_000
const SERIAL_BYTES = 19 // below 20, so that it is positive in 20
const LOOPBACK_NAMES = ['localhost', 'localhost.localdomain', 'localhost4', 'localhost6']
const LOOPBACK_ADDRESSES = ['127.0.0.1', '::1']

export interface DevCertificate {
  /** PEM. */
  readonly authority: string
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS#8. */
  readonly key: string
}

export interface DevFiles {
  readonly authorityFile: string
  readonly certFile: string
  readonly keyFile: string
}

/** @param host that the listener is bound to; the certificate is good for it and for this machine */
export function makeDevCertificate(
  host: string,
  { random, nowMs }: { random: Random; nowMs: number },
): DevCertificate {
  const authorityKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const common = {
    random,
    validFromMs: nowMs - EARLIER_MS,
    validToMs: nowMs + YEAR_MS,
    issuer: 'Keyhold development CA',
    issuerKeys: authorityKeys,
  }
  const names = namesOf([...LOOPBACK_NAMES, ...LOOPBACK_ADDRESSES, hostname(), host])
  return {
    authority: certificate({
      ...common,
      subject: common.issuer,
      publicKey: authorityKeys.publicKey,
      extensions: [
        extension('2.5.29.19', sequence(boolean(true)), { critical: true }),
        extension('2.5.29.15', KEY_CERT_SIGN, { critical: true }),
      ],
    }),
    cert: certificate({
      ...common,
      subject: 'Keyhold development server',
      publicKey: keys.publicKey,
      extensions: [
        extension('2.5.29.19', sequence(), { critical: true }),
        extension('2.5.29.15', DIGITAL_SIGNATURE, { critical: true }),
        extension('2.5.29.37', sequence(oid(SERVER_AUTH), oid(CLIENT_AUTH))),
        extension('2.5.29.17', sequence(...names.map(alternativeName))),
      ],
    }),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** @param folder one's own, or one that was named for it: files of these names in it are replaced */
export function writeDevFiles(folder: string, made: DevCertificate): DevFiles {
  const file = (name: string, text: string, mode: number): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode })
    return path
  }
  return {
    authorityFile: file(CA_FILE, made.authority, 0o644),
    certFile: file(CERT_FILE, made.cert, 0o644),
    keyFile: file(KEY_FILE, made.key, 0o600),
  }
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
/** Bits of the extension key usage, RFC 5280, 4.2.1.3. */
const DIGITAL_SIGNATURE = bitString(Buffer.from([0x80]), 7)
const KEY_CERT_SIGN = bitString(Buffer.from([0x06]), 1) // and lists of revoked ones

interface Wanted {
  readonly random: Random
  readonly validFromMs: number
  readonly validToMs: number
  readonly issuer: string
  readonly issuerKeys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  readonly subject: string
  readonly publicKey: KeyObject
  readonly extensions: readonly Buffer[]
}

/** @returns PEM */
function certificate(wanted: Wanted): string {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const { publicKey: issuerKey, privateKey } = wanted.issuerKeys
  const extensions = [
    ...wanted.extensions,
    extension('2.5.29.14', octetString(keyIdentifier(wanted.publicKey))),
    extension('2.5.29.35', sequence(der(0x80, keyIdentifier(issuerKey)))),
  ]
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(wanted.random.bytes(SERIAL_BYTES)),
    algorithm,
    commonName(wanted.issuer),
    sequence(time(wanted.validFromMs), time(wanted.validToMs)),
    commonName(wanted.subject),
    spki(wanted.publicKey),
    der(0xa3, sequence(...extensions)),
  )
  const whole = sequence(body, algorithm, bitString(sign('sha256', body, privateKey)))
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

/** RFC 7093: the first 160 bits of the SHA-256 of the key. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(spki(key)).digest().subarray(0, 20)
}

function commonName(text: string): Buffer {
  return sequence(setOf(sequence(oid('2.5.4.3'), utf8String(text))))
}

function extension(id: string, value: Buffer, { critical } = { critical: false }): Buffer {
  const flag = critical ? [boolean(true)] : []
  return sequence(oid(id), ...flag, octetString(value))
}

function alternativeName(name: string): Buffer {
  const version = isIP(name)
  if (version === 0) return der(0x82, Buffer.from(name))
  return der(0x87, version === 4 ? Buffer.from(name.split('.').map(Number)) : ipv6Bytes(name))
}

/** A URL writes all of its groups out, but for the longest run of zeros. */
function ipv6Bytes(address: string): Buffer {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = [], tail = []] = text.split('::').map((half) => half.split(':').filter(Boolean))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16))
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

const ANY_ADDRESS = ['', '0.0.0.0', '::']

/** Each once, without the interface that an address may name (`fe80::1%eth0`). */
function namesOf(given: readonly string[]): readonly string[] {
  const names = given.map((name) => name.replace(/%.*/, ''))
  return [...new Set(names)].filter(
    (name) => !ANY_ADDRESS.includes(name) && /^[\x21-\x7e]+$/.test(name),
  )
}

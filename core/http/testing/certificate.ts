/**
 * Certificates for tests, made on the spot: P-256, valid from 2020 to 2049 unless told otherwise. Only what a TLS
 * handshake looks at is in them.
 */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
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
} from '../../der.ts'

export interface TestCertificate {
  readonly cert: string
  readonly key: string
  readonly der: Buffer
  readonly name: string
  readonly privateKey: KeyObject
}

const VALID_FROM_MS = Date.UTC(2020, 0, 1)
const VALID_TO_MS = Date.UTC(2049, 11, 31)

let serial = 1

/** Self-signed when there is no issuer; each can sign others. Good for localhost and 127.0.0.1, or for `host` alone. */
export function testCertificate(
  name: string,
  issuer?: TestCertificate,
  { validToMs = VALID_TO_MS, host }: { validToMs?: number; host?: string } = {},
): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.from([serial++])),
    algorithm,
    distinguishedName(issuer?.name ?? name),
    sequence(time(VALID_FROM_MS), time(validToMs)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(basicConstraints(), alternativeNames(host))),
  )
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey)
  const whole = sequence(body, algorithm, bitString(signature))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der: whole,
    name,
    privateKey,
  }
}

const distinguishedName = (name: string) =>
  sequence(setOf(sequence(oid('2.5.4.3'), utf8String(name))))
const basicConstraints = () =>
  sequence(oid('2.5.29.19'), boolean(true), octetString(sequence(boolean(true))))
const alternativeNames = (host: string | undefined) =>
  sequence(
    oid('2.5.29.17'),
    octetString(
      host === undefined
        ? sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
        : sequence(der(0x82, Buffer.from(host))),
    ),
  )

/** Certificate requests (PKCS #10, RFC 2986) for keys that cannot leave, and the certificates that come back. */
import { createPublicKey, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { bitString, der, integer, oid, sequence } from '../../core/der.ts'
import { BadRequest } from '../../core/errors.ts'
import { elements } from './der-reader.ts'
import type { KeyType } from './key-types.ts'

/** [0], in which a request's attributes stand. */
const ATTRIBUTES = 0xa0
const PEM =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\s\S]+?)-----END (?:NEW )?CERTIFICATE REQUEST-----/
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** What a request says beside its key. */
interface RequestInfo {
  readonly subject: Uint8Array
  readonly attributes: Uint8Array
}

const EMPTY: RequestInfo = { subject: sequence(), attributes: der(ATTRIBUTES) }

/**
 * A request of this key: for the subject and attributes of a template, or for none.
 *
 * @param template a request in PEM, whose own key and signature count for nothing; empty: none
 * @returns PEM
 * @throws {BadRequest} the template is no request
 */
export function makeRequest(type: KeyType, key: KeyObject, template: string): string {
  const { subject, attributes } = template === '' ? EMPTY : readTemplate(template)
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const info = sequence(integer(Buffer.from([0])), subject, spki, attributes)
  const { algorithm, hash } = algorithmOf(type)
  const request = sequence(info, algorithm, bitString(sign(hash, info, key)))
  const lines = request.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
}

/** RFC 9881. */
const ML_DSA_OIDS = {
  44: '2.16.840.1.101.3.4.3.17',
  65: '2.16.840.1.101.3.4.3.18',
  87: '2.16.840.1.101.3.4.3.19',
}

/** RFC 5758, RFC 8017, RFC 8410 and RFC 9881. */
function algorithmOf(type: KeyType): { algorithm: Buffer; hash: string | null } {
  switch (type.family) {
    case 'rsa':
      return { algorithm: sequence(oid('1.2.840.113549.1.1.11'), der(0x05)), hash: 'sha256' }
    case 'ed25519':
      return { algorithm: sequence(oid('1.3.101.112')), hash: null }
    case 'ecdsa':
      return {
        32: { algorithm: sequence(oid('1.2.840.10045.4.3.2')), hash: 'sha256' },
        48: { algorithm: sequence(oid('1.2.840.10045.4.3.3')), hash: 'sha384' },
        66: { algorithm: sequence(oid('1.2.840.10045.4.3.4')), hash: 'sha512' },
      }[type.fieldBytes]
    case 'ml-dsa':
      return { algorithm: sequence(oid(ML_DSA_OIDS[type.parameterSet])), hash: null }
    default:
      throw new BadRequest(`key type '${type.name}' does not support signing`)
  }
}

function readTemplate(pem: string): RequestInfo {
  const body = PEM.exec(pem)?.[1]
  const bytes = Buffer.from((body ?? '').replaceAll(/\s/g, ''), 'base64')
  const [outer] = elements(bytes)
  const [info] = outer?.tag === 0x30 ? elements(outer.content) : []
  const [version, subject, , attributes] = info?.tag === 0x30 ? elements(info.content) : []
  if (version?.tag !== 0x02 || subject?.tag !== 0x30) {
    throw new BadRequest("'csr' is no certificate request in PEM form")
  }
  return { subject: subject.whole, attributes: attributes?.whole ?? der(ATTRIBUTES) }
}

/**
 * A chain of certificates, the leaf first.
 *
 * @param key that the leaf has to be of
 * @returns DER in base64
 * @throws {BadRequest} there is none, one cannot be read, or the leaf is of another key
 */
export function readChain(pem: string, key: KeyObject): string[] {
  const texts = pem.match(CERTIFICATES) ?? []
  if (texts.length === 0) {
    throw new BadRequest(
      'provided certificate chain did not contain any valid PEM encoded certificate',
    )
  }
  const chain = texts.map(readCertificate)
  const [leaf] = chain
  if (leaf === undefined || !leaf.publicKey.equals(createPublicKey(key))) {
    throw new BadRequest('the leaf certificate is of another key than this one')
  }
  const wrong = chain.findIndex((one, i) => i > 0 && !chain[i - 1]?.checkIssued(one))
  if (wrong > 0) {
    throw new BadRequest(`certificate ${wrong + 1} of the chain has not issued the one before it`)
  }
  return chain.map(({ raw }) => raw.toString('base64'))
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw new BadRequest(
      'provided certificate chain did not contain any valid PEM encoded certificate',
    )
  }
}

/** The credentials that a role can ask for, and how one is made (contract: engines-db-pki.md, A3). */
import { createPublicKey, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { BadRequest } from '../../core/errors.ts'
import type { GeneratePassword } from '../../core/plugin/request.ts'
import type { Credential, CredentialType, Database } from './database.ts'
import type { StaticCredential } from './records.ts'

export type CredentialConfig = Readonly<Record<string, string>>

const RSA_BITS = new Set(['2048', '3072', '4096'])
const DEFAULT_RSA_BITS = '2048'
const makeKeyPair = promisify(generateKeyPair)

export function parseCredentialType(text: string): CredentialType {
  if (text === 'password' || text === 'rsa_private_key' || text === 'client_certificate')
    return text
  throw new BadRequest(
    'invalid credential_type; it is password, rsa_private_key or client_certificate',
  )
}

/** With its defaults, which a read shows. @throws {BadRequest} */
export function checkedCredentialConfig(
  type: CredentialType,
  config: CredentialConfig,
): CredentialConfig {
  if (type === 'password') return pick(config, ['password_policy'])
  if (type === 'client_certificate') return checkedCertificateConfig(config)
  const bits = config['key_bits'] ?? DEFAULT_RSA_BITS
  const format = config['format'] ?? 'pkcs8'
  if (!RSA_BITS.has(bits)) throw invalid(`key_bits is one of ${[...RSA_BITS].join(', ')}`)
  if (format !== 'pkcs8') throw invalid('format is pkcs8')
  return { format, key_bits: bits }
}

function checkedCertificateConfig(config: CredentialConfig): CredentialConfig {
  const found = pick(config, CERTIFICATE_KEYS)
  const missing = REQUIRED_CERTIFICATE_KEYS.filter((name) => (found[name] ?? '') === '')
  if (missing.length > 0) throw invalid(`it lacks ${missing.join(', ')}`)
  if (!['rsa', 'ec', 'ed25519'].includes(found['key_type'] ?? '')) {
    throw invalid('key_type is rsa, ec or ed25519')
  }
  return found
}

const REQUIRED_CERTIFICATE_KEYS = ['common_name_template', 'ca_cert', 'ca_private_key', 'key_type']
const CERTIFICATE_KEYS = [...REQUIRED_CERTIFICATE_KEYS, 'key_bits', 'signature_bits']

function pick(config: CredentialConfig, names: readonly string[]): CredentialConfig {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(config, name) ? config[name] : undefined
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function invalid(why: string): BadRequest {
  return new BadRequest(`credential_config validation failed: ${why}`)
}

/** As a client reads it: the numbers are numbers, and no key of a certificate authority. */
export function shownCredentialConfig(
  config: CredentialConfig,
): Record<string, unknown> | undefined {
  const shown = Object.entries(config)
    .filter(([name]) => name !== 'ca_private_key')
    .map(([name, value]) => [name, name.endsWith('_bits') ? Number(value) : value] as const)
  return shown.length === 0 ? undefined : Object.fromEntries(shown)
}

/** @throws {BadRequest} the database knows no such credentials */
export function demandSupported({ credentialTypes }: Database, type: CredentialType): void {
  if (!credentialTypes.has(type)) throw new BadRequest(`unsupported credential_type: "${type}"`)
}

export interface Wanted {
  readonly type: CredentialType
  readonly config: CredentialConfig
  /** Of the database's configuration; empty: none. */
  readonly passwordPolicy: string
}

/** A fresh credential. @throws {BadRequest} there is no such password policy */
export async function makeCredential(
  { type, config, passwordPolicy }: Wanted,
  generatePassword: GeneratePassword,
): Promise<StaticCredential> {
  if (type === 'password') {
    const password = await generatePassword(config['password_policy'] ?? passwordPolicy)
    return { type, password }
  }
  if (type === 'client_certificate') {
    throw new BadRequest('unsupported credential_type: "client_certificate"')
  }
  const { privateKey } = await makeKeyPair('rsa', {
    modulusLength: Number(config['key_bits'] ?? DEFAULT_RSA_BITS),
  })
  return {
    type,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** What the database is told of it. */
export function forDatabase(credential: StaticCredential): Credential {
  return credential.type === 'password'
    ? { type: 'password', password: credential.password }
    : { type: 'rsa_private_key', publicKey: credential.publicKey }
}

/** What the client is given of it. */
export function forClient(credential: StaticCredential): Record<string, string> {
  return credential.type === 'password'
    ? { password: credential.password }
    : { rsa_private_key: credential.privateKey }
}

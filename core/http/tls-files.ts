/**
 * The TLS half of a listener: its files, read and checked before anything is opened or replaced.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ServerOptions } from 'node:https'
import { createSecureContext, type SecureVersion } from 'node:tls'
import { errorCode, ListenerRefused } from './listener-refused.ts'

export interface TlsConfig {
  readonly certFile: string
  readonly keyFile: string
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  /** Whose client certificates TLS itself verifies. */
  readonly clientCaFile: string | undefined
  /** No connection without a certificate of that authority. */
  readonly requireClientCert: boolean
  /** Clients are not asked for a certificate; the method `cert` does not work then. */
  readonly disableClientCerts: boolean
  /** OpenSSL's names, for TLS 1.2; `undefined`: Node's choice. */
  readonly ciphers: string | undefined
}
export type TlsVersion = Extract<SecureVersion, 'TLSv1.2' | 'TLSv1.3'>

/** Of a chain in PEM, in its order. @throws {Error} one is damaged */
export function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(CERTIFICATES) ?? []).map((block) => new X509Certificate(block))
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** @throws {ListenerRefused} a file misses, is not what it should be, or the two do not belong together */
export async function readTlsOptions(config: TlsConfig): Promise<ServerOptions> {
  const cert = await readPem(config.certFile, 'tls_cert_file')
  const key = await readPem(config.keyFile, 'tls_key_file')
  const ca =
    config.clientCaFile === undefined
      ? undefined
      : await readPem(config.clientCaFile, 'tls_client_ca_file')
  checkPair(config, cert, key)
  if (ca !== undefined) parseCertificates(ca, config.clientCaFile ?? '', 'tls_client_ca_file')
  const options: ServerOptions = {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    ...(config.ciphers === undefined ? {} : { ciphers: config.ciphers }),
    minVersion: config.minVersion,
    maxVersion: config.maxVersion,
    honorCipherOrder: true,
    ALPNProtocols: ['http/1.1'],
    requestCert: !config.disableClientCerts,
    rejectUnauthorized: config.requireClientCert,
  }
  try {
    createSecureContext(options)
  } catch (cause) {
    const hint = 'check the tls_* settings of the listener and that OpenSSL can read its files'
    throw new ListenerRefused('the TLS settings of the listener do not work together', hint, {
      cause,
    })
  }
  return options
}

async function readPem(file: string, setting: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const why = READ_ERRORS[errorCode(cause)] ?? 'cannot be read'
    throw new ListenerRefused(
      `${setting}: ${file} ${why}`,
      `set ${setting} to a PEM file that the server may read`,
      {
        cause,
      },
    )
  }
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
}

function checkPair(config: TlsConfig, cert: string, key: string): void {
  const [leaf] = parseCertificates(cert, config.certFile, 'tls_cert_file')
  let privateKey
  try {
    privateKey = createPrivateKey(key)
  } catch {
    // Without the cause: it may quote the file.
    throw new ListenerRefused(
      `tls_key_file: ${config.keyFile} holds no private key that can be read`,
      'give an unencrypted private key in PEM (PKCS#8, PKCS#1 or SEC 1)',
    )
  }
  if (leaf?.checkPrivateKey(privateKey) !== true) {
    throw new ListenerRefused(
      `the key in ${config.keyFile} does not belong to the first certificate in ${config.certFile}`,
      'put the certificate of the server first, its intermediates after it, and its own key into tls_key_file',
    )
  }
}

function parseCertificates(pem: string, file: string, setting: string): X509Certificate[] {
  try {
    const certificates = certificatesIn(pem)
    if (certificates.length > 0) return certificates
  } catch {
    // Said below.
  }
  throw new ListenerRefused(
    `${setting}: ${file} holds no certificate, or a damaged one`,
    'give one or more certificates in PEM (-----BEGIN CERTIFICATE-----)',
  )
}

/**
 * The `tls_*` settings of a listener.
 */
import type { TlsConfig, TlsVersion } from '../../core/http/tls-files.ts'
import {
  flag,
  ignored,
  text,
  texts,
  unsupported,
  type Section,
  type Setting,
  type Values,
} from './config-settings.ts'

const version: Setting<TlsVersion> = (value, where) => {
  const name = text(value, where)
  if (name === 'tls12') return 'TLSv1.2'
  if (name === 'tls13') return 'TLSv1.3'
  throw where.place.error(`${where.name} must be "tls12" or "tls13"; older versions are not spoken`)
}

/** The names that Go and the RFCs use, and OpenSSL's. Others are not spoken. */
const SUITES: Readonly<Record<string, string>> = {
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
}
/** Of TLS 1.3 all are used, whatever is set, as in Vault. */
const SUITES_13 = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
]

const cipherSuites: Setting<string> = (value, where) => {
  const names = texts(value, where).filter((name) => !SUITES_13.includes(name))
  const chosen = names.map((name) => {
    const suite = SUITES[name]
    if (suite === undefined) {
      throw where.place.error(`${where.name} may hold ${Object.keys(SUITES).join(', ')}`)
    }
    return suite
  })
  return [...SUITES_13, ...chosen].join(':')
}

const ACME = 'give the certificate in tls_cert_file and tls_key_file'
export const TLS_SETTINGS = {
  tls_disable: flag,
  tls_cert_file: text,
  tls_key_file: text,
  tls_min_version: version,
  tls_max_version: version,
  tls_cipher_suites: cipherSuites,
  tls_client_ca_file: text,
  tls_require_and_verify_client_cert: flag,
  tls_disable_client_certs: flag,
  tls_prefer_server_cipher_suites: ignored, // they always are
  tls_acme_ca_directory: unsupported(ACME),
  tls_acme_domains: unsupported(ACME),
  tls_acme_email: unsupported(ACME),
  tls_acme_cache_path: unsupported(ACME),
}

/** @throws {ConfigError} settings miss, or contradict each other */
export function readTls(
  values: Values<typeof TLS_SETTINGS>,
  section: Section,
): TlsConfig | undefined {
  if (values.tls_disable === true) return undefined
  const {
    tls_cert_file: certFile,
    tls_key_file: keyFile,
    tls_client_ca_file: clientCaFile,
  } = values
  if (certFile === undefined || keyFile === undefined) {
    throw section.place.error(
      `${section.name} needs tls_cert_file and tls_key_file; or set tls_disable = true where TLS ends before it`,
    )
  }
  const config: TlsConfig = {
    certFile,
    keyFile,
    minVersion: values.tls_min_version ?? 'TLSv1.2',
    maxVersion: values.tls_max_version ?? 'TLSv1.3',
    clientCaFile,
    requireClientCert: values.tls_require_and_verify_client_cert ?? false,
    disableClientCerts: values.tls_disable_client_certs ?? false,
    ciphers: values.tls_cipher_suites,
  }
  const problem = contradiction(config)
  if (problem !== undefined) throw section.place.error(problem)
  return config
}

function contradiction(config: TlsConfig): string | undefined {
  if (config.minVersion > config.maxVersion) return 'tls_min_version is above tls_max_version'
  if (!config.requireClientCert) return undefined
  if (config.disableClientCerts) {
    return 'tls_disable_client_certs and tls_require_and_verify_client_cert contradict each other; keep one'
  }
  if (config.clientCaFile === undefined) {
    return 'tls_require_and_verify_client_cert needs tls_client_ca_file, else any public certificate would do'
  }
  return undefined
}

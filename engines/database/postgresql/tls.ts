/** TLS to PostgreSQL, by libpq's `sslmode` and its files, or by certificates in the configuration. */
import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { BadRequest } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import { textDetail } from '../details.ts'
import { unreachable } from '../errors.ts'
import type { Dsn } from './dsn.ts'

export interface TlsSettings {
  readonly mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'
  readonly pem: { readonly ca: string; readonly certificate: string; readonly key: string }
  /** Paths on this machine; empty: none. */
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string }
}

const MODES = new Map<string, TlsSettings['mode']>([
  ['disable', 'disable'],
  ['allow', 'prefer'],
  ['prefer', 'prefer'],
  ['require', 'require'],
  ['verify-ca', 'verify-ca'],
  ['verify-full', 'verify-full'],
])

/** @throws {BadRequest} */
export function tlsSettings({ options }: Dsn, details: JsonObject): TlsSettings {
  const pem = {
    ca: textDetail(details, 'tls_ca'),
    certificate: textDetail(details, 'tls_certificate'),
    key: textDetail(details, 'private_key'),
  }
  const files = {
    ca: options.get('sslrootcert') ?? '',
    certificate: options.get('sslcert') ?? '',
    key: options.get('sslkey') ?? '',
  }
  const given = MODES.get(options.get('sslmode') ?? (pem.ca === '' ? 'prefer' : 'verify-full'))
  if (given === undefined) throw new BadRequest(`sslmode is one of ${[...MODES.keys()].join(', ')}`)
  // As libpq: with a root certificate, `require` verifies.
  const hasRoot = pem.ca !== '' || files.ca !== ''
  return { mode: given === 'require' && hasRoot ? 'verify-ca' : given, pem, files }
}

/** What node:tls is given. */
export async function tlsOptions({ mode, pem, files }: TlsSettings): Promise<ConnectionOptions> {
  const ca = pem.ca || (await fileText(files.ca, 'sslrootcert'))
  const cert = pem.certificate || (await fileText(files.certificate, 'sslcert'))
  const key = pem.key || (await fileText(files.key, 'sslkey'))
  return {
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full',
    ...(ca !== '' && { ca }),
    ...(cert !== '' && { cert, key }),
    // The chain alone counts, not the name in it.
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  }
}

async function fileText(path: string, what: string): Promise<string> {
  if (path === '') return ''
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw unreachable(`the file of ${what} cannot be read`)
  }
}

/** TLS to MySQL, by the DSN's parameter `tls` or by certificates in the configuration. */
import type { SslOptions } from 'mysql2'
import { BadRequest } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import { booleanDetail, textDetail } from '../details.ts'

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g
const KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]*?-----END (?:[A-Z]+ )?PRIVATE KEY-----/

/** @returns nothing: no TLS. @throws {BadRequest} */
export function mysqlTls(parameter: string, details: JsonObject): SslOptions | undefined {
  const ca = textDetail(details, 'tls_ca')
  const both = textDetail(details, 'tls_certificate_key')
  const name = textDetail(details, 'tls_server_name')
  const skips = booleanDetail(details, 'tls_skip_verify') || parameter === 'skip-verify'
  const wants = ca !== '' || both !== '' || skips || isTrue(parameter)
  if (!wants) return undefined
  const cert = both.match(CERTIFICATES)?.join('\n')
  const key = KEY.exec(both)?.[0]
  if (both !== '' && (cert === undefined || key === undefined)) {
    throw new BadRequest('tls_certificate_key holds a certificate and its key, both in PEM')
  }
  return {
    rejectUnauthorized: !skips,
    // Of mysql2: the name in the certificate is checked as well.
    verifyIdentity: !skips,
    ...(ca !== '' && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(name !== '' && { servername: name }),
  } satisfies SslOptions & { servername?: string }
}

function isTrue(parameter: string): boolean {
  if (parameter === 'true' || parameter === 'custom') return true
  if (['', 'false', 'preferred', 'skip-verify'].includes(parameter)) return false
  throw new BadRequest('the parameter tls is true, false or skip-verify')
}
